import type { Builder } from '../builder.js';
import { FlagState } from './flag-state.js';
import type { FunctionWriter, Local } from './function-writer.js';
import type { HitCounts } from './hit-counts.js';
import type { InstructionEmitter } from './instruction-emitter.js';
import * as wasm from './opcodes.js';
import type { Region, RegionBlock, RegionMode, Sibling } from './region.js';
import { RegionGraph } from './region-graph.js';
import type { RegionPlan } from './region-plan.js';

/** The place being written. */
export interface Position {
  block: RegionBlock;
  index: number;
  instruction: number;
  /** Bits of the registers that may differ from their state words at its end. */
  dirty: number;
}

/** Parameters of a region's function: number of the entry, VA of its first instruction, depth of calls. */
export const ENTRY: Local = 0;
export const ENTRY_PC: Local = 1;
export const DEPTH: Local = 2;

/** The function being written, for everybody who writes a part of it: its region, its locals, where it is. */
export class RegionFrame {
  readonly w: FunctionWriter;
  readonly plan: RegionPlan;
  readonly graph = new RegionGraph();
  instructions!: InstructionEmitter;
  region!: Region;
  block!: Builder;
  code!: Int32Array;
  mode!: RegionMode;
  /** The region of the module that begins at an offset from the page, in a decode mode. */
  sibling!: (offset: number, key: number) => Sibling | undefined;
  flags!: FlagState;
  /** Given where accesses are counted. */
  readonly counts: HitCounts | undefined;
  at!: Position;
  /** What leaving says (`RegionLeaves.setExitCode`). */
  exitCode: Local = 0;
  pageVa: Local = 0;
  budget: Local = 0;
  /** VA that a way out leads to. */
  result: Local = 0;

  constructor(w: FunctionWriter, plan: RegionPlan, counts: HitCounts | undefined) {
    this.w = w;
    this.plan = plan;
    this.counts = counts;
  }

  begin(region: Region, mode: RegionMode): void {
    const { w, plan, graph } = this;
    this.region = region;
    this.block = region.builder;
    this.code = region.builder.code;
    this.mode = mode;
    plan.analyse(region, mode.thumb);
    graph.analyse(region, plan);
    plan.forgetFetches((log2) => graph.cameByLine(log2));
    w.begin(3);
    this.exitCode = w.local(wasm.TYPE_I32);
    this.pageVa = w.local(wasm.TYPE_I32);
    this.budget = w.local(wasm.TYPE_I32);
    this.result = w.local(wasm.TYPE_I32);
    this.counts?.begin();
    this.flags = new FlagState(w);
    this.instructions.begin(region, graph.components, this.flags);
  }

  /** Pushes the VA of an offset from the page. */
  pushVa(offset: number): void {
    this.w.get(this.pageVa);
    this.w.i32(offset);
    this.w.op(wasm.I32_ADD);
  }
}
