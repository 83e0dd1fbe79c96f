import type { Builder } from '../builder.js';
import type { Kernel, PureKernel, StateViews, VectorKernel } from '../kernel.js';
import type { InlineKernels } from './inline-kernels.js';
import { noInlineKernels } from './inline-kernels.js';
import { ModuleEncoder } from './module-encoder.js';
import { TYPE_I32 } from './opcodes.js';
import type { RegionMode } from './region-emitter.js';
import { RegionEmitter } from './region-emitter.js';

/** Runs a region: `base` is the core's offset in the memory, `budget` the instructions it may retire. Result: exit-codes.ts. */
export type RegionFunction = (base: number, budget: number) => number;

/** A module of regions, ready to compile. */
export interface RegionModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Kernels that it imports, in order. */
  readonly kernels: readonly (PureKernel | VectorKernel)[];
  /** Number of regions; region n is exported as `n` in decimal. */
  readonly count: number;
}

/** Collects regions into one module, since compiling many at a time is several times cheaper than one by one. */
export class RegionModuleBuilder {
  private readonly encoder = new ModuleEncoder('m', 'm');
  private readonly emitter: RegionEmitter;
  private readonly kernels: (PureKernel | VectorKernel)[] = [];
  private readonly regionType: number;
  private count = 0;

  constructor(inlines: InlineKernels = noInlineKernels) {
    this.regionType = this.encoder.type([TYPE_I32, TYPE_I32], [TYPE_I32]);
    this.emitter = new RegionEmitter(inlines, (kernel) => this.kernelFunction(kernel));
  }

  private kernelFunction(kernel: Kernel): number {
    if (kernel.kind === 'call') throw new Error(`[engine] [wasm] ${kernel.name} is called from the interpreter only`);
    const known = this.kernels.indexOf(kernel);
    if (known >= 0) return known;
    const type = this.encoder.type([TYPE_I32, TYPE_I32, TYPE_I32], kernel.kind === 'pure' ? [TYPE_I32] : []);
    this.kernels.push(kernel);
    return this.encoder.importFunction('k', `${this.kernels.length - 1}`, type);
  }

  /** Adds the block that the builder holds; returns its region's number. */
  add(block: Builder, mode: RegionMode): number {
    this.encoder.addFunction(this.regionType, this.emitter.emit(block, mode), `${this.count}`);
    return this.count++;
  }

  finish(): RegionModule {
    return { bytes: this.encoder.encode(), kernels: this.kernels, count: this.count };
  }
}

/** Regions of a module as functions. `state` is the core's whose vector kernels they call; `bound` keeps those, with the closures' if it is theirs. */
export const instantiateRegions = (
  module: RegionModule,
  memory: WebAssembly.Memory,
  state: StateViews,
  bound: Map<VectorKernel, (a: number, b: number, c: number) => void>,
): readonly RegionFunction[] => {
  const functions: Record<string, (a: number, b: number, c: number) => number | void> = {};
  module.kernels.forEach((kernel, i) => {
    if (kernel.kind === 'pure') {
      functions[`${i}`] = kernel.run;
      return;
    }
    const run = bound.get(kernel) ?? kernel.bind(state);
    bound.set(kernel, run);
    functions[`${i}`] = run;
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), { m: { m: memory }, k: functions });
  const regions: RegionFunction[] = [];
  for (let i = 0; i < module.count; i++) regions.push(instance.exports[`${i}`] as RegionFunction);
  return regions;
};
