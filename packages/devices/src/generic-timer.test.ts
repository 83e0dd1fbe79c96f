import { beforeEach, describe, expect, it } from 'vitest';
import { type GenericTimer, genericTimer } from './generic-timer.js';
import { FakeBank, FakeHost, FakeLine } from './test-support/fakes.js';

let host: FakeHost;
let bank: FakeBank;
let physical: FakeLine;
let virtual: FakeLine;
let timer: GenericTimer;

beforeEach(() => {
  host = new FakeHost();
  bank = new FakeBank();
  physical = new FakeLine();
  virtual = new FakeLine();
  timer = genericTimer({ host, bank, physical, virtual });
});

describe('generic timer', () => {
  it('counts 62.5 MHz of guest time in both counters', () => {
    expect(bank.read('CNTFRQ')).toBe(62_500_000);
    host.clock.advanceTo(15);
    expect(bank.read64('CNTPCT')).toBe(0n);
    host.clock.advanceTo(16);
    expect(bank.read64('CNTPCT')).toBe(1n);
    host.clock.advanceTo(16 * (2 ** 33 + 7) + 3);
    expect(bank.read64('CNTVCT')).toBe(2n ** 33n + 7n);
  });

  it('sits at the encodings of the manual', () => {
    expect(Object.fromEntries([...bank.encodings].map(([key, value]) => [value, key]))).toEqual({
      CNTFRQ: 'p15 0 c14 c0 0',
      CNTKCTL: 'p15 0 c14 c1 0',
      CNTP_TVAL: 'p15 0 c14 c2 0',
      CNTP_CTL: 'p15 0 c14 c2 1',
      CNTV_TVAL: 'p15 0 c14 c3 0',
      CNTV_CTL: 'p15 0 c14 c3 1',
      CNTPCT: 'p15 0 c14',
      CNTVCT: 'p15 1 c14',
      CNTP_CVAL: 'p15 2 c14',
      CNTV_CVAL: 'p15 3 c14',
    });
  });

  it('raises the line and ISTATUS at exactly the compare value', () => {
    bank.write64('CNTV_CVAL', 100n);
    bank.write('CNTV_CTL', 1);
    host.clock.advanceTo(1599);
    expect([virtual.level, bank.read('CNTV_CTL')]).toEqual([false, 1]);
    host.clock.advanceTo(1600);
    expect([virtual.level, bank.read('CNTV_CTL')]).toEqual([true, 5]);
    expect(physical.level).toBe(false);
    bank.write64('CNTV_CVAL', 101n);
    expect([virtual.level, bank.read('CNTV_CTL')]).toEqual([false, 1]);
    host.clock.advanceTo(1616);
    expect(virtual.level).toBe(true);
  });

  it('holds the line down with IMASK and without ENABLE', () => {
    bank.write('CNTP_CTL', 3);
    expect([physical.level, bank.read('CNTP_CTL')]).toEqual([false, 7]);
    bank.write('CNTP_CTL', 1);
    expect(physical.level).toBe(true);
    bank.write('CNTP_CTL', 0);
    expect([physical.level, bank.read('CNTP_CTL')]).toEqual([false, 0]);
  });

  it('takes TVAL as a signed distance across the 32-bit border', () => {
    host.clock.advanceTo(16 * 0xffff_fff0);
    bank.write('CNTV_TVAL', 0x20);
    expect(bank.read64('CNTV_CVAL')).toBe(0x1_0000_0010n);
    bank.write('CNTV_TVAL', 0xffff_ffff);
    expect(bank.read64('CNTV_CVAL')).toBe(0xffff_ffefn);
    expect(bank.read('CNTV_TVAL')).toBe(0xffff_ffff);
    host.clock.advance(16 * 3);
    expect(bank.read('CNTV_TVAL')).toBe(0xffff_fffc);
  });

  it('wraps a negative TVAL below zero to a compare value that is never reached', () => {
    bank.write('CNTP_TVAL', 0xffff_fff0);
    expect(bank.read64('CNTP_CVAL')).toBe(2n ** 64n - 16n);
    bank.write('CNTP_CTL', 1);
    expect(bank.read('CNTP_CTL')).toBe(1);
    host.clock.advance(1e15);
    expect(physical.level).toBe(false);
  });

  it('opens registers to PL0 as CNTKCTL says', () => {
    const open = () =>
      ['CNTFRQ', 'CNTPCT', 'CNTVCT', 'CNTP_TVAL', 'CNTP_CTL', 'CNTP_CVAL', 'CNTV_TVAL', 'CNTV_CTL', 'CNTV_CVAL', 'CNTKCTL'].filter((name) =>
        bank.pl0Allows(name, false),
      );
    expect(open()).toEqual([]);
    bank.write('CNTKCTL', 1);
    expect(open()).toEqual(['CNTFRQ', 'CNTPCT']);
    bank.write('CNTKCTL', 2);
    expect(open()).toEqual(['CNTFRQ', 'CNTVCT']);
    bank.write('CNTKCTL', 1 << 8);
    expect(open()).toEqual(['CNTV_TVAL', 'CNTV_CTL', 'CNTV_CVAL']);
    bank.write('CNTKCTL', 1 << 9);
    expect(open()).toEqual(['CNTP_TVAL', 'CNTP_CTL', 'CNTP_CVAL']);
    expect(bank.pl0Allows('CNTP_CTL', true)).toBe(true);
    bank.write('CNTKCTL', 3);
    expect(bank.pl0Allows('CNTFRQ', true)).toBe(false);
  });

  it('resumes from a snapshot with the deadline armed', () => {
    bank.write64('CNTV_CVAL', 1000n);
    bank.write('CNTV_CTL', 1);
    bank.write('CNTKCTL', 2);
    const snapshot = structuredClone(timer.snapshot());
    timer.reset();
    expect(bank.read('CNTV_CTL')).toBe(0);
    timer.restore(snapshot);
    expect(timer.snapshot()).toEqual(snapshot);
    host.clock.advanceTo(15_999);
    expect(virtual.level).toBe(false);
    host.clock.advanceTo(16_000);
    expect(virtual.level).toBe(true);
    const fired = timer.snapshot();
    timer.reset();
    expect(virtual.level).toBe(false);
    timer.restore(fired);
    expect(virtual.level).toBe(true);
  });

  it('refuses a foreign snapshot', () => {
    expect(() => timer.restore({ schema: 'devices/pl011', version: 1, data: {} })).toThrow('[devices] [generic-timer]');
  });
});
