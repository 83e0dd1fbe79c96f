import { describe, expect, test } from 'vitest';
import type { CpuPowerState, PsciResult } from './psci.js';
import { psciCall } from './psci.js';

const oneCpu = (affinity: number): CpuPowerState | undefined => (affinity === 0 ? 'on' : undefined);
const call = (id: number, a = 0, b = 0, c = 0, cpus = oneCpu): PsciResult => psciCall(id, a, b, c, cpus);
const wordOf = (...words: number[]): number | undefined => {
  const result = call(words[0], words[1], words[2], words[3]);
  return result.action === 'return' ? result.value : undefined;
};

/** What a bare-metal program on `qemu-system-arm` 7.2 `-M virt` found in r0 after HVC with r0, r1, r2 as given. */
const MEASURED: [number, number, number, number][] = [
  [0x84000000, 0, 0, 0x00010001],
  [0x84000006, 0, 0, 2],
  [0x84000005, 0, 0, 0xffffffff],
  [0x84000004, 0, 0, 0],
  [0x84000004, 1, 0, 0xfffffffe],
  [0x84000004, 0, 1, 0],
  [0x84000004, 0x80000000, 0, 0xfffffffe],
  [0x84000003, 0, 0x40200000, 0xfffffffc],
  [0x84000003, 1, 0x40200000, 0xfffffffe],
  [0x84000003, 0x80000000, 0x40200000, 0xfffffffe],
  [0xc4000003, 0, 0x40200000, 0xffffffff],
  [0x84000001, 0x01000000, 0, 0xfffffffe],
  [0x8400000b, 0, 0, 0xffffffff],
  [0x8400000c, 0, 0, 0xffffffff],
  [0x12345678, 0, 0, 0xffffffff],
  [0x80000000, 0, 0, 0xffffffff],
  [0x95c1ba61, 0, 0, 0xffffffff],
  [0x95c1ba60, 0, 0, 0xfffffffc],
  [0x95c1ba60, 1, 0, 0xfffffffe],
  [0x84000007, 0, 0, 0xffffffff],
  [0x8400000a, 0x84000000, 0, 0],
  [0x8400000a, 0x84000001, 0, 0],
  [0x8400000a, 0x84000002, 0, 0],
  [0x8400000a, 0x84000003, 0, 0],
  [0x8400000a, 0x84000004, 0, 0],
  [0x8400000a, 0x84000005, 0, 0xffffffff],
  [0x8400000a, 0x84000006, 0, 0],
  [0x8400000a, 0x84000007, 0, 0xffffffff],
  [0x8400000a, 0x84000008, 0, 0],
  [0x8400000a, 0x84000009, 0, 0],
  [0x8400000a, 0x8400000a, 0, 0],
  [0x8400000a, 0x8400000b, 0, 0xffffffff],
  [0x8400000a, 0x8400000e, 0, 0xffffffff],
  [0x8400000a, 0x84000012, 0, 0xffffffff],
  [0x8400000a, 0x80000000, 0, 0xffffffff],
  [0x8400000a, 0xc4000001, 0, 0xffffffff],
  [0x8400000a, 0xc4000003, 0, 0xffffffff],
  [0x8400000a, 0xc4000004, 0, 0xffffffff],
  [0x8400000a, 0x95c1ba5e, 0, 0],
  [0x8400000a, 0x95c1ba5f, 0, 0],
  [0x8400000a, 0x95c1ba60, 0, 0],
  [0x8400000a, 0x95c1ba61, 0, 0xffffffff],
];

test.each(MEASURED)('as QEMU answers: %x(%x, %x) = %x', (id, a, b, expected) => {
  expect(wordOf(id, a, b)).toBe(expected);
});

describe('calls that act', () => {
  test('the machine stops or restarts', () => {
    expect(call(0x84000008)).toEqual({ action: 'system-off' });
    expect(call(0x84000009)).toEqual({ action: 'system-reset' });
    expect(call(0x84000002)).toEqual({ action: 'cpu-off' });
    expect(call(0x95c1ba5f)).toEqual({ action: 'cpu-off' });
  });

  test('suspending waits for an interrupt and succeeds, whether standby or power-down was asked for', () => {
    expect(call(0x84000001, 0)).toEqual({ action: 'wait-for-interrupt', value: 0 });
    expect(call(0x84000001, 0x00010000)).toEqual({ action: 'wait-for-interrupt', value: 0 });
    expect(call(0x95c1ba5e, 0)).toEqual({ action: 'wait-for-interrupt', value: 0 });
  });
});

describe('with a second CPU', () => {
  const second =
    (state: CpuPowerState) =>
    (affinity: number): CpuPowerState | undefined =>
      affinity === 0 ? 'on' : affinity === 1 ? state : undefined;

  test('it starts when it is off, and says so when it is not', () => {
    expect(call(0x84000003, 1, 0x40200001, 7, second('off'))).toEqual({
      action: 'cpu-on',
      value: 0,
      cpu: 1,
      entry: 0x40200001,
      context: 7,
    });
    expect(call(0x84000003, 1, 0, 0, second('on'))).toEqual({ action: 'return', value: 0xfffffffc });
    expect(call(0x84000003, 1, 0, 0, second('on-pending'))).toEqual({ action: 'return', value: 0xfffffffb });
  });

  test.each([
    ['on', 0],
    ['off', 1],
    ['on-pending', 2],
  ] as const)('AFFINITY_INFO of one that is %s', (state, value) => {
    expect(call(0x84000004, 1, 0, 0, second(state))).toEqual({ action: 'return', value });
  });
});
