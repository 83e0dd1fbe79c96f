import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine/contracts';
import { describe, expect, it } from 'vitest';
import { TLB_ENTRY_GLOBAL, TLB_ENTRY_VALID, type Tlb, type TlbEvictionSink } from './contracts/tlb.js';
import { noneTlb } from './models/none.js';
import {
  CONTEXTIDR,
  DACR,
  NMRR,
  PAR,
  PRRR,
  SCTLR,
  TestBank,
  type TestMachine,
  TTBCR,
  TTBR0,
  TTBR1,
  testMachine,
} from './test-support/machine.js';
import { Vmsav7, type Vmsav7Options } from './vmsav7.js';

const ON = 0x00c50079;

/** Identity sections: 0 global, 1 not global (both domain 0); a large page and a small page at 2 MB, a supersection at 16 MB. */
function machine(options: Partial<Vmsav7Options> = {}): TestMachine {
  const m = testMachine(options);
  m.memory.set(0x4000, 0x00000c02);
  m.memory.set(0x4004, 0x00120c02);
  m.memory.set(0x4008, 0x00010001);
  for (let i = 0; i < 16; i++) m.memory.set(0x10000 + i * 4, 0x00200031);
  m.memory.set(0x10000 + 16 * 4, 0x00210032);
  for (let i = 16; i < 32; i++) m.memory.set(0x4000 + i * 4, 0x01040c02);
  m.bank.mcr(TTBR0, 0x4000);
  m.bank.mcr(DACR, 1);
  m.bank.mcr(SCTLR, ON);
  m.port.take();
  return m;
}

describe('what the fast table is told', () => {
  it.each([
    ['TLBIALL', '0,c8,c7,0', 0, ['all']],
    ['TLBIALLIS', '0,c8,c3,0', 0, ['all']],
    ['ITLBIALL', '0,c8,c5,0', 0, ['all']],
    ['DTLBIALL', '0,c8,c6,0', 0, ['all']],
    ['TLBIMVA', '0,c8,c7,1', 0x30000042, ['page 30000000 12']],
    ['TLBIMVAIS', '0,c8,c3,1', 0xfffff042, ['page fffff000 12']],
    ['ITLBIMVA', '0,c8,c5,1', 0x1000, ['page 1000 12']],
    ['DTLBIMVA', '0,c8,c6,1', 0x1000, ['page 1000 12']],
    ['TLBIASID', '0,c8,c7,2', 0xff42, ['asid 66']],
    ['TLBIASIDIS', '0,c8,c3,2', 0x42, ['asid 66']],
    ['TLBIMVAA', '0,c8,c7,3', 0x1fff, ['page 1000 12']],
    ['TLBIMVAAIS', '0,c8,c3,3', 0x80000000, ['page 80000000 12']],
    ['CONTEXTIDR, another ASID', CONTEXTIDR, 7, ['non-global']],
    ['CONTEXTIDR, the same ASID', CONTEXTIDR, 0x700, []],
    ['TTBR0', TTBR0, 0x8000, ['non-global']],
    ['TTBR0, the same', TTBR0, 0x4000, []],
    ['TTBR1', TTBR1, 0x8000, ['all']],
    ['TTBCR', TTBCR, 1, ['all']],
    ['TTBCR, ignored bits', TTBCR, 0x30, []],
    ['PRRR', PRRR, 1, ['all']],
    ['NMRR', NMRR, 1, ['all']],
    ['SCTLR.TRE', SCTLR, ON | (1 << 28), ['all']],
    ['SCTLR.M', SCTLR, ON & ~1, ['all']],
    ['SCTLR.A', SCTLR, ON | 2, []],
    ['SCTLR.V', SCTLR, ON | 0x2000, []],
    ['SCTLR, the same', SCTLR, ON, []],
  ])('%s', (_name, key, value, calls) => {
    const { bank, port, mmu } = machine();
    const before = mmu.epoch;
    bank.mcr(key, value);
    expect(port.take()).toEqual(calls);
    expect(mmu.epoch > before).toBe(calls.length > 0);
  });

  it('an address inside a larger mapping drops all that came from it', () => {
    const { mmu, bank, port } = machine();
    for (const va of [0x00012345, 0x00205000, 0x01234567]) expect(mmu.translate(va, ACCESS_READ, true)).toBe(true);
    for (const va of [0x000ff000, 0x0020f000, 0x01f00000, 0x00300000]) bank.mcr('0,c8,c7,1', va);
    expect(port.take()).toEqual(['page 0 20', 'page 200000 16', 'page 1000000 24', 'page 300000 12']);
    bank.mcr('0,c8,c7,0', 0);
    bank.mcr('0,c8,c7,1', 0x000ff000);
    expect(port.take()).toEqual(['all', 'page ff000 12']);
  });

  it('a domain that loses access drops what was made from it, and one that gains drops nothing', () => {
    const { mmu, bank, port } = machine();
    bank.mcr(DACR, 0x5);
    bank.mcr(DACR, 0x1);
    expect(port.take()).toEqual([]);
    mmu.translate(0x00100000, ACCESS_READ, true);
    bank.mcr(DACR, 0x3);
    expect(port.take()).toEqual([]);
    bank.mcr(DACR, 0x1);
    expect(port.take()).toEqual(['suspend']);
    mmu.translate(0, ACCESS_READ, true);
    bank.mcr(DACR, 0);
    expect(port.take()).toEqual(['all']);
    expect(mmu.translate(0, ACCESS_READ, true)).toBe(false);
  });

  it('a domain that has again what it lost makes good what was made from it, unless it was dropped in between', () => {
    const { mmu, bank, port } = machine();
    bank.mcr(DACR, 0x5);
    mmu.translate(0x00100000, ACCESS_READ, true);
    for (const dacr of [0x4, 0xc, 0x6, 0x5]) bank.mcr(DACR, dacr);
    // Domain 1 is of no concern, and 2 is no access either.
    expect(port.take()).toEqual(['suspend', 'resume']);
    for (const dacr of [0x4, 0x7, 0x4]) bank.mcr(DACR, dacr);
    expect(port.take()).toEqual(['suspend']);
    bank.mcr('0,c8,c7,0', 0);
    bank.mcr(DACR, 0x5);
    expect(port.take()).toEqual(['all']);
  });
});

describe('PAR', () => {
  const [CPR, CPW, CUR, CUW] = [0, 1, 2, 3].map((n) => `0,c7,c8,${n}`);

  it('32 bits: address and NS, SS for a supersection, FS for a fault', () => {
    const { memory, bank } = machine();
    const at = (key: string, va: number): number => {
      bank.mcr(key, va);
      return bank.mrc(PAR);
    };
    expect(at(CPR, 0x00123abc)).toBe(0x00123200);
    expect(at(CPW, 0x01abcdef)).toBe(0x01000202);
    memory.set(0x4000, 0x00008802);
    expect(at(CUR, 0x1234)).toBe(0x00001200);
    expect(at(CUW, 0x1234)).toBe((0xd << 1) | 1);
    expect(at(CUW, 0x00300000)).toBe((0x5 << 1) | 1);
    expect(bank.mrrc('0,c7')).toEqual([(0x5 << 1) | 1, 0]);
    bank.mcr(PAR, 0x12345678);
    expect(bank.mrc(PAR)).toBe(0x12345678);
  });

  it('attributes when asked for', () => {
    const { memory, bank } = machine({ parAttributes: true });
    // TEX = 0b101, C:B = 0b10: outer write-back write-allocate, inner write-through; shareable.
    memory.set(0x4000, 0x00000c02 | (5 << 12) | (2 << 2) | (1 << 16));
    bank.mcr(CPR, 0x1000);
    expect(bank.mrc(PAR)).toBe(0x00001000 | (1 << 9) | (1 << 7) | (6 << 4) | (1 << 2));
    memory.set(0x4000, 0x00000c02);
    bank.mcr(CPR, 0x1000);
    expect(bank.mrc(PAR)).toBe(0x00001000 | (1 << 9) | (1 << 7) | (1 << 4));
  });

  it('64 bits: LPAE, 40 bits of address, SH and the MAIR byte', () => {
    const { memory, mmu, bank } = testMachine();
    bank.mcr(TTBCR, 0x80000000);
    mmu.registers.ttbr0(0x4000, 0);
    bank.mcr(PRRR, 0x0000ff00);
    bank.mcr(SCTLR, ON);
    memory.set64(0x4000, 0x40000000 | 0x400 | (3 << 8) | (1 << 2) | 1, 0x21);
    bank.mcr(CPW, 0x12345678);
    expect(bank.mrrc('0,c7')).toEqual([0x52345000 | 0x800 | 0x200 | (3 << 7), 0xff000021]);
    bank.mcr(CUR, 0x12345678);
    expect(bank.mrrc('0,c7')).toEqual([0x800 | (0x0d << 1) | 1, 0]);
  });

  it('an external abort on the walk is an abort of the instruction, if somebody takes it', () => {
    const aborts: number[][] = [];
    const m = machine({ onTranslationAbort: (va, status) => aborts.push([va, status]) });
    m.memory.limit = 0x1000;
    m.bank.mcr(PAR, 0x55);
    m.bank.mcr(CPR, 0x1234);
    expect(aborts).toEqual([[0x1234, 0xc]]);
    expect(m.bank.mrc(PAR)).toBe(0x55);
    const silent = machine();
    silent.memory.limit = 0x1000;
    silent.bank.mcr(CPR, 0x1234);
    expect(silent.bank.mrc(PAR)).toBe((0xc << 1) | 1);
  });
});

describe('registers', () => {
  it('SCTLR keeps the bits that nobody can write', () => {
    const changes: string[] = [];
    const { bank, mmu } = testMachine({
      onControlChange: (changed, sctlr) => changes.push(`${changed.toString(16)} ${sctlr.toString(16)}`),
    });
    expect(bank.mrc(SCTLR)).toBe(0x00c50078);
    bank.mcr(SCTLR, 0);
    expect(bank.mrc(SCTLR)).toBe(0x00c50058);
    bank.mcr(SCTLR, 0x10c5387d);
    expect(bank.mrc(SCTLR)).toBe(0x10c5387d);
    expect([mmu.highVectors, mmu.alignmentCheck, mmu.enabled, mmu.instructionCacheEnabled, mmu.exceptionThumb]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(changes).toEqual(['20 c50058', '10003825 10c5387d']);
  });

  it('TTBCR has the bits of its format', () => {
    const { bank } = testMachine();
    bank.mcr(TTBCR, 0x7fffffff);
    expect(bank.mrc(TTBCR)).toBe(7);
    bank.mcr(TTBCR, 0xffffffff);
    expect(bank.mrc(TTBCR)).toBe(0xffc73f87);
    const secure = testMachine({ securityExtensions: true });
    secure.bank.mcr(TTBCR, 0x37);
    expect(secure.bank.mrc(TTBCR)).toBe(0x37);
    const short = testMachine({ longDescriptors: false });
    short.bank.mcr(TTBCR, 0x80000001);
    expect(short.bank.mrc(TTBCR)).toBe(1);
    expect(short.bank.wide.size).toBe(0);
  });

  it('32-bit and 64-bit accesses of TTBR0 see one register', () => {
    const { bank } = testMachine();
    bank.wide.get('0,c2')?.write?.(0x12345678, 0x00ab00cd);
    expect(bank.mrc(TTBR0)).toBe(0x12345678);
    bank.mcr(TTBR0, 0x87654321);
    expect(bank.mrrc('0,c2')).toEqual([0x87654321, 0x00ab00cd]);
  });

  it('snapshot and restore, to another instance too; a foreign one changes nothing', () => {
    const { bank, mmu } = machine();
    bank.mcr(CONTEXTIDR, 0x1234);
    bank.mcr('0,c7,c8,0', 0x1000);
    const saved = structuredClone(mmu.snapshot());
    const other = testMachine();
    other.mmu.restore(saved);
    other.memory.set(0x4000, 0x00000c02);
    expect(other.mmu.snapshot()).toEqual(saved);
    expect(other.mmu.asid).toBe(0x34);
    expect(other.mmu.translate(0x1234, ACCESS_WRITE, true)).toBe(true);
    expect(other.port.take()).toEqual(['all']);
    expect(() => other.mmu.restore({ ...saved, version: 1 })).toThrow('[mmu] [vmsav7] cannot restore mmu/vmsav7 version 1');
    other.mmu.reset();
    expect(other.bank.mrc(SCTLR)).toBe(0x00c50078);
    expect(other.bank.mrc(CONTEXTIDR)).toBe(0);
  });

  it('refuses a second fast table and a TLB of another contract', () => {
    const { mmu, port, memory } = testMachine();
    expect(() => mmu.connect(port)).toThrow('[mmu] [vmsav7]');
    const tlb = { ...noneTlb(), name: 'old', contract: 0 } as unknown as Tlb;
    expect(() => new Vmsav7({ memory, tlb })).toThrow('[mmu] [old]');
  });
});

/** Two entries, first in first out. */
function twoEntryTlb(): Tlb {
  const arena = new Uint32Array(16);
  let next = 0;
  const valid = (o: number): boolean => (arena[o + 1] & TLB_ENTRY_VALID) !== 0;
  const covers = (o: number, va: number): boolean => valid(o) && (va & (0xffffffff << (arena[o + 1] & 0xff))) >>> 0 === arena[o];
  const ofAsid = (o: number, asid: number): boolean => ((arena[o + 1] >>> 8) & 0xff) === asid;
  const isGlobal = (o: number): boolean => (arena[o + 1] & TLB_ENTRY_GLOBAL) !== 0;
  const drop = (test: (o: number) => boolean, sink: TlbEvictionSink): void => {
    for (const o of [0, 8]) {
      if (!valid(o) || !test(o)) continue;
      sink.evicted(arena, o);
      arena[o + 1] = 0;
    }
  };
  return {
    ...noneTlb(),
    name: 'two',
    arena,
    lookup: (va, asid) => [0, 8].find((o) => covers(o, va) && (isGlobal(o) || ofAsid(o, asid))) ?? -1,
    insert(entry, _fetch, sink) {
      drop((o) => o === next, sink);
      arena.set(entry, next);
      next = 8 - next;
    },
    invalidateAll: (_side, sink) => drop(() => true, sink),
    invalidateMva: (va, asid, _side, sink) => drop((o) => covers(o, va) && (isGlobal(o) || ofAsid(o, asid)), sink),
    invalidateAsid: (asid, _side, sink) => drop((o) => !isGlobal(o) && ofAsid(o, asid), sink),
    invalidateMvaAllAsid: (va, _side, sink) => drop((o) => covers(o, va), sink),
    entries: () => [0, 8].filter(valid),
  };
}

describe('with a TLB model', () => {
  it('a held entry hides the tables until it is invalidated', () => {
    const { memory, mmu, bank, port } = machine({ tlb: twoEntryTlb() });
    memory.set(0x4000 + 0x123 * 4, 0x00040c02 | (0x9 << 5) | 0xa0000000 | 0x18000);
    const look = (va: number): number => (mmu.translate(va, ACCESS_READ, false) ? mmu.translation.pa : -1);
    expect(look(0x12345678)).toBe(0x90a0345678);
    const first = { ...mmu.translation };
    const reads = memory.reads;
    expect(look(0x12345678)).toBe(0x90a0345678);
    expect(mmu.translation).toEqual(first);
    expect(memory.reads).toBe(reads);
    memory.set(0x4000 + 0x123 * 4, 0);
    expect(look(0x12000000)).toBe(0x90a0000000);
    port.take();
    bank.mcr('0,c8,c7,1', 0x12f00000);
    expect(port.take()).toEqual(['entry 12000000 24', 'page 12000000 24']);
    expect(look(0x12345678)).toBe(-1);
  });

  it('permissions are those of now, not of when the entry was made', () => {
    const { mmu, bank } = machine({ tlb: twoEntryTlb() });
    expect(mmu.translate(0x1000, ACCESS_READ, true)).toBe(true);
    bank.mcr(DACR, 0);
    expect(mmu.translate(0x1000, ACCESS_READ, true)).toBe(false);
    expect(mmu.fault).toMatchObject({ status: 0x9, level: 1, descriptorAddress: 0x4000 });
  });

  it('an eviction drops what was made from the entry; an ASID sees its own', () => {
    const { mmu, bank, port, memory } = machine({ tlb: twoEntryTlb() });
    const look = (va: number): boolean => mmu.translate(va, ACCESS_READ, true);
    look(0x00100000);
    look(0x00210000);
    port.take();
    look(0x01000000);
    expect(port.take()).toEqual(['entry 100000 20']);
    look(0x00100000);
    port.take();
    bank.mcr(CONTEXTIDR, 9);
    memory.set(0x4004, 0);
    expect(look(0x00100000)).toBe(false);
    bank.mcr(CONTEXTIDR, 0);
    expect(look(0x00100000)).toBe(true);
    port.take();
    bank.mcr('0,c8,c7,2', 0);
    expect(port.take()).toEqual(['entry 100000 20', 'asid 0']);
    expect(look(0x00100000)).toBe(false);
  });

  it('is told which side an access and an operation are of', () => {
    const calls: string[] = [];
    const tlb: Tlb = {
      ...noneTlb(),
      lookup: (_va, _asid, fetch) => {
        calls.push(`lookup ${fetch}`);
        return -1;
      },
      insert: (_entry, fetch) => calls.push(`insert ${fetch}`),
      invalidateAll: (side) => calls.push(`all ${side}`),
      invalidateMva: (va, asid, side) => calls.push(`mva ${va.toString(16)} ${asid} ${side}`),
      invalidateAsid: (asid, side) => calls.push(`asid ${asid} ${side}`),
      invalidateMvaAllAsid: (va, side) => calls.push(`mvaa ${va.toString(16)} ${side}`),
      reset: () => calls.push('reset'),
    };
    const { mmu, bank } = machine({ tlb });
    mmu.translate(0, ACCESS_FETCH, true);
    mmu.translate(0, ACCESS_WRITE, true);
    for (const crm of [3, 5, 6, 7]) for (const opc2 of [0, 1, 2]) bank.mcr(`0,c8,c${crm},${opc2}`, 0x80001042);
    bank.mcr('0,c8,c7,3', 0x80001042);
    mmu.reset();
    expect(calls).toEqual([
      ...['lookup true', 'insert true', 'lookup false', 'insert false'],
      ...[3, 1, 2, 3].flatMap((side) => [`all ${side}`, `mva 80001000 66 ${side}`, `asid 66 ${side}`]),
      ...['mvaa 80001000 3', 'reset'],
    ]);
  });

  it('`none` walks each time', () => {
    const { mmu, memory } = machine({ tlb: noneTlb() });
    mmu.translate(0x1000, ACCESS_READ, true);
    memory.set(0x4000, 0);
    expect(mmu.translate(0x1000, ACCESS_READ, true)).toBe(false);
  });
});

describe('a bank that has the encoding already', () => {
  it('is told twice and throws', () => {
    const { mmu } = testMachine();
    const bank = new TestBank();
    mmu.defineRegisters(bank);
    expect(() => mmu.defineRegisters(bank)).toThrow('defined twice');
  });
});
