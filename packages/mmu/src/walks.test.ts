import { ACCESS_FETCH, ACCESS_READ, MEMORY_DEVICE, MEMORY_NORMAL, MEMORY_STRONGLY_ORDERED } from '@tablewalk/machine/contracts';
import { describe, expect, it } from 'vitest';
import { DACR, NMRR, PRRR, SCTLR, type TestMachine, TTBCR, TTBR0, TTBR1, testMachine } from './test-support/machine.js';

const ON = 0x00c50079;
const AP3 = 0xc00;

function shortMachine(sctlr = 0): TestMachine {
  const machine = testMachine({ securityExtensions: true });
  machine.bank.mcr(TTBR0, 0x4000);
  machine.bank.mcr(TTBR1, 0x8000);
  machine.bank.mcr(DACR, 0x55555555);
  machine.bank.mcr(SCTLR, ON | sctlr);
  return machine;
}

describe('translation off', () => {
  it('is flat, and each kind of access has its own attributes', () => {
    const { mmu, bank, memory } = testMachine();
    expect(mmu.translate(0xfedcba98, ACCESS_READ, false)).toBe(true);
    expect(mmu.translation).toMatchObject({
      pa: 0xfedcba98,
      sizeLog2: 32,
      type: MEMORY_STRONGLY_ORDERED,
      writable: true,
      executable: true,
    });
    expect(mmu.translate(0x1000, ACCESS_FETCH, false)).toBe(true);
    expect(mmu.translation).toMatchObject({ type: MEMORY_NORMAL, inner: 0, outer: 0, shareable: true });
    bank.mcr(SCTLR, 0x00c51078);
    mmu.translate(0x1000, ACCESS_FETCH, false);
    expect(mmu.translation).toMatchObject({ type: MEMORY_NORMAL, inner: 2, outer: 2 });
    expect(memory.reads).toBe(0);
  });
});

describe('short descriptors', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('TTBCR.N = %i splits where it says, and TTBR0 shrinks', (n) => {
    const { memory, mmu, bank } = shortMachine();
    // Base bits that only a shorter table leaves.
    const base = 0x4000 + (n === 0 ? 0 : 0x4000 >> n);
    bank.mcr(TTBR0, base | 0x6a);
    bank.mcr(TTBCR, n);
    const boundary = 2 ** (32 - n);
    const lastOfFirst = boundary - 0x100000;
    memory.set(base + (lastOfFirst / 0x100000) * 4, 0x11100002 | AP3);
    expect(mmu.translate(boundary - 1, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation.pa).toBe(0x111fffff);
    if (n === 0) return;
    memory.set(0x8000 + (boundary >>> 20) * 4, 0x22200002 | AP3);
    expect(mmu.translate(boundary, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation.pa).toBe(0x22200000);
    bank.mcr(TTBCR, n | 0x20);
    expect(mmu.translate(boundary, ACCESS_READ, true)).toBe(false);
    expect(mmu.fault).toMatchObject({ status: 5, level: 1, descriptorAddress: -1, va: boundary });
    bank.mcr(TTBCR, n | 0x10);
    expect(mmu.translate(boundary, ACCESS_READ, true)).toBe(true);
    expect(mmu.translate(boundary - 1, ACCESS_READ, true)).toBe(false);
  });

  it.each([
    ['small page', 0x12345000 | 0x32, 0x12345678, 12],
    ['small page, XN', 0x12345000 | 0x33, 0x12345678, 12],
    ['large page', 0x12340000 | 0x31, 0x12345678, 16],
  ])('%s', (_name, descriptor, pa, sizeLog2) => {
    const { memory, mmu } = shortMachine();
    memory.set(0x4000 + 0x7ff * 4, 0x00010001 | (3 << 5));
    memory.set(0x10000 + 0x45 * 4, descriptor);
    expect(mmu.translate(0x7ff45678, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation).toMatchObject({ pa, sizeLog2, global: true });
    expect(mmu.translation.executable).toBe((descriptor & 3) !== 3);
  });

  it('a supersection reaches 40 bits', () => {
    const { memory, mmu } = shortMachine();
    memory.set(0x4000 + 0x801 * 4, 0x12a40002 | (0xb << 5) | AP3 | 0x20000);
    expect(mmu.translate(0x80123456, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation).toMatchObject({ pa: 0xba12123456, sizeLog2: 24, global: false });
  });

  it.each([
    ['translation, first level', 0, undefined, 0x05, 1],
    ['translation, second level', 0x00010001 | (7 << 5), 0, 0x77, 2],
    ['external abort, first level', -1, undefined, 0x0c, 1],
    ['external abort, second level', 0xf0000001 | (7 << 5), undefined, 0x7e, 2],
    ['permission, second level', 0x00010001 | (7 << 5), 2, 0x7f, 2],
  ])('%s fault', (_name, l1, l2, status, level) => {
    const { memory, mmu } = shortMachine();
    memory.limit = l1 === -1 ? 0x100 : 0xf0000000;
    memory.set(0x4000, l1);
    if (l2 !== undefined) memory.set(0x10000, l2);
    expect(mmu.translate(0xabc, ACCESS_READ, true)).toBe(false);
    expect(mmu.fault).toMatchObject({ status, parStatus: status & 0xf, level, va: 0xabc });
  });

  it('reads descriptors in the byte order of SCTLR.EE', () => {
    const { memory, mmu } = shortMachine(1 << 25);
    // 0x12300c02 the other way round.
    memory.set(0x4000, 0x020c3012);
    expect(mmu.translate(0x34567, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation.pa).toBe(0x12334567);
  });

  it.each([
    [0b00000, false, MEMORY_STRONGLY_ORDERED, 0, 0, true],
    [0b00001, false, MEMORY_DEVICE, 0, 0, true],
    [0b00010, false, MEMORY_NORMAL, 2, 2, false],
    [0b00011, true, MEMORY_NORMAL, 3, 3, true],
    [0b00100, false, MEMORY_NORMAL, 0, 0, false],
    [0b00111, true, MEMORY_NORMAL, 1, 1, true],
    [0b01000, true, MEMORY_DEVICE, 0, 0, false],
    [0b10110, false, MEMORY_NORMAL, 2, 1, false],
    [0b11101, true, MEMORY_NORMAL, 1, 3, true],
  ])('TEX:C:B = %i, S = %s without remapping', (texCB, s, type, inner, outer, shareable) => {
    const { memory, mmu } = shortMachine();
    memory.set(0x4000, 2 | AP3 | ((texCB >> 2) << 12) | ((texCB & 3) << 2) | (s ? 0x10000 : 0));
    expect(mmu.translate(0, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation).toMatchObject({ type, inner, outer, shareable });
  });

  it('remaps as Linux sets it up, and looks at TEX[0]:C:B alone', () => {
    const { memory, mmu, bank } = shortMachine(1 << 28);
    bank.mcr(PRRR, 0xff0a81a8);
    bank.mcr(NMRR, 0x40e040e0);
    const look = (texCB: number, s: boolean): object => {
      memory.set(0x4000, 2 | AP3 | ((texCB >> 2) << 12) | ((texCB & 3) << 2) | (s ? 0x10000 : 0));
      expect(mmu.translate(0, ACCESS_READ, true)).toBe(true);
      const { type, inner, outer, shareable } = mmu.translation;
      return { type, inner, outer, shareable };
    };
    // PRRR: TR0 strongly-ordered, TR1-3 normal, TR4 device; NS1 = 1, NS0 = 0, DS1 = 1, DS0 = 0 as 0x0a says.
    expect(look(0, false)).toEqual({ type: MEMORY_STRONGLY_ORDERED, inner: 0, outer: 0, shareable: true });
    expect(look(1, true)).toEqual({ type: MEMORY_NORMAL, inner: 0, outer: 0, shareable: true });
    expect(look(2, false)).toEqual({ type: MEMORY_NORMAL, inner: 2, outer: 2, shareable: false });
    expect(look(3, true)).toEqual({ type: MEMORY_NORMAL, inner: 3, outer: 3, shareable: true });
    expect(look(4, true)).toEqual({ type: MEMORY_DEVICE, inner: 0, outer: 0, shareable: true });
    expect(look(7, true)).toEqual({ type: MEMORY_NORMAL, inner: 1, outer: 1, shareable: true });
    expect(look(0b11011, true)).toEqual(look(3, true));
  });
});

function longMachine(ttbcr = 0): TestMachine {
  const machine = testMachine();
  const { mmu, bank } = machine;
  bank.mcr(TTBCR, 0x80000000 | ttbcr);
  mmu.registers.ttbr0(0x4000, 0x00120000);
  mmu.registers.ttbr1(0x8000, 0x00340000);
  // 0 strongly-ordered, 1 device, 2 normal non-cacheable, 3 write-back write-allocate; 4 write-through, 5 outer NC inner WB.
  bank.mcr(PRRR, 0xff440400);
  bank.mcr(NMRR, 0x00004faa);
  bank.mcr(SCTLR, ON);
  return machine;
}

const AF = 0x400;
const USER = 0x40;

describe('long descriptors', () => {
  it('three levels, 40 bits, attributes from MAIR', () => {
    const { memory, mmu } = longMachine();
    memory.set64(0x4000 + 2 * 8, 0x00010003, 0x12);
    memory.set64(0x1200010000 + 5 * 8, 0x00020003, 0x13);
    memory.set64(0x1300020000 + 7 * 8, 0xabcde000 | AF | USER | (3 << 8) | (3 << 2) | 0x800 | 3, 0xf4);
    expect(mmu.translate(0x80a07123, ACCESS_READ, false)).toBe(true);
    expect(mmu.translation).toMatchObject({ pa: 0xf4abcde123, sizeLog2: 12, type: MEMORY_NORMAL, inner: 1, outer: 1 });
    expect(mmu.translation).toMatchObject({ shareable: true, global: false, writable: true });
  });

  it('blocks of 1 GB and 2 MB', () => {
    const { memory, mmu } = longMachine();
    memory.set64(0x4000 + 3 * 8, 0x40000000 | AF | 1, 2);
    memory.set64(0x4000, 0x00010003, 0);
    memory.set64(0x10000 + 8, 0x7fe00000 | AF | (1 << 2) | 1, 0);
    expect(mmu.translate(0xfedcba98, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation).toMatchObject({ pa: 0x27edcba98, sizeLog2: 30, type: MEMORY_STRONGLY_ORDERED });
    expect(mmu.translate(0x00234567, ACCESS_READ, true)).toBe(true);
    expect(mmu.translation).toMatchObject({ pa: 0x7fe34567, sizeLog2: 21, type: MEMORY_DEVICE });
  });

  it.each([
    ['T0SZ = T1SZ = 0: TTBR0 has everything', 0, 0xffffffff, 'TTBR0', 1],
    ['T0SZ = 1: below', 1, 0x7fffffff, 'TTBR0', 1],
    ['T0SZ = 1: above', 1, 0x80000000, 'TTBR1', 1],
    ['T0SZ = 2 starts at level 2', 2, 0x3fffffff, 'TTBR0', 2],
    ['T0SZ = 2: above', 2, 0x40000000, 'TTBR1', 1],
    ['T1SZ = 3 starts at level 2', 3 << 16, 0xe0000000, 'TTBR1', 2],
    ['T1SZ = 3: below', 3 << 16, 0xdfffffff, 'TTBR0', 1],
    ['T0SZ = 7, T1SZ = 7: last of the lower', 0x70007, 0x01ffffff, 'TTBR0', 2],
    ['T0SZ = 7, T1SZ = 7: the gap', 0x70007, 0x02000000, undefined, 1],
    ['T0SZ = 7, T1SZ = 7: end of the gap', 0x70007, 0xfdffffff, undefined, 1],
    ['T0SZ = 7, T1SZ = 7: first of the upper', 0x70007, 0xfe000000, 'TTBR1', 2],
  ])('%s', (_name, ttbcr, va, table, level) => {
    const { mmu } = longMachine(ttbcr);
    const walk = mmu.explainWalk(va);
    expect(walk.table).toBe(table);
    expect(walk.steps[0].level).toBe(level);
    expect(walk.fault).toMatchObject({ name: 'translation fault', level, status: 0x204 | level });
  });

  it('EPD0 and EPD1 disable their walks', () => {
    const { memory, mmu, bank } = longMachine(1);
    memory.set64(0x4000, AF | 1, 0);
    memory.set64(0x8000 + 2 * 8, AF | 1, 0);
    const both = (): boolean[] => [0, 0x80000000].map((va) => mmu.translate(va, ACCESS_READ, true));
    expect(both()).toEqual([true, true]);
    bank.mcr(TTBCR, 0x80000081);
    expect(both()).toEqual([false, true]);
    bank.mcr(TTBCR, 0x80800001);
    expect(both()).toEqual([true, false]);
    expect(mmu.fault.status).toBe(0x205);
  });

  it.each([
    ['translation', 3, 0, 0x207],
    ['reserved at level 3', 3, AF | 1, 0x207],
    ['access flag', 3, 3, 0x20b],
    ['permission', 3, AF | 3, 0x20f],
    ['access flag', 2, 1, 0x20a],
    ['permission', 2, AF | 1, 0x20e],
    ['translation', 2, 2, 0x206],
    ['access flag', 1, 1, 0x209],
    ['permission', 1, AF | 1, 0x20d],
    ['translation', 1, 0, 0x205],
  ])('%s fault at level %i', (_name, level, descriptor, status) => {
    const { memory, mmu } = longMachine();
    if (level > 1) memory.set64(0x4000, 0x10003, 0);
    if (level > 2) memory.set64(0x10000, 0x20003, 0);
    memory.set64([0, 0x4000, 0x10000, 0x20000][level], descriptor, 0);
    expect(mmu.translate(0, ACCESS_READ, false)).toBe(false);
    expect(mmu.fault).toMatchObject({ status, parStatus: status & 0x3f, level });
  });

  it.each([1, 2, 3])('external abort on the walk at level %i', (level) => {
    const { memory, mmu } = longMachine();
    memory.limit = level === 1 ? 0x1000 : 0x100000;
    if (level > 1) memory.set64(0x4000, level === 2 ? 0x200003 : 0x10003, 0);
    if (level > 2) memory.set64(0x10000, 0x200003, 0);
    expect(mmu.translate(0, ACCESS_READ, false)).toBe(false);
    expect(mmu.fault.status).toBe(0x214 | level);
  });

  /** High words: APTable in 30:29, XNTable 28, PXNTable 27; XN 22, PXN 21. Rights at PL1 and PL0 of a page that user may write. */
  it.each([
    ['none', 0, 0, 'rwx', 'rwx'],
    ['APTable[0]', 1 << 29, 0, 'rwx', '---'],
    ['APTable[1]', 1 << 30, 0, 'r-x', 'r-x'],
    ['both', 3 << 29, 0, 'r-x', '---'],
    ['XNTable', 1 << 28, 0, 'rw-', 'rw-'],
    ['PXNTable', 1 << 27, 0, 'rw-', 'rwx'],
    ['XN', 0, 1 << 22, 'rw-', 'rw-'],
    ['PXN', 0, 1 << 21, 'rw-', 'rwx'],
  ])('table attributes: %s', (_name, table, leaf, pl1, pl0) => {
    for (const at of [1, 2]) {
      const { memory, mmu } = longMachine();
      memory.set64(0x4000, 0x10003, at === 1 ? table : 0);
      memory.set64(0x10000, 0x20003, at === 2 ? table : 0);
      memory.set64(0x20000, AF | USER | 3, leaf);
      for (const [privileged, expected] of [
        [true, pl1],
        [false, pl0],
      ] as const) {
        const rights = ([0, 1, 2] as const).map((access) => (mmu.translate(0, access, privileged) ? 'rwx'[access] : '-'));
        expect(rights.join('')).toBe(expected);
      }
    }
  });

  it('takes the ASID from the TTBR that A1 names', () => {
    const { mmu, bank } = longMachine();
    expect(mmu.asid).toBe(0x12);
    bank.mcr(TTBCR, 0x80400000);
    expect(mmu.asid).toBe(0x34);
    bank.mcr(TTBCR, 0);
    expect(mmu.asid).toBe(0);
  });
});

describe('faults that the CPU detects', () => {
  it('have a status in both formats', () => {
    const { mmu, bank } = testMachine();
    expect((['alignment', 'external', 'debug'] as const).map((kind) => mmu.faultStatus(kind))).toEqual([0x001, 0x008, 0x002]);
    bank.mcr(TTBCR, 0x80000000);
    expect((['alignment', 'external', 'debug'] as const).map((kind) => mmu.faultStatus(kind))).toEqual([0x221, 0x210, 0x222]);
  });
});

describe('explainWalk', () => {
  it('shows each descriptor with its fields and changes nothing', () => {
    const { memory, mmu } = shortMachine();
    memory.set(0x4000 + 0x7ff * 4, 0x00010001 | (3 << 5));
    memory.set(0x10000 + 0x45 * 4, 0x12345000 | 0xc72);
    mmu.translate(0x123, ACCESS_READ, true);
    const fault = { ...mmu.fault };
    const walk = mmu.explainWalk(0x7ff45678);
    expect(walk.steps.map((step) => [step.level, step.kind, step.descriptorAddress])).toEqual([
      [1, 'table', 0x5ffc],
      [2, 'small page', 0x10114],
    ]);
    expect(Object.fromEntries(walk.steps[0].fields)).toMatchObject({ table: '0x00010000', domain: '3' });
    expect(Object.fromEntries(walk.steps[1].fields)).toMatchObject({ base: '0x12345000', nG: '1', S: '1', AP: '0b011', TEX: '0b001' });
    expect(walk.mapping).toMatchObject({ pa: 0x12345678, domain: 3, rights: 'rwx', shareability: 'outer shareable', global: false });
    expect(walk.outcome).toBe('0x7ff45678 -> 0x0012345678');
    expect(mmu.fault).toEqual(fault);
  });

  it('says what stopped it', () => {
    const { memory, mmu, bank } = shortMachine();
    expect(mmu.explainWalk(0x00300000).outcome).toBe('0x00300000 -> translation fault, level 1');
    memory.set(0x4000, 2 | AP3 | (2 << 5));
    bank.mcr(DACR, 1);
    const walk = mmu.explainWalk(0x10);
    expect(walk.fault).toEqual({ name: 'domain fault', level: 1, status: 0x29 });
    expect(walk.mapping?.rights).toBe('');
    bank.mcr(SCTLR, 0x00c50078);
    expect(mmu.explainWalk(0x10)).toMatchObject({ format: 'off', steps: [], mapping: { pa: 0x10 } });
  });
});
