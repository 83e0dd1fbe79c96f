import { describe, expect, it } from 'vitest';
import { Builder } from '../builder.js';
import * as layout from '../layout.js';
import * as op from '../ops.js';
import { BASE, Bench, DATA_HOST, endsElsewhere, MODE, PAGE_VA, runClosures } from './bench.test-helper.js';
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

  it.each([false, true])('walk a list through pages that are mapped in pieces (with a field: %s)', (hasField) => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.setReg(4, b.subFlags(b.getReg(4), b.const(1)));
    b.instruction(4, 4, 0);
    if (hasField) b.setReg(2, b.xor(b.getReg(2), b.load(b.add(b.getReg(3), b.const(4)), 4)));
    b.instruction(8, 4, 0);
    b.setReg(3, b.load(b.getReg(3), 4));
    b.instruction(12, 4, 0);
    b.branchIf(b.condition(1), 0, 16);
    const bench = new Bench(1);
    // The pages at 0 and 0x1000 have each other's place.
    const apart = [4096, -4096, 0];
    const host = (va: number): number => DATA_HOST + va - DATA_VA + apart[(va - DATA_VA) >>> 12]!;
    apart.forEach((by, page) => {
      const entry = (layout.FAST_TABLE_PL1 >>> 2) + (((DATA_VA >>> 12) + page) & 4095) * layout.FAST_STRIDE;
      bench.words[entry + layout.FAST_ADDEND]! += by;
    });
    const nodes = [0x40, 0x80, 0x1080, 0x2ff0, 0x10, 0x1ff0, 0x1000, 0xff0].map((at) => DATA_VA + at);
    const view = new DataView(bench.memory.buffer);
    nodes.forEach((va, n) => {
      view.setInt32(host(va), nodes[n + 1] ?? -1, true);
      view.setInt32(host(va + 4), 1 << n, true);
    });
    bench.words.set([0, nodes[0]!, nodes.length], 2);
    expect(regionOf(bench, b)(1000)).toBe(EXIT_NEXT);
    expect([...bench.words.subarray(2, 5)]).toEqual([hasField ? 255 : 0, -1, 0]);
    expect(bench.words[layout.CHAIN_ADDEND]).toBe(DATA_HOST - DATA_VA + 4096);
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

  it.each(['call', 'jump'])('of one module find each other without the table, as long as the jump table has them: a %s', (way) => {
    const callee = new Builder();
    callee.instruction(0x80, 4, 0);
    callee.setReg(1, callee.add(callee.getReg(1), callee.const(5)));
    callee.instruction(0x84, 4, 0);
    callee.jump(callee.getReg(14));
    const caller = new Builder();
    caller.instruction(0, 4, 0);
    if (way === 'call') caller.setReg(14, caller.pagePc(4));
    caller.goto(0x80);
    const slot = 1 + 3 * (layout.SLOT_INDEX + 1);
    const modules = new RegionModuleBuilder(BASE);
    modules.add(singleBlock(callee), MODE, slot, 0, 0x40000000);
    modules.add(singleBlock(caller), MODE, 0, 0, 0x40000000);
    const bench = new Bench(1);
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 2 });
    const host = { memory: bench.memory, table, state: bench.state, bound: new Map() };
    instantiateRegions(modules.finish(), { ...host, follow: makeTrampoline(BASE, host).follow });
    // By the table it would trap.
    table.set(1, null);
    const jumps = (layout.JUMP_TABLE >>> 2) + ((PAGE_VA + 0x80) >>> 2) * layout.JUMP_STRIDE;
    const run = (function_: number | undefined, depth = 0): readonly number[] => {
      const entry = function_ === undefined ? [layout.JUMP_INVALID, 0, 0, 0] : [PAGE_VA + 0x80, MODE.key, function_, 0];
      bench.words.set(entry, jumps);
      bench.words[1] = 7;
      bench.words[14] = PAGE_VA + 4;
      bench.words[layout.BUDGET] = 10;
      bench.words[layout.DECODE_MODE] = MODE.key;
      return [(table.get(0) as RegionFunction)(0, PAGE_VA, depth), bench.words[1], bench.words[layout.BUDGET]!];
    };
    expect(run(slot)).toEqual([PAGE_VA + 4, 12, 7]);
    expect(run(undefined)).toEqual([PAGE_VA + 0x80, 7, 9]);
    // Another that has its place, before and after it.
    expect(() => run(slot - layout.SLOT_INDEX - 1)).toThrow(WebAssembly.RuntimeError);
    expect(() => run(slot + layout.SLOT_INDEX + 1)).toThrow(WebAssembly.RuntimeError);
    if (way === 'call') expect(run(slot, 400)).toEqual([PAGE_VA + 0x80, 7, 9]);
  });

  it('refuse to compile a block that names a micro-operation that does not exist', () => {
    const b = new Builder();
    b.instruction(0, 4, 0);
    b.setReg(0, b.const(1));
    b.code[op.STRIDE] = 95;
    expect(() => new RegionModuleBuilder(BASE).add(singleBlock(b), MODE, 0)).toThrow('[engine] [wasm]');
  });
});
