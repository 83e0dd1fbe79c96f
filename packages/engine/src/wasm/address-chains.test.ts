import { describe, expect, it } from 'vitest';
import { Builder } from '../builder.js';
import * as op from '../ops.js';
import { AddressChains } from './address-chains.js';
import { noInlineKernels } from './inline-kernels.js';
import { singleBlock } from './region.js';
import { RegionGraph } from './region-graph.js';
import { RegionPlan } from './region-plan.js';

type Write = (b: Builder) => void;

/** Of the loop that `instructions` are a round of, or of them without a way back: which of them load in a chain. */
const chainedOf = (instructions: readonly Write[], back = true): readonly number[] => {
  const b = new Builder();
  instructions.forEach((write, k) => {
    b.instruction(4 * k, 4, 0);
    write(b);
  });
  b.instruction(4 * instructions.length, 4, 0);
  if (back) b.branchIf(b.condition(1), 0, 4 * instructions.length + 4);
  else b.goto(4 * instructions.length + 4);
  const region = singleBlock(b);
  const plan = new RegionPlan(noInlineKernels);
  const graph = new RegionGraph();
  plan.analyse(region, false);
  graph.analyse(region, plan);
  const chains = new AddressChains();
  chains.analyse(b, region.blocks, plan, graph.components);
  const found: number[] = [];
  for (let i = 0; i < b.count; i++) if (chains.has(i)) found.push(b.code[i * op.STRIDE + 5]!);
  expect(chains.found).toBe(found.length > 0);
  return found;
};

const load =
  (to: number, from: number, at: number): Write =>
  (b) =>
    b.setReg(to, b.load(b.add(b.getReg(from), b.const(at)), 4));

describe('chains of addresses', () => {
  it('are lists, with the pointer in one register or in two', () => {
    expect(chainedOf([load(2, 3, 4), load(3, 3, 0)])).toEqual([1]);
    expect(chainedOf([load(2, 3, 0), load(4, 2, 8), (b) => b.setReg(3, b.getReg(2))])).toEqual([0]);
    expect(chainedOf([load(2, 3, 0), load(3, 2, 0)])).toEqual([0, 1]);
    expect(chainedOf([(b) => b.loadMultiple(b.getReg(5), [5, 6], 4)])).toEqual([0]);
    expect(chainedOf([(b) => b.loadMultiple(b.getReg(5), [4, 6], 4)])).toEqual([]);
  });

  it('are tables that are looked up by what they gave', () => {
    const table: readonly Write[] = [
      load(1, 4, 0),
      (b) => b.setReg(4, b.add(b.getReg(4), b.const(1))),
      (b) => b.setReg(1, b.and(b.xor(b.getReg(1), b.getReg(0)), b.const(255))),
      (b) => b.setReg(1, b.load(b.add(b.getReg(5), b.shl(b.getReg(1), b.const(2))), 4)),
      (b) => b.setReg(0, b.xor(b.getReg(1), b.shr(b.getReg(0), b.const(8)))),
    ];
    expect(chainedOf(table)).toEqual([3]);
  });

  it('are not what goes on by additions, nor what is loaded by something loaded', () => {
    const next: Write = (b) => {
      b.setReg(1, b.load(b.getReg(4), 4));
      b.setReg(4, b.add(b.getReg(4), b.const(4)));
    };
    expect(chainedOf([next, load(2, 1, 0), (b) => b.setReg(0, b.add(b.getReg(0), b.getReg(2)))])).toEqual([]);
    expect(chainedOf([next, (b) => b.setReg(4, b.add(b.getReg(4), b.getReg(1)))])).toEqual([0]);
  });

  it('are only in loops', () => {
    expect(chainedOf([load(3, 3, 0)], false)).toEqual([]);
  });
});
