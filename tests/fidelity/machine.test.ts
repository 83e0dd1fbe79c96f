import type { VirtMachine, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { MachineError } from '@tablewalk/board-qemu-virt';
import { setAssociativeCache } from '@tablewalk/mmu';
import { describe, expect, it } from 'vitest';
import { digest } from '../hostile/support.js';
import { L2, machine, NC, op, outcome, PA1, PA2, remapNowAndThen, WB, X } from './support.js';

/** Loads, stores and remaps for a while, with what is stale seen: the sum depends on each of them. */
const BUSY = `
  mov r4, #0
  mov r6, #0
again:
  ${op.load('r5', X)}
  add r4, r4, r5
  ldr r0, =0x40400000
  add r0, r0, r6, lsl #12
  str r4, [r0]
  ldr r5, [r0, #64]
  add r4, r4, r5, lsl #1
  str r4, [r0, #68]
${remapNowAndThen}  add r6, r6, #1
  cmp r6, #512
  blt again
`;

const finish = (m: VirtMachine, slice: number): string => {
  for (let i = 0; i < 1000; i++) if (m.runFor(slice).reason === 'poweroff') return digest(m);
  throw new Error('the guest does not end');
};

const kinds: readonly (readonly [string, VirtMachineOptions])[] = [
  ['architectural, Cortex-A15', { cpu: 'cortex-a15', fidelity: 'architectural' }],
  ['architectural, Cortex-A8', { cpu: 'cortex-a8', fidelity: 'architectural' }],
  ['architectural, the weakest core', { cpu: 'armv7-weakest', fidelity: 'architectural' }],
  [
    'architectural, with evictions',
    { cpu: 'cortex-a7', fidelity: 'architectural', retain: 'forever', evictions: { seed: 7, interval: 50 } },
  ],
  ['measured, Cortex-A15', { cpu: 'cortex-a15', fidelity: 'measured' }],
];

describe.each(kinds)('%s', (_name, options) => {
  it('runs the same twice, in slices, and from a snapshot', { timeout: 180_000 }, () => {
    const whole = finish(machine(BUSY, options), 100_000);
    expect(finish(machine(BUSY, options), 100_000)).toBe(whole);
    expect(finish(machine(BUSY, options), 997)).toBe(whole);
    const early = machine(BUSY, options);
    early.runFor(4001);
    const saved = early.snapshot();
    const late = machine(BUSY, options);
    late.restore(structuredClone(saved));
    expect(digest(late)).toBe(digest(early));
    expect(finish(late, 100_000)).toBe(whole);
    expect(finish(early, 100_000)).toBe(whole);
  });
});

describe('random evictions', () => {
  const stale = op.load('r5', X) + op.map(PA2 | WB) + op.cleanU(L2) + op.dsb;
  const wait = 'ldr r1, =20000\nwait: subs r1, r1, #1\nbne wait\n';

  it('find a translation that nobody invalidated', () => {
    const body = stale + wait + op.load('r4', X);
    const options: VirtMachineOptions = { cpu: 'cortex-a15', fidelity: 'architectural' };
    expect(outcome(machine(body, options))?.r4).toBe(1);
    expect(outcome(machine(body, { ...options, evictions: { seed: 1, interval: 100 } }))?.r4).toBe(2);
  });

  it('write a dirty line back', () => {
    const body = op.store(PA1, 7) + wait + op.load('r4', X);
    const options: VirtMachineOptions = { cpu: 'cortex-a9', fidelity: 'architectural' };
    expect(outcome(machine(body, options, PA1 | NC))?.r4).toBe(1);
    expect(outcome(machine(body, { ...options, evictions: { seed: 1, interval: 100 } }, PA1 | NC))?.r4).toBe(7);
  });
});

describe('a store that no level allocates for', () => {
  it('is in memory when the line that a later load brought in goes again', () => {
    // TEX 000, C and B: write-back, no write-allocate (B3.8.2). Loads of twice what the L2 holds then take its place.
    const body = `
      ${op.store(X, 7)}
      ${op.load('r5', X + 4)}
      ldr r0, =0x40400000
      ldr r1, =0x40800000
more: ldr r2, [r0], #64
      cmp r0, r1
      blo more
      ${op.load('r4', X)}`;
    for (const cpu of ['cortex-a7', 'cortex-a15']) {
      const m = machine(body, { cpu, fidelity: 'measured' }, PA1 | 0x1e);
      expect(m.runFor(1_000_000).reason).toBe('poweroff');
      expect(m.cpu.readRegister('r4')).toBe(7);
    }
  });
});

describe('a virtio device', () => {
  const RING = 0x40600000;
  const BUFFER = 0x40602000;
  const USED = RING + 4096;
  const REGISTERS = 0x0a003e00;
  const set = (offset: number, value: number): string => op.store(REGISTERS + offset, value);
  /** Asks the entropy device for eight bytes; `before` and `after` are what a driver does for a device that does not see the caches. */
  const driver = (before: string, after: string): string => `
    ${op.load('r5', USED)}
    ${op.load('r5', BUFFER)}
    ${set(0x28, 4096)}${set(0x70, 1)}${set(0x70, 3)}${set(0x30, 0)}${set(0x38, 2)}${set(0x3c, 4096)}${set(0x40, RING >>> 12)}${set(0x70, 7)}
    ${op.store(RING, BUFFER)}${op.store(RING + 8, 8)}${op.store(RING + 12, 2)}
    ${op.store(RING + 32, 1 << 16)}
    ${before}dsb sy
    ${set(0x50, 0)}
    ldr r1, =5000
poll: subs r1, r1, #1
    bne poll
    ${after}dsb sy
    ${op.load('r4', USED)}
    lsr r4, r4, #16
    ${op.load('r6', BUFFER)}
  `;
  const clean = op.cleanC(RING) + op.cleanC(RING + 32);
  const invalidate = op.invalidate(USED) + op.invalidate(BUFFER);
  const run = (before: string, after: string, options: VirtMachineOptions) =>
    outcome(machine(driver(before, after), { cpu: 'cortex-a7', rng: true, fidelity: 'architectural', ...options }));

  it('sees the caches, unless told otherwise', () => {
    const result = run('', '', {});
    expect(result?.r4).toBe(1);
    expect(result?.r6).not.toBe(0);
  });

  it('that does not see the caches reads what was cleaned, and what it wrote is seen after an invalidation', () => {
    const coherent = run('', '', {});
    expect(run('', '', { dma: 'noncoherent' })).toMatchObject({ r4: 0, r6: 0 });
    expect(run(clean, '', { dma: 'noncoherent' })).toMatchObject({ r4: 0, r6: 0 });
    expect(run('', invalidate, { dma: 'noncoherent' })).toMatchObject({ r4: 0, r6: 0 });
    expect(run(clean, invalidate, { dma: 'noncoherent' })).toEqual(coherent);
    expect(run('', '', { dma: 'noncoherent', cache: 'none' })).toEqual(coherent);
  });
});

describe('a machine refuses', () => {
  const refused = (options: VirtMachineOptions): string => {
    try {
      machine('', options);
    } catch (error) {
      if (error instanceof MachineError) return error.message;
      throw error;
    }
    return 'nothing';
  };

  it('models where nothing would use them, and words that mean nothing', () => {
    expect(refused({ retain: 'forever' })).toContain('functional fidelity has no TLB and cache models');
    expect(refused({ fidelity: 'exact' as never })).toContain("there is no 'exact'");
    expect(refused({ fidelity: 'architectural', walk: 'maybe' as never })).toContain("there is no 'maybe'");
    const plru = setAssociativeCache({ byteLength: 32768, ways: 4, lineLength: 64, replacement: 'plru' });
    expect(refused({ fidelity: 'measured', engine: 'wasm', cache: plru })).toContain('needs models that say what hits');
    expect(refused({ fidelity: 'architectural', tlb: 'none', engine: 'wasm' })).toContain('walks at each access');
    expect(refused({ fidelity: 'measured', evictions: { seed: 1, interval: 0 } })).toContain('an interval of 0');
    expect(refused({ tlb: 'none', cache: 'none' })).toBe('nothing');
  });

  it('a snapshot of another fidelity', () => {
    const saved = machine('', { fidelity: 'architectural' }).snapshot();
    expect(() => machine('', {}).restore(saved)).toThrow('architectural fidelity');
  });
});
