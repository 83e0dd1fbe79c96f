import { describe, expect, it } from 'vitest';
import { Builder } from '../builder.js';
import { ClosureCompiler } from '../closures/compile.js';
import type { AccessPort } from '../closures/environment.js';
import { Frame } from '../closures/environment.js';
import type { StateViews } from '../kernel.js';
import * as layout from '../layout.js';
import * as op from '../ops.js';
import { EXIT_RESYNC } from './exit-codes.js';
import type { InlineKernels } from './inline-kernels.js';
import { noInlineKernels } from './inline-kernels.js';
import { inlineLanes } from './inline-lanes.js';
import { accumulateKernel, DATA_VA, randomBlock, randomGroups, randomSource } from './random-block.test-helper.js';
import { singleBlock } from './region.js';
import type { RegionFunction } from './region-module.js';
import { instantiateRegions, RegionModuleBuilder } from './region-module.js';
import { ADD } from './simd-opcodes.js';
import { makeTrampoline } from './trampoline.js';

const PAGES = 9;
const BASE = 0x10000;
const DATA_HOST = BASE + Math.ceil(layout.STATE_BYTES / 65536) * 65536;
const PAGE_VA = 0x8000;

/** Used again and again, since a host takes long to make one: at most four machines are in use at a time. */
const memories = [0, 1, 2, 3].map(() => new WebAssembly.Memory({ initial: DATA_HOST / 65536 + 1 }));
let benches = 0;

/** A machine of one core: state, eight data pages of which four are in the fast table (one of them not for stores). */
class Bench {
  readonly memory = memories[benches++ & 3]!;
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly state: StateViews;
  readonly words: Int32Array;
  readonly port: AccessPort;
  exchanged: number | undefined;
  /** Slow accesses: what the fast table does not have. */
  misses = 0;
  private readonly view = new DataView(this.memory.buffer);

  constructor(seed: number) {
    const at = <T>(make: new (buffer: ArrayBuffer, offset: number) => T): T => new make(this.memory.buffer, BASE);
    this.words = at(Int32Array);
    this.state = {
      words: this.words,
      f32: at(Float32Array),
      f64: at(Float64Array),
      u32: at(Uint32Array),
      u8: at(Uint8Array),
      i8: at(Int8Array),
      u16: at(Uint16Array),
      i16: at(Int16Array),
    };
    this.bytes.fill(0);
    const random = randomSource(seed);
    for (let i = 0; i < 15; i++) this.words[i] = random(3) ? random(0xffffffff) : random(64);
    for (let i = layout.FLAG_N; i <= layout.FLAG_V; i++) this.words[i] = random(3) ? random(0xffffffff) : 0;
    this.words[layout.FLAG_C] = random(2);
    for (let i = 0; i < 64; i++) this.words[layout.D0 + i] = random(0xffffffff);
    this.words[layout.PAGE_VA] = PAGE_VA;
    this.words.fill(layout.JUMP_INVALID, layout.JUMP_TABLE / 4, layout.STATE_BYTES / 4);
    for (let i = 0; i < PAGES * 4096; i++) this.bytes[DATA_HOST + i] = random(256);
    for (const table of [layout.FAST_TABLE_PL1, layout.FAST_TABLE_PL0]) {
      this.words.fill(layout.FAST_INVALID, table >> 2, (table >> 2) + layout.FAST_TABLE_ENTRIES * layout.FAST_STRIDE);
      for (let page = 0; page < 4; page++) {
        if (page === 3 && table === layout.FAST_TABLE_PL0) continue;
        const va = DATA_VA + page * 4096;
        const entry = (table >> 2) + ((va >>> 10) & 0x3ffc);
        this.words[entry + layout.FAST_READ_TAG] = va;
        this.words[entry + layout.FAST_WRITE_TAG] = page === 2 ? layout.FAST_INVALID : va;
        this.words[entry + layout.FAST_ADDEND] = DATA_HOST - DATA_VA;
      }
    }
    this.port = {
      frame: new Frame(),
      load: (va, flags) => {
        this.misses++;
        return this.load(va, flags);
      },
      store: (va, flags, value) => {
        this.misses++;
        this.store(va, flags, value);
      },
      loadMultiple: (va, list, flags) => {
        this.misses++;
        const values = Array.from(list, (_, i) => this.load(va + 4 * i, flags));
        for (let i = 0; i < list.length; i++) this.words[list[i]!] = values[i]!;
      },
      storeMultiple: (va, values, count, flags) => {
        this.misses++;
        for (let i = 0; i < count; i++) this.store(va + 4 * i, flags, values[i]!);
      },
      exchange: (target) => {
        this.exchanged = target & 1 ? target & ~1 : target & ~3;
        this.words[layout.PC] = this.exchanged;
      },
    };
  }

  private host(va: number): number {
    return DATA_HOST + ((va - DATA_VA) & 0x7fff);
  }
  private load(va: number, flags: number): number {
    const size = flags & op.MEM_SIZE;
    const isSigned = (flags & op.MEM_SIGNED) !== 0;
    const little = (flags & op.MEM_SWAP) === 0;
    if (size === 1) return isSigned ? this.view.getInt8(this.host(va)) : this.view.getUint8(this.host(va));
    if (size === 2) return isSigned ? this.view.getInt16(this.host(va), little) : this.view.getUint16(this.host(va), little);
    return this.view.getInt32(this.host(va), little);
  }
  private store(va: number, flags: number, value: number): void {
    const size = flags & op.MEM_SIZE;
    const little = (flags & op.MEM_SWAP) === 0;
    if (size === 1) this.view.setUint8(this.host(va), value & 0xff);
    else if (size === 2) this.view.setUint16(this.host(va), value & 0xffff, little);
    else this.view.setInt32(this.host(va), value, little);
  }

  compiler(): ClosureCompiler {
    return new ClosureCompiler({
      state: this.state,
      m8: this.bytes,
      m16: new Uint16Array(this.memory.buffer),
      m32: new Int32Array(this.memory.buffer),
      access: this.port,
      core: this.words as never,
      bound: new Map(),
    });
  }

  /** Everything a guest can see. */
  snapshot(): { registers: number[]; flags: unknown[]; simd: number[]; rest: number[]; memory: string } {
    return {
      registers: [...this.words.subarray(0, layout.FLAG_N), ...this.words.subarray(layout.FLAG_Q, layout.FLAG_GE + 1)],
      flags: [this.words[layout.FLAG_N]! < 0, this.words[layout.FLAG_Z] === 0, this.words[layout.FLAG_C], this.words[layout.FLAG_V]! < 0],
      simd: [...this.words.subarray(layout.D0, layout.D0 + 64)],
      rest: [...this.words.subarray(32, 36)],
      memory: Buffer.from(this.bytes.subarray(DATA_HOST, DATA_HOST + PAGES * 4096)).toString('latin1'),
    };
  }
}

const MODE = { privileged: true, thumb: false, alignmentChecked: false, key: 4 };

/** Runs `block` as a region. Result: instruction that it was left at, VA that it goes on at, or an exit code. */
const regionOf = (
  bench: Bench,
  block: Builder,
  inlines: InlineKernels = noInlineKernels,
  whole = singleBlock(block),
): ((budget: number) => number) => {
  const builder = new RegionModuleBuilder(BASE, inlines);
  builder.add(whole, MODE, 0);
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  const host = { memory: bench.memory, table, state: bench.state, bound: new Map() };
  instantiateRegions(builder.finish(), { ...host, follow: makeTrampoline(BASE, host).follow });
  const region = table.get(0) as RegionFunction;
  return (budget) => {
    bench.words[layout.BUDGET] = budget;
    bench.words[layout.DECODE_MODE] = MODE.key;
    const result = region(0, PAGE_VA + block.offsets[0]!, 0);
    if (result & 1) return bench.words[layout.EXIT_CODE]!;
    bench.words[layout.PC] = result;
    if (bench.words[layout.DECODE_MODE] !== MODE.key) bench.exchanged = result;
    return EXIT_NEXT;
  };
};
const EXIT_NEXT = -1;

/** Runs `block` by closures alone: whole rounds while it branches to itself and `budget` lasts. Returns what is left. */
const runClosures = (bench: Bench, block: Builder, budget: number): number => {
  const { statements } = bench.compiler().compile(block, MODE.privileged, MODE.thumb);
  const count = block.offsets.length;
  let left = budget;
  while (left >= count) {
    for (const statement of statements) statement();
    left -= count;
    if (bench.exchanged !== undefined || bench.words[layout.PC] !== PAGE_VA + block.offsets[0]! || endsElsewhere(block)) break;
  }
  return left;
};

/** Blocks that set PC by value do not loop in a region. */
const endsElsewhere = (block: Builder): boolean => {
  for (let i = 0; i < block.count; i++) {
    const kind = block.code[i * op.STRIDE]!;
    if (kind >= op.JUMP) return true;
  }
  return false;
};

/** The same by its region, with the interpreter finishing each block that was left early. Also counts those. */
const runRegion = (bench: Bench, block: Builder, budget: number): { left: number; early: number } => {
  const { statements, starts } = bench.compiler().compile(block, MODE.privileged, MODE.thumb);
  const region = regionOf(bench, block);
  const count = block.offsets.length;
  let left = budget;
  let early = 0;
  while (left >= count) {
    const code = region(left);
    left = bench.words[layout.BUDGET]!;
    if (code >= 0) {
      bench.words[layout.PC] = PAGE_VA + block.offsets[code]!;
      if (left < count - code) break;
      early++;
      for (let i = starts[code]!; i < statements.length; i++) statements[i]!();
      left -= count - code;
      if (bench.exchanged !== undefined) break;
    } else expect([EXIT_NEXT, EXIT_RESYNC]).toContain(code);
    if (bench.exchanged !== undefined) break;
    if (bench.words[layout.PC] !== PAGE_VA + block.offsets[0]! || endsElsewhere(block)) break;
  }
  return { left, early };
};

describe('regions', () => {
  it('do what the closures do, for random programs', () => {
    let early = 0;
    let inside = 0;
    for (let seed = 0; seed < 800; seed++) {
      const block = randomBlock(seed);
      const budget = block.offsets.length * 4 + (seed % 3);
      const reference = new Bench(seed);
      const left = runClosures(reference, block, budget);
      const bench = new Bench(seed);
      const result = runRegion(bench, block, budget);
      early += result.early;
      if (result.early === 0) inside++;
      expect({ seed, left: result.left, exchanged: bench.exchanged, ...bench.snapshot() }).toEqual({
        seed,
        left,
        exchanged: reference.exchanged,
        ...reference.snapshot(),
      });
    }
    // Both ways happen: blocks that stay in the region and blocks that leave it.
    expect(early).toBeGreaterThan(120);
    expect(inside).toBeGreaterThan(120);
  });

  it('do what the closures do where accesses are looked up together, next to borders of pages', () => {
    let early = 0;
    let inside = 0;
    for (let seed = 0; seed < 500; seed++) {
      const random = randomSource(seed);
      const block = randomGroups(seed);
      const benches = [new Bench(seed), new Bench(seed)] as const;
      const places = [5, 6, 7].map(() => [1, 2, 2, 3, 4][random(5)]! * 4096 + [-12, -8, -4, 0, 16, -64, 2000, 2002, 2001][random(9)]!);
      for (const { words } of benches) places.forEach((at, n) => words.set([DATA_VA + at], 5 + n));
      const budget = block.offsets.length;
      const left = runClosures(benches[0], block, budget);
      const result = runRegion(benches[1], block, budget);
      early += result.early;
      if (result.early === 0) inside++;
      expect({ seed, left: result.left, ...benches[1].snapshot() }).toEqual({ seed, left, ...benches[0].snapshot() });
    }
    expect(early).toBeGreaterThan(40);
    expect(inside).toBeGreaterThan(40);
  });

  it('leave before the first of several accesses that one look would serve, when they are in two pages', () => {
    const b = new Builder();
    [0, 4, 8].forEach((offset, k) => {
      b.instruction(offset, 4, 0);
      b.setReg(k, b.load(b.add(b.getReg(7), b.const(offset)), 4));
    });
    const bench = new Bench(1);
    const outcome = (va: number): readonly number[] => {
      bench.words[7] = va;
      const exit = regionOf(bench, b)(10);
      return [exit, bench.words[layout.BUDGET]!];
    };
    expect(outcome(DATA_VA + 0xff4)).toEqual([EXIT_NEXT, 7]);
    expect(outcome(DATA_VA + 0xff8)).toEqual([0, 10]);
    expect(outcome(DATA_VA + 0x102)).toEqual([0, 10]);
  });

  it('leave at the first store of such accesses when loads alone are let through, and before them all when the store comes first', () => {
    const outcome = (...isStore: readonly boolean[]): readonly number[] => {
      const b = new Builder();
      isStore.forEach((stores, k) => {
        b.instruction(4 * k, 4, 0);
        const address = b.add(b.getReg(7), b.const(4 * k));
        if (stores) b.store(address, 4, b.getReg(1));
        else b.setReg(2, b.load(address, 4));
      });
      const bench = new Bench(1);
      bench.words[7] = DATA_VA + 2 * 4096;
      const exit = regionOf(bench, b)(10);
      return [exit, bench.words[layout.BUDGET]!];
    };
    expect(outcome(false, false, true, false)).toEqual([2, 8]);
    expect(outcome(true, false)).toEqual([0, 10]);
    expect(outcome(false, false)).toEqual([EXIT_NEXT, 8]);
  });

  it('leave at the instruction that misses, with nothing of it done and its budget given back', () => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.setReg(1, b.addFlags(b.getReg(1), b.const(1)));
    b.instruction(4, 4, 0);
    b.setReg(2, b.const(99)); // written before the access: undone
    b.setReg(3, b.load(b.const(DATA_VA + 5 * 4096), 4));
    b.instruction(8, 4, 0);
    b.goto(0);
    const bench = new Bench(1);
    bench.words.set([0, 0x7fffffff, 7, 8]);
    const region = regionOf(bench, b);
    expect(region(1000)).toBe(1);
    expect(bench.words[layout.BUDGET]).toBe(999);
    expect([...bench.words.subarray(1, 4)]).toEqual([-0x80000000, 7, 8]);
    expect(bench.words[layout.FLAG_V]! < 0).toBe(true);
    expect(bench.words[layout.FLAG_N]! < 0).toBe(true);
    expect(bench.words[layout.FLAG_C]).toBe(0);
  });

  it('leave an instruction that writes after it branched', () => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.setReg(1, b.const(1));
    b.instruction(4, 4, 0);
    b.jump(b.getReg(0));
    b.setReg(1, b.const(2));
    const bench = new Bench(1);
    expect(regionOf(bench, b)(10)).toBe(1);
    expect([bench.words[1], bench.words[layout.BUDGET]]).toEqual([1, 9]);
  });

  it('loop until the budget does not cover another round', () => {
    const b = new Builder();
    b.instruction(16, 4, 0);
    b.setReg(0, b.subFlags(b.getReg(0), b.const(1)));
    b.instruction(20, 4, 0);
    b.branchIf(b.condition(1), 16, 24);
    const bench = new Bench(1);
    bench.words[0] = 1000;
    const region = regionOf(bench, b);
    expect(region(101)).toBe(0);
    expect([bench.words[0], bench.words[layout.BUDGET]]).toEqual([950, 1]);
    expect(region(5000)).toBe(EXIT_NEXT);
    expect([bench.words[0], bench.words[layout.BUDGET], bench.words[layout.PC]]).toEqual([0, 3100, PAGE_VA + 24]);
    expect([bench.words[layout.FLAG_Z], bench.words[layout.FLAG_C]]).toEqual([0, 1]);
  });

  it('go on where a computed jump was seen to lead, and leave for anywhere else', () => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.setReg(1, b.const(1));
    b.jump(b.getReg(0));
    b.instruction(8, 4, 0);
    b.setReg(1, b.const(2));
    b.goto(64);
    b.instruction(16, 4, 0);
    b.setReg(1, b.const(3));
    b.goto(0);
    const bench = new Bench(1);
    const straight = { resyncs: false, targets: [] };
    const blocks = [
      { offset: 0, first: 0, end: 1, next: 4, resyncs: false, targets: [8, 16] },
      { offset: 8, first: 1, end: 2, next: 12, ...straight },
      { offset: 16, first: 2, end: 3, next: 20, ...straight },
    ];
    const region = regionOf(bench, b, noInlineKernels, { builder: b, blocks });
    const outcome = (target: number, budget = 10): readonly number[] => {
      bench.words[0] = target;
      const exit = region(budget);
      return [exit, bench.words[1]!, bench.words[layout.BUDGET]!, bench.words[layout.PC]!];
    };
    expect(outcome(PAGE_VA + 8)).toEqual([EXIT_NEXT, 2, 8, PAGE_VA + 64]);
    expect(outcome(PAGE_VA + 12)).toEqual([EXIT_NEXT, 1, 9, PAGE_VA + 12]);
    expect(outcome(PAGE_VA + 24)).toEqual([EXIT_NEXT, 1, 9, PAGE_VA + 24]);
    expect(outcome(PAGE_VA + 4096 + 8)).toEqual([EXIT_NEXT, 1, 9, PAGE_VA + 4096 + 8]);
    // Round and round, until the budget does not reach to the next look.
    expect(outcome(PAGE_VA + 16)[0]).toBe(0);
    expect([bench.words[1], bench.words[layout.BUDGET]]).toEqual([3, 0]);
  });

  it('write a kernel out when they are told how', () => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.vector(accumulateKernel, 2, 3, 4);
    b.instruction(4, 4, 0);
    b.goto(64);
    const bench = new Bench(3);
    const D = layout.D0;
    bench.words.set([1, 2, -1, 0x7fffffff], D + 6);
    const inline = inlineLanes(false, (k, _, n, m) => k.of(ADD[2], k.read(n), k.read(m)));
    regionOf(bench, b, { ...noInlineKernels, vector: new Map([[accumulateKernel, inline]]) })(10);
    expect([...bench.words.subarray(D + 4, D + 6)]).toEqual([0, -0x7fffffff]);
  });

  it('refuse to compile a block that names a micro-operation that does not exist', () => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.setReg(0, b.const(1));
    b.code[op.STRIDE] = 95;
    expect(() => new RegionModuleBuilder(BASE).add(singleBlock(b), MODE, 0)).toThrow('[engine] [wasm]');
  });
});
