import type { AccessPort, StateViews } from '@tablewalk/engine';
import { ClosureCompiler, Frame, layout, ops } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import type { CoreProfile } from '../../profiles/profile.js';
import { ArmBuilder } from '../arm-builder.js';
import { DecodeTable } from '../decode-table.js';
import type { InstructionSet } from '../encoding.js';
import { encodings } from './index.js';

/* One instruction at a time through the closures, over 64 KiB of memory whose upper half faults and a core that keeps a log of what it is asked. */

const CODE = 0x1000;
const LIMIT = 0x8000;

class Fault extends Error {}

const tables: Readonly<Record<InstructionSet, DecodeTable>> = {
  A32: new DecodeTable('A32', encodings),
  T32: new DecodeTable('T32', encodings),
  T16: new DecodeTable('T16', encodings),
};

interface Options {
  readonly regs?: Readonly<Record<number, number>>;
  readonly words?: Readonly<Record<number, number>>;
  readonly user?: boolean;
  readonly bigEndian?: boolean;
  readonly virtualization?: boolean;
  readonly core?: Readonly<Record<string, unknown>>;
}

interface Outcome {
  readonly r: readonly number[];
  readonly state: Int32Array;
  readonly word: (address: number) => number;
  /** Calls on the core and accesses, in order: `load 2000/4`. */
  readonly log: readonly string[];
  readonly faulted: boolean;
  /** Effects: statements that the instruction became. */
  readonly statements: number;
  readonly code: readonly number[];
}

const run = (isa: InstructionSet, word: number, options: Options = {}): Outcome => {
  const buffer = new ArrayBuffer(layout.STATE_BYTES);
  const state = new Int32Array(buffer);
  state.fill(layout.FAST_INVALID, layout.FAST_TABLE_PL1 / 4);
  for (const [n, value] of Object.entries(options.regs ?? {})) state[Number(n)] = value;
  state[layout.PC] = CODE;
  state[layout.PAGE_VA] = CODE;
  const memory = new DataView(new ArrayBuffer(0x10000));
  for (const [address, value] of Object.entries(options.words ?? {})) memory.setInt32(Number(address), value, true);
  const log: string[] = [];
  const check = (va: number, size: number, flags: number): void => {
    if (va + size > LIMIT) throw new Fault('translation');
    if (flags & ops.MEM_ALIGNED && va & (size - 1)) throw new Fault('alignment');
  };
  const note = (kind: string, va: number, flags: number): void => {
    log.push(`${kind} ${va.toString(16)}/${flags & ops.MEM_SIZE}${flags & ops.MEM_UNPRIVILEGED ? 'u' : ''}`);
  };
  const swapped = (value: number): number => new DataView(Int32Array.of(value).buffer).getInt32(0, false);
  const access: AccessPort = {
    frame: new Frame(),
    load(va, flags) {
      const size = flags & ops.MEM_SIZE;
      note('load', va, flags);
      check(va, size, flags);
      const little = (flags & ops.MEM_SWAP) === 0;
      if (size === 1) return flags & ops.MEM_SIGNED ? memory.getInt8(va) : memory.getUint8(va);
      if (size === 2) return flags & ops.MEM_SIGNED ? memory.getInt16(va, little) : memory.getUint16(va, little);
      return memory.getInt32(va, little);
    },
    store(va, flags, value) {
      const size = flags & ops.MEM_SIZE;
      note('store', va, flags);
      check(va, size, flags);
      const little = (flags & ops.MEM_SWAP) === 0;
      if (size === 1) memory.setInt8(va, value);
      else if (size === 2) memory.setInt16(va, value, little);
      else memory.setInt32(va, value, little);
    },
    loadMultiple(va, list, flags) {
      note(`load*${list.length}`, va, flags);
      check(va, 4, flags);
      check(va, 4 * list.length, 0);
      list.forEach((target, i) => {
        state[target] = flags & ops.MEM_SWAP ? swapped(memory.getInt32(va + 4 * i, true)) : memory.getInt32(va + 4 * i, true);
      });
    },
    storeMultiple(va, values, count, flags) {
      note(`store*${count}`, va, flags);
      check(va, 4, flags);
      check(va, 4 * count, 0);
      for (let i = 0; i < count; i++) memory.setInt32(va + 4 * i, flags & ops.MEM_SWAP ? swapped(values[i]!) : values[i]!, true);
    },
    exchange(target) {
      log.push(`exchange ${(target >>> 0).toString(16)}`);
      state[layout.PC] = target & ~1;
    },
  };
  // Every method that a kernel calls is logged with its arguments, and answers what the test says.
  const core = new Proxy(options.core ?? {}, {
    get(target, name) {
      const answer = target[name as string];
      if (['mode', 'pairHigh', 'pairLow', 'swapEnabled'].includes(name as string)) return answer;
      return (...args: number[]) => {
        log.push([name as string, ...args.map((value) => (typeof value === 'number' ? (value >>> 0).toString(16) : value))].join(' '));
        if (name === 'leave') throw new Fault('left');
        return answer;
      };
    },
  });
  const views = { words: state, u32: new Uint32Array(buffer) } as unknown as StateViews;
  const compiler = new ClosureCompiler({
    state: views,
    m8: new Uint8Array(0),
    m16: new Uint16Array(0),
    m32: new Int32Array(0),
    access,
    core: core as never,
    bound: new Map(),
  });
  const profile = { features: new Set(), id: { ID_PFR1: options.virtualization ? 0x1000 : 0 } } as unknown as CoreProfile;
  const b = new ArmBuilder(profile);
  const thumb = isa !== 'A32';
  b.setMode({
    thumb,
    bigEndian: options.bigEndian ?? false,
    privileged: !options.user,
    vfpEnabled: true,
    simdEnabled: true,
    shortVectors: false,
    alignmentChecked: false,
  });
  const decoded = tables[isa].decode(word);
  if (decoded === undefined) throw new Error(`${isa} ${word.toString(16)} is not an instruction`);
  b.offset = 0;
  b.size = isa === 'T16' ? 2 : 4;
  b.word = word;
  b.instruction(0, b.size, 0);
  decoded.entry.encoding.semantics(b, decoded.fields);
  if (!b.ended) b.goto(b.size);
  const block = compiler.compile(b, !options.user, thumb);
  let faulted = false;
  try {
    for (const statement of block.statements) statement();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    faulted = true;
  }
  return {
    r: Array.from(state.subarray(0, 16), (value) => value >>> 0),
    state,
    word: (address) => memory.getUint32(address, true),
    log,
    faulted,
    statements: block.statements.length,
    code: Array.from({ length: b.count }, (_, i) => b.code[i * ops.STRIDE]!),
  };
};

describe('single loads and stores', () => {
  const at = { words: { 8196: 0x8899aabb, 8188: 0x11223344 } };

  it('LDR is three micro-operations and the constant of its offset', () => {
    const out = run('A32', 0xe5910004, { regs: { 1: 0x2000 }, ...at });
    expect(out.r[0]).toBe(0x8899aabb);
    expect(out.code).toEqual([ops.GET_REG, ops.CONST, ops.ADD, ops.LOAD, ops.SET_REG, ops.GOTO]);
  });
  it('LDRB, LDRH, LDRSB and LDRSH extend', () => {
    expect(run('A32', 0xe5d10004, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0xbb);
    expect(run('A32', 0xe1d100b4, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0xaabb);
    expect(run('A32', 0xe1d100d4, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0xffffffbb);
    expect(run('A32', 0xe1d100f4, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0xffffaabb);
  });
  it('indexes before and after, up and down', () => {
    expect(run('A32', 0xe5310004, { regs: { 1: 0x2000 }, ...at }).r.slice(0, 2)).toEqual([0x11223344, 0x1ffc]);
    expect(run('A32', 0xe4910008, { regs: { 1: 0x2004 }, ...at }).r.slice(0, 2)).toEqual([0x8899aabb, 0x200c]);
    expect(run('A32', 0xe4110008, { regs: { 1: 0x2004 }, ...at }).r.slice(0, 2)).toEqual([0x8899aabb, 0x1ffc]);
  });
  it('adds every kind of shifted index', () => {
    const address = (word: number, index: number, carry = 0): string =>
      run('A32', word, { regs: { 1: 0x2000, 2: index, [layout.FLAG_C]: carry } }).log[0]!;
    expect(address(0xe7910102, 3)).toBe('load 200c/4'); // lsl #2
    expect(address(0xe7110102, 3)).toBe('load 1ff4/4'); // -, lsl #2
    expect(address(0xe7910022, -1)).toBe('load 2000/4'); // lsr #32
    expect(address(0xe7910042, -4)).toBe('load 1fff/4'); // asr #32
    expect(address(0xe7910242, -64)).toBe('load 1ffc/4'); // asr #4
    expect(address(0xe7910462, 0x20000000 >>> 20)).toBe('load 2002/4'); // ror #8
    expect(address(0xe7110062, 0x20, 0)).toBe('load 1ff0/4'); // -, rrx
    expect(run('A32', 0xe7910062, { regs: { 1: 0x80002000 | 0, 2: 0x20, [layout.FLAG_C]: 1 } }).log[0]).toBe('load 2010/4');
  });
  it('keeps the index of before when it is also the destination', () => {
    // ldr r2, [r1], r2
    expect(run('A32', 0xe6912002, { regs: { 1: 0x2004, 2: 0x10 }, ...at }).r.slice(1, 3)).toEqual([0x2014, 0x8899aabb]);
  });
  it('a fault leaves base and destination alone', () => {
    const out = run('A32', 0xe5b10004, { regs: { 0: 7, 1: LIMIT } });
    expect(out.faulted).toBe(true);
    expect(out.r.slice(0, 2)).toEqual([7, LIMIT]);
    expect(run('A32', 0xe5a10004, { regs: { 1: LIMIT } }).r[1]).toBe(LIMIT);
  });
  it('LDR of PC changes the instruction set by bit 0, after the write-back', () => {
    // ldr pc, [r1], #4
    const out = run('A32', 0xe491f004, { regs: { 1: 0x2000 }, words: { 8192: 0x3001 } });
    expect(out.log).toEqual(['load 2000/4', 'exchange 3001']);
    expect(out.r[1]).toBe(0x2004);
    expect(run('A32', 0xe491f004, { regs: { 1: 0x2000 }, words: { 8192: 0x3000 } }).r[15]).toBe(0x3000);
  });
  it('literals count from the aligned PC', () => {
    expect(run('A32', 0xe59f0004).log[0]).toBe('load 100c/4');
    expect(run('A32', 0xe51f0004).log[0]).toBe('load 1004/4');
    expect(run('T16', 0x4801).log[0]).toBe('load 1008/4');
    expect(run('T32', 0xf85f0004).log[0]).toBe('load 1000/4');
  });
  it('STR of PC stores the address + 8', () => {
    expect(run('A32', 0xe581f000, { regs: { 1: 0x2000 } }).word(0x2000)).toBe(CODE + 8);
  });
  it('T32 and T16 forms', () => {
    expect(run('T32', 0xf8d10004, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0x8899aabb);
    expect(run('T32', 0xf8510c04, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0x11223344);
    expect(run('T32', 0xf8510d04, { regs: { 1: 0x2000 }, ...at }).r.slice(0, 2)).toEqual([0x11223344, 0x1ffc]);
    expect(run('T32', 0xf8010904, { regs: { 0: 0x55, 1: 0x2000 } }).log[0]).toBe('store 2000/1');
    expect(run('T32', 0xf8510032, { regs: { 1: 0x2000, 2: 2 } }).log[0]).toBe('load 2010/4');
    expect(run('T16', 0x6848, { regs: { 1: 0x2000 }, ...at }).r[0]).toBe(0x8899aabb);
    expect(run('T16', 0x9801, { regs: { 13: 0x2000 }, ...at }).r[0]).toBe(0x8899aabb);
    expect(run('T16', 0x5688, { regs: { 1: 0x2000, 2: 4 }, ...at }).r[0]).toBe(0xffffffbb);
  });
  it('unprivileged forms ask as PL0', () => {
    expect(run('A32', 0xe4b10004, { regs: { 1: 0x2000 } }).log[0]).toBe('load 2000/4u');
    expect(run('A32', 0xe4a10004, { regs: { 1: 0x2000 } }).log[0]).toBe('store 2000/4u');
    expect(run('T32', 0xf8510e04, { regs: { 1: 0x2000 } }).log[0]).toBe('load 2004/4u');
    expect(run('A32', 0xe0f100b4, { regs: { 1: 0x2000 } })).toMatchObject({ log: ['load 2000/2u'] });
  });
  it('big-endian data is reversed, bytes are not', () => {
    expect(run('A32', 0xe5910004, { regs: { 1: 0x2000 }, bigEndian: true, ...at }).r[0]).toBe(0xbbaa9988);
    expect(run('A32', 0xe5d10004, { regs: { 1: 0x2000 }, bigEndian: true, ...at }).r[0]).toBe(0xbb);
  });
  it('hints touch nothing', () => {
    for (const word of [0xf5d1f004, 0xf591f004, 0xf4d1f004, 0xf7d1f002, 0xf5dff004])
      expect(run('A32', word, { regs: { 1: LIMIT } }).log).toEqual([]);
    for (const word of [0xf891f004, 0xf811fc04, 0xf991f004, 0xf831f002, 0xf8bff004, 0xf93ff004]) {
      expect(run('T32', word, { regs: { 1: LIMIT } }).log).toEqual([]);
    }
  });
});

describe('doublewords', () => {
  const words = { 8192: 1, 8196: 2 };
  it('LDRD and STRD move two words, low address first', () => {
    expect(run('A32', 0xe1c100d0, { regs: { 1: 0x2000 }, words }).r.slice(0, 2)).toEqual([1, 2]);
    expect(run('T32', 0xe8f20102, { regs: { 2: 0x2000 }, words }).r.slice(0, 3)).toEqual([1, 2, 0x2008]);
    const out = run('A32', 0xe16420f8, { regs: { 2: 5, 3: 6, 4: 0x2008 } });
    expect([out.word(0x2000), out.word(0x2004), out.r[4]]).toEqual([5, 6, 0x2000]);
  });
  it('index register in the destination is read before', () => {
    // ldrd r2, r3, [r4], r2
    expect(run('A32', 0xe08420d2, { regs: { 2: 0x10, 4: 0x2000 }, words }).r.slice(2, 5)).toEqual([1, 2, 0x2010]);
  });
  it('needs word alignment, and an even register in A32', () => {
    expect(run('A32', 0xe1c100d0, { regs: { 0: 9, 1: 0x2002 } })).toMatchObject({ faulted: true });
    expect(run('A32', 0xe1c110d0, { regs: { 1: 0x2000 } }).log).toEqual(['takeUndefined']);
  });
});

describe('multiples', () => {
  const words = { 8192: 0x10, 8196: 0x20, 8200: 0x3001, 8204: 0x40 };
  const list = 0b0000_0000_0001_0110; // r1, r2, r4
  it('LDM in the four directions', () => {
    const word = (pu: number): number => (0xe8300000 | (pu << 23) | list) >>> 0;
    expect(run('A32', word(1), { regs: { 0: 0x2000 } }).log).toEqual(['load*3 2000/4']);
    expect(run('A32', word(3), { regs: { 0: 0x2000 } }).log).toEqual(['load*3 2004/4']);
    expect(run('A32', word(0), { regs: { 0: 0x2008 } }).log).toEqual(['load*3 2000/4']);
    expect(run('A32', word(2), { regs: { 0: 0x200c } }).log).toEqual(['load*3 2000/4']);
    const up = run('A32', word(1), { regs: { 0: 0x2000 }, words });
    expect([up.r[0], up.r[1], up.r[2], up.r[4]]).toEqual([0x200c, 0x10, 0x20, 0x3001]);
    expect(run('A32', word(0), { regs: { 0: 0x2008 }, words }).r[0]).toBe(0x1ffc);
  });
  it('a fault writes neither registers nor base', () => {
    const out = run('A32', 0xe8b0000e, { regs: { 0: LIMIT - 4, 1: 1, 2: 2, 3: 3 } });
    expect(out).toMatchObject({ faulted: true });
    expect(out.r.slice(0, 4)).toEqual([LIMIT - 4, 1, 2, 3]);
  });
  it('PUSH and POP', () => {
    const push = run('T16', 0xb510, { regs: { 4: 4, 13: 0x2008, 14: 0xe } });
    expect([push.word(0x2000), push.word(0x2004), push.r[13]]).toEqual([4, 0xe, 0x2000]);
    const pop = run('T16', 0xbd10, { regs: { 13: 0x2004 }, words });
    expect([pop.r[4], pop.r[13], pop.r[15]]).toEqual([0x20, 0x200c, 0x3000]);
    expect(run('A32', 0xe8bd8010, { regs: { 13: 0x2004 }, words }).log.at(-1)).toBe('exchange 3001');
    expect(run('A32', 0xe52d4004, { regs: { 4: 4, 13: 0x2004 } }).r[13]).toBe(0x2000);
    expect(run('A32', 0xe49d4004, { regs: { 13: 0x2004 }, words }).r[4]).toBe(0x20);
  });
  it('the base in the list: loaded value stays, stored value is the old one', () => {
    expect(run('A32', 0xe8900003, { regs: { 0: 0x2000 }, words }).r.slice(0, 2)).toEqual([0x10, 0x20]);
    expect(run('T16', 0xc803, { regs: { 0: 0x2000 }, words }).r.slice(0, 2)).toEqual([0x10, 0x20]);
    expect(run('A32', 0xe8a00003, { regs: { 0: 0x2000, 1: 1 } }).word(0x2000)).toBe(0x2000);
  });
  it('must be aligned, whatever SCTLR.A says, with one register too', () => {
    expect(run('A32', 0xe8900006, { regs: { 0: 0x2002 } }).faulted).toBe(true);
    expect(run('A32', 0xe8900002, { regs: { 0: 0x2002 } }).faulted).toBe(true);
    expect(run('T16', 0xb401, { regs: { 13: 0x2002 } }).faulted).toBe(true);
  });
  it('User registers', () => {
    // ldm r0, {r1, r8, lr}^ and stm
    expect(run('A32', 0xe8d04102, { regs: { 0: 0x2000 }, words }).log).toEqual([
      'load*3 2000/4',
      'writeBanked 10 8 20',
      'writeBanked 10 e 3001',
    ]);
    const out = run('A32', 0xe8c04102, { regs: { 0: 0x2000, 1: 1 }, core: { readBanked: 77 } });
    expect([out.word(0x2000), out.word(0x2004), out.word(0x2008)]).toEqual([1, 77, 77]);
    expect(run('A32', 0xe8d04102, { regs: { 0: 0x2000 }, user: true }).log).toEqual(['takeUndefined']);
  });
  it('exception return: write-back first, then PC and CPSR', () => {
    // ldm sp!, {r0, pc}^
    const out = run('A32', 0xe8fd8001, { regs: { 13: 0x2000 }, words, core: { readSpsr: 0x10 } });
    expect(out.r[0]).toBe(0x10);
    expect(out.r[13]).toBe(0x2008);
    expect(out.log).toEqual(['load*2 2000/4', 'readSpsr', 'exceptionReturn 20 10']);
  });
  it('lists that QEMU refuses are UNDEFINED', () => {
    for (const word of [0xe8b00001, 0xe8900000, 0xe89f0006]) expect(run('A32', word).log).toEqual(['takeUndefined']);
    expect(run('T32', 0xe8900002).log).toEqual(['takeUndefined']);
    expect(run('T16', 0xb400).log).toEqual(['takeUndefined']);
  });
});

describe('exclusives', () => {
  it('LDREX marks, then loads', () => {
    const out = run('A32', 0xe1910f9f, { regs: { 1: 0x2000 }, words: { 8192: 5 } });
    expect(out.log).toEqual(['markExclusive 2000 4', 'load 2000/4']);
    expect(out.r[0]).toBe(5);
    expect(run('A32', 0xe1b10f9f, { regs: { 1: 0x2000 } }).log).toEqual(['markExclusive 2000 8', 'load*2 2000/4']);
    expect(run('T32', 0xe8510f02, { regs: { 1: 0x2000 } }).log[0]).toBe('markExclusive 2008 4');
  });
  it('STREX stores and gives 0, or gives 1', () => {
    const yes = run('A32', 0xe1812f90, { regs: { 0: 9, 1: 0x2000, 2: 7 }, core: { claimExclusive: true } });
    expect([yes.r[2], yes.word(0x2000)]).toEqual([0, 9]);
    const no = run('A32', 0xe1812f90, { regs: { 0: 9, 1: 0x2000, 2: 7 }, core: { claimExclusive: false } });
    expect([no.r[2], no.word(0x2000)]).toEqual([1, 0]);
    const pair = run('T32', 0xe8c40172, { regs: { 0: 1, 1: 2, 4: 0x2000 }, core: { claimExclusive: true } });
    expect([pair.word(0x2000), pair.word(0x2004), pair.r[2]]).toEqual([1, 2, 0]);
  });
  it('refuses overlapping registers', () => {
    expect(run('A32', 0xe1810f90).log).toEqual(['takeUndefined']);
    expect(run('A32', 0xe1b11f9f).log).toEqual(['takeUndefined']);
  });
  it('SWP only while SCTLR.SW is set', () => {
    const on = run('A32', 0xe1020091, { regs: { 1: 9, 2: 0x2000 }, words: { 8192: 5 }, core: { swapEnabled: true } });
    expect([on.r[0], on.word(0x2000)]).toEqual([5, 9]);
    expect(run('A32', 0xe1020091, { core: { swapEnabled: false } }).log).toEqual(['takeUndefined', 'leave']);
  });
});

describe('status registers', () => {
  it('MSR of the flags is plain state and does not end the block', () => {
    const out = run('A32', 0xe128f000, { regs: { 0: 0xa8000000 | 0 } });
    expect(out.log).toEqual([]);
    const { state } = out;
    expect([
      state[layout.FLAG_N]! < 0,
      state[layout.FLAG_Z] === 0,
      state[layout.FLAG_C],
      state[layout.FLAG_V]! < 0,
      state[layout.FLAG_Q],
    ]).toEqual([true, false, 1, false, 1]);
    const known = run('A32', 0xe328f205); // msr CPSR_f, #0x50000000
    expect([known.state[layout.FLAG_Z], known.state[layout.FLAG_V]! < 0, known.state[layout.FLAG_Q]]).toEqual([0, true, 0]);
    expect(run('A32', 0xe124f000, { regs: { 0: 0x50000 } }).state[layout.FLAG_GE]).toBe(5);
  });
  it('MSR of the control bits: all of them privileged, E alone in User mode, never T', () => {
    expect(run('A32', 0xe121f000, { regs: { 0: 0x33 } }).log).toEqual(['writeCpsr 33 df']);
    expect(run('A32', 0xe12ff000).log).toEqual(['writeCpsr 0 f80f03df']);
    expect(run('A32', 0xe121f000, { user: true }).log).toEqual([]);
    expect(run('A32', 0xe12ff000, { user: true }).log).toEqual(['writeCpsr 0 f80f0200']);
    expect(run('A32', 0xe121f000).r[15]).toBe(CODE + 4);
  });
  it('MRS hides the execution state; SPSR is privileged', () => {
    expect(run('A32', 0xe10f0000, { core: { readCpsr: 0xffffffff } }).r[0]).toBe(0xf8ff03df);
    expect(run('A32', 0xe14f0000, { core: { readSpsr: 0xffffffff } }).r[0]).toBe(0xffffffff);
    expect(run('A32', 0xe14f0000, { user: true }).log).toEqual(['takeUndefined']);
    expect(run('A32', 0xe16ff000, { user: true }).log).toEqual(['takeUndefined']);
    expect(run('T32', 0xf3908900, { regs: { 0: -1 } }).log).toEqual(['writeSpsr ffffffff ff0000ff']);
  });
  it('banked registers need the Virtualization Extensions', () => {
    expect(run('A32', 0xe1010300).log).toEqual(['takeUndefined']); // mrs r0, SP_irq
    expect(run('A32', 0xe1010300, { virtualization: true, core: { mode: 0x13, readBanked: 3 } })).toMatchObject({
      log: ['readBanked 12 d'],
    });
    expect(run('A32', 0xe1010300, { virtualization: true, core: { mode: 0x12 } }).log).toEqual(['takeUndefined', 'leave']);
    expect(run('T32', 0xf3818e30, { virtualization: true, core: { mode: 0x13 } }).log).toEqual(['writeBanked 1a e 0']); // msr ELR_hyp, r1
  });
  it('CPS and SETEND', () => {
    expect(run('A32', 0xf10c00c0).log).toEqual(['writeCpsr c0 c0']);
    expect(run('A32', 0xf10a0093).log).toEqual(['writeCpsr 13 9f']);
    expect(run('A32', 0xf1020013).log).toEqual(['writeCpsr 13 1f']);
    expect(run('T16', 0xb672).log).toEqual(['writeCpsr 80 80']);
    expect(run('T16', 0xb662).log).toEqual(['writeCpsr 0 80']);
    expect(run('A32', 0xf10c00c0, { user: true }).log).toEqual([]);
    expect(run('A32', 0xf1010200).log).toEqual(['writeCpsr 200 200']);
    expect(run('A32', 0xf1010000).log).toEqual([]);
  });
  it('RFE and SRS', () => {
    const rfe = run('A32', 0xf8b00a00, { regs: { 0: 0x2000 }, words: { 8192: 0x3000, 8196: 0x10 } });
    expect(rfe.log).toEqual(['load*2 2000/4', 'exceptionReturn 3000 10']);
    expect(rfe.r[0]).toBe(0x2008);
    const srs = run('A32', 0xf96d0513, { regs: { 14: 0xe }, core: { mode: 0x12, readBanked: 0x2008, readSpsr: 0x13 } }); // srsdb sp!, #19
    expect([srs.word(0x2000), srs.word(0x2004)]).toEqual([0xe, 0x13]);
    expect(srs.log.at(-1)).toBe('writeBanked 13 d 2000');
    expect(run('A32', 0xf96d0510).log).toEqual(['takeUndefined']);
  });
});

describe('coprocessor registers', () => {
  it('MRC and MCR by key; a write ends the block', () => {
    const read = run('A32', 0xee110f10, { core: { readSystemRegister: 0xc50078 } });
    expect(read.log).toEqual(['readSystemRegister f0100']);
    expect(read.r[0]).toBe(0xc50078);
    const write = run('A32', 0xee272f95, { regs: { 2: 5 } }); // mcr p15, 1, r2, c7, c5, 4
    expect(write.log).toEqual(['writeSystemRegister f1754 5']);
    expect(write.r[15]).toBe(CODE + 4);
  });
  it('MRC to PC sets the condition flags', () => {
    const { state } = run('A32', 0xee10fe11, { core: { readSystemRegister: 0x60000000 } });
    expect([state[layout.FLAG_N]! < 0, state[layout.FLAG_Z], state[layout.FLAG_C], state[layout.FLAG_V]! < 0]).toEqual([
      false,
      0,
      1,
      false,
    ]);
  });
  it('MRRC and MCRR', () => {
    const read = run('A32', 0xec532f1e, { core: { pairLow: 1, pairHigh: 2 } });
    expect(read.log).toEqual(['readSystemRegister64 f001e']);
    expect(read.r.slice(2, 4)).toEqual([1, 2]);
    expect(run('T32', 0xec432f12, { regs: { 2: 1, 3: 2 } }).log).toEqual(['writeSystemRegister64 f0012 1 2']);
  });
  it('other coprocessors, and CDP, LDC and STC, are UNDEFINED', () => {
    for (const word of [0xee110710, 0xfe110f10, 0xee243f05, 0xed905e01]) expect(run('A32', word).log).toEqual(['takeUndefined']);
  });
});
