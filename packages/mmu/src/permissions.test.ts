import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine/contracts';
import { describe, expect, it } from 'vitest';
import { DACR, SCTLR, TTBR0, testMachine } from './test-support/machine.js';

const ON = 0x00c50079;
const AFE = 1 << 29;
const WXN = 1 << 19;
const UWXN = 1 << 20;

/** A section at 1 MB with the given bits; domain 5. Returns what may be done, or the name of the fault of a read. */
function section(bits: number, sctlr: number, dacrField: number, privileged: boolean): string {
  const { memory, mmu, bank } = testMachine();
  memory.set(0x4004, 0x00100002 | (5 << 5) | bits);
  bank.mcr(TTBR0, 0x4000);
  bank.mcr(DACR, dacrField << 10);
  bank.mcr(SCTLR, ON | sctlr);
  const can = (access: 0 | 1 | 2): boolean => mmu.translate(0x00123456, access, privileged);
  const rights = `${can(ACCESS_READ) ? 'r' : '-'}${can(ACCESS_WRITE) ? 'w' : '-'}${can(ACCESS_FETCH) ? 'x' : '-'}`;
  // What a success says of the other kinds of access must be what asking for them says.
  for (const access of [ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH] as const) {
    if (!mmu.translate(0x00123456, access, privileged)) continue;
    const t = mmu.translation;
    expect(`${t.readable ? 'r' : '-'}${t.writable ? 'w' : '-'}${t.executable ? 'x' : '-'}`).toBe(rights);
    expect(t.pa).toBe(0x00123456);
  }
  if (rights !== '---') return rights;
  mmu.translate(0x00123456, ACCESS_READ, privileged);
  return `fault ${mmu.fault.status.toString(16)}`;
}

const ap = (value: number): number => ((value & 3) << 10) | ((value & 4) << 13);

describe('AP[2:0] (ARM DDI 0406C.d, Table B3-8)', () => {
  it.each([
    [0, 'fault 5d', 'fault 5d'],
    [1, 'rwx', 'fault 5d'],
    [2, 'rwx', 'r-x'],
    [3, 'rwx', 'rwx'],
    [4, 'fault 5d', 'fault 5d'],
    [5, 'r-x', 'fault 5d'],
    [6, 'r-x', 'r-x'],
    [7, 'r-x', 'r-x'],
  ])('AP = %i: PL1 %s, PL0 %s', (value, pl1, pl0) => {
    expect(section(ap(value), 0, 1, true)).toBe(pl1);
    expect(section(ap(value), 0, 1, false)).toBe(pl0);
  });
});

describe('AP[2:1] with SCTLR.AFE', () => {
  it.each([
    [0, 'fault 53', 'fault 53'],
    [1, 'rwx', 'fault 5d'],
    [2, 'fault 53', 'fault 53'],
    [3, 'rwx', 'rwx'],
    [4, 'fault 53', 'fault 53'],
    [5, 'r-x', 'fault 5d'],
    [6, 'fault 53', 'fault 53'],
    [7, 'r-x', 'r-x'],
  ])('AP = %i: PL1 %s, PL0 %s', (value, pl1, pl0) => {
    expect(section(ap(value), AFE, 1, true)).toBe(pl1);
    expect(section(ap(value), AFE, 1, false)).toBe(pl0);
  });
});

describe('domains', () => {
  it.each([0, 2])('field %i allows nothing, whatever AP says', (field) => {
    for (let value = 0; value < 8; value++) {
      for (const privileged of [false, true]) expect(section(ap(value), 0, field, privileged)).toBe('fault 59');
    }
  });

  it('a manager is checked against nothing: not AP, XN, PXN, WXN', () => {
    for (let value = 0; value < 8; value++) {
      for (const privileged of [false, true]) expect(section(ap(value) | 0x11, WXN | UWXN, 3, privileged)).toBe('rwx');
    }
  });

  it('an access flag fault comes before a domain fault, and a manager has it too', () => {
    expect(section(ap(2), AFE, 0, true)).toBe('fault 53');
    expect(section(ap(2), AFE, 3, true)).toBe('fault 53');
  });

  it('a supersection is in domain 0, whatever its bits 8:5 are', () => {
    const { memory, mmu, bank } = testMachine();
    memory.set(0x4004, 0x00040002 | (5 << 5) | ap(3));
    bank.mcr(TTBR0, 0x4000);
    bank.mcr(DACR, 1);
    bank.mcr(SCTLR, ON);
    expect(mmu.translate(0x00123456, ACCESS_READ, false)).toBe(true);
    expect(mmu.translation.pa).toBe(5 * 2 ** 36 + 0x00123456);
    bank.mcr(DACR, 1 << 10);
    expect(mmu.translate(0x00123456, ACCESS_READ, false)).toBe(false);
    expect(mmu.fault.status).toBe(0x9);
  });
});

describe('execute-never', () => {
  const XN = 0x10;
  const PXN = 1;
  it.each([
    ['XN', XN | ap(3), 0, 'rw-', 'rw-'],
    ['PXN', PXN | ap(3), 0, 'rw-', 'rwx'],
    ['WXN', ap(2), WXN, 'rw-', 'r-x'],
    ['WXN, read-only', ap(7), WXN, 'r-x', 'r-x'],
    ['UWXN', ap(3), UWXN, 'rw-', 'rwx'],
    ['UWXN, not writable at PL0', ap(2), UWXN, 'rwx', 'r-x'],
    ['WXN and UWXN', ap(3), WXN | UWXN, 'rw-', 'rw-'],
  ])('%s', (_name, bits, sctlr, pl1, pl0) => {
    expect(section(bits, sctlr, 1, true)).toBe(pl1);
    expect(section(bits, sctlr, 1, false)).toBe(pl0);
  });

  it('IFSR gets no domain', () => {
    const { memory, mmu, bank } = testMachine();
    memory.set(0x4000, 0x2 | (5 << 5) | ap(3) | XN);
    bank.mcr(TTBR0, 0x4000);
    bank.mcr(DACR, 1 << 10);
    bank.mcr(SCTLR, ON);
    expect(mmu.translate(0, ACCESS_FETCH, true)).toBe(false);
    expect(mmu.fault.status).toBe(0xd);
  });
});
