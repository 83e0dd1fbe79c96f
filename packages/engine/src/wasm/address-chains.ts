import type { Builder } from '../builder.js';
import { PC } from '../layout.js';
import { valueOperands } from '../op-info.js';
import * as op from '../ops.js';
import type { RegionBlock } from './region.js';
import type { Component } from './region-graph.js';
import type { RegionPlan } from './region-plan.js';

/** Bit of a value that comes from memory; the bits below are the registers that it is computed from. */
const LOADED = 1 << PC;
const REGISTERS = LOADED - 1;

/** One instruction of a loop that loads. */
interface Loading {
  readonly k: number;
  /** Registers that its addresses are computed from. */
  readonly from: number;
  /** Registers that it loads, or computes from what it loads. */
  readonly to: number;
}

/**
 * Loads whose address is computed from what they loaded a round of their loop before: a list that is walked, a table that is looked up by what it gave. No round
 * begins its load before the last has ended, so all that is done between address and load is waited for, and nowhere else.
 *
 * Looked for in innermost loops, whatever the order in which a round does things: a register that is used twice may make a chain of what is none, which costs
 * an operation at that load.
 */
export class AddressChains {
  /** By micro-operation: not 0 where it is such a load. */
  private chained = new Uint8Array(1024);
  /** For each value of an instruction: registers that it is computed from, and LOADED. */
  private values = new Int32Array(1024);
  /** For each register: those that what is written to it in the loop was computed from. */
  private readonly sources = new Int32Array(PC);
  private readonly loadings: Loading[] = [];
  private block!: Builder;
  private code!: Int32Array;
  private plan!: RegionPlan;
  private count = 0;

  /** Whether there are any. */
  get found(): boolean {
    return this.count > 0;
  }

  has(i: number): boolean {
    return this.count > 0 && this.chained[i] !== 0;
  }

  /** `components` are the region's, or none where nothing shall be looked for. */
  analyse(builder: Builder, blocks: readonly RegionBlock[], plan: RegionPlan, components: readonly Component[]): void {
    this.block = builder;
    this.code = builder.code;
    this.plan = plan;
    this.count = 0;
    for (const component of components) this.visit(component, blocks, builder.count);
  }

  private visit({ isLoop, blocks: numbers, body }: Component, blocks: readonly RegionBlock[], operations: number): void {
    if (!isLoop) return;
    if (body.some((component) => component.isLoop)) {
      for (const component of body) this.visit(component, blocks, operations);
      return;
    }
    this.sources.fill(0);
    this.loadings.length = 0;
    if (this.values.length < operations) this.values = new Int32Array(2 * operations);
    for (const number of numbers) {
      const { first, end } = blocks[number]!;
      for (let k = first; k < end; k++) if (!this.plan.interpreted[k]) this.instruction(k);
    }
    if (this.loadings.length === 0) return;
    this.close();
    for (const loading of this.loadings) if (this.sourcesOf(loading.from) & loading.to) this.mark(loading, operations);
  }

  private instruction(k: number): void {
    const { code, values, sources } = this;
    let from = 0;
    let to = 0;
    for (let i = this.plan.starts[k]!; i < this.plan.starts[k + 1]!; i++) {
      const base = i * op.STRIDE;
      const kind = code[base]!;
      if (kind === op.SET_REG) {
        const value = values[code[base + 2]!]!;
        const register = code[base + 1]!;
        sources[register]! |= value & REGISTERS;
        if (value & LOADED) to |= 1 << register;
      } else if (kind === op.LOAD_MULTIPLE) {
        const address = values[code[base + 1]!]! & REGISTERS;
        from |= address;
        for (let n = 0; n < code[base + 3]!; n++) {
          const word = this.block.lists[code[base + 2]! + n]!;
          if (word >= PC) continue;
          sources[word]! |= address;
          to |= 1 << word;
        }
      } else if (op.isValue(kind)) {
        let value = kind === op.GET_REG ? 1 << code[base + 1]! : 0;
        const operands = valueOperands(kind);
        for (let n = 0; n < 4; n++) if ((operands >> n) & 1 && code[base + 1 + n]! >= 0) value |= values[code[base + 1 + n]!]!;
        if (kind === op.LOAD) {
          from |= value & REGISTERS;
          value |= LOADED;
        }
        values[i] = value;
      }
    }
    if (to !== 0) this.loadings.push({ k, from, to });
  }

  /** Sources := all that lead to a register, by way of others too. */
  private close(): void {
    const { sources } = this;
    for (let by = 0; by < PC; by++) for (let n = 0; n < PC; n++) if ((sources[n]! >> by) & 1) sources[n]! |= sources[by]!;
  }

  private sourcesOf(registers: number): number {
    let all = registers;
    for (let n = 0; n < PC; n++) if ((registers >> n) & 1) all |= this.sources[n]!;
    return all;
  }

  private mark({ k }: Loading, operations: number): void {
    if (this.count === 0) {
      if (this.chained.length < operations) this.chained = new Uint8Array(2 * operations);
      else this.chained.fill(0, 0, operations);
    }
    for (let i = this.plan.starts[k]!; i < this.plan.starts[k + 1]!; i++) {
      const kind = this.code[i * op.STRIDE];
      if (kind !== op.LOAD && kind !== op.LOAD_MULTIPLE) continue;
      this.chained[i] = 1;
      this.count++;
    }
  }
}
