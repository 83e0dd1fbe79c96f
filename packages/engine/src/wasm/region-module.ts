import type { Kernel, PureKernel, StateViews, VectorKernel } from '../kernel.js';
import { SLOT_INDEX } from '../layout.js';
import type { InlineKernels } from './inline-kernels.js';
import { noInlineKernels } from './inline-kernels.js';
import { ModuleEncoder } from './module-encoder.js';
import { TYPE_I32 } from './opcodes.js';
import type { Region, RegionMode, RegionVariant, Sibling } from './region.js';
import type { EmittedRegion } from './region-emitter.js';
import { RegionEmitter } from './region-emitter.js';

/** Runs a region from one of its entries, at VA `pc`; `depth` counts the calls around it. Result: exit-codes.ts. */
export type RegionFunction = (entry: number, pc: number, depth: number) => number;

/** A module of regions, ready to compile. */
export interface RegionModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Kernels that it imports, in order. */
  readonly kernels: readonly (PureKernel | VectorKernel)[];
  /** Slots of its regions, in order. */
  readonly slots: readonly number[];
}

/** Names of what every module imports. */
const HOST = 'h';
const MEMORY = 'm';
const TABLE = 't';
const STEP = 's';
const ACCESS = 'a';
const FOLLOW = 'f';
const FIND = 'p';
const FOUND = 'd';
const KERNELS = 'k';

/**
 * An encoder of modules that have the memory of regions, and the type of a region's function in it. The table is for the one module that calls by it: V8
 * gives every instance that has a table a copy, of as many bytes as 20 times its slots, and keeps the instance as long as the table.
 */
export const regionEncoder = (hasTable = false): { readonly encoder: ModuleEncoder; readonly regionType: number } => {
  const encoder = hasTable ? new ModuleEncoder(HOST, MEMORY, TABLE) : new ModuleEncoder(HOST, MEMORY);
  return { encoder, regionType: encoder.type([TYPE_I32, TYPE_I32, TYPE_I32], [TYPE_I32]) };
};

/** Imports {@link RegionHost.access} and {@link RegionHost.missed} into a module: their numbers, and the type of the first. */
export const importAccess = (encoder: ModuleEncoder): Record<'access' | 'find' | 'found' | 'type', number> => {
  const type = encoder.type([TYPE_I32, TYPE_I32, TYPE_I32, TYPE_I32], [TYPE_I32]);
  return {
    access: encoder.importFunction(HOST, ACCESS, type),
    find: encoder.importFunction(HOST, FIND, encoder.type([TYPE_I32, TYPE_I32], [TYPE_I32])),
    found: encoder.importFunction(HOST, FOUND, type),
    type,
  };
};

/** Collects regions into one module after another, since compiling many at a time is several times cheaper than one by one. */
export class RegionModuleBuilder {
  private encoder: ModuleEncoder;
  private readonly emitter: RegionEmitter;
  private kernels: (PureKernel | VectorKernel)[] = [];
  private slots: number[] = [];
  /** Numbers of the imported functions: of kernels, and of {@link RegionHost.step}, `access` and `follow`. */
  private readonly numbers = new Map<Kernel | typeof STEP | typeof ACCESS | typeof FOLLOW, number>();
  /** Regions of this module by the physical address and decode mode where they begin. */
  private readonly siblings = new Map<number, Sibling>();
  /** The same in every module: it is the first of an encoder's types. */
  private readonly regionType: number;

  /** `stateOffset` is where in the memory the core's state begins. */
  constructor(stateOffset: number, inlines: InlineKernels = noInlineKernels, variant: RegionVariant = {}) {
    ({ encoder: this.encoder, regionType: this.regionType } = regionEncoder());
    this.emitter = new RegionEmitter(
      stateOffset,
      inlines,
      (kernel) => this.kernelFunction(kernel),
      {
        step: () => this.imported(STEP, HOST, STEP, this.regionType),
        access: () => this.imported(ACCESS, HOST, ACCESS, this.encoder.type([TYPE_I32, TYPE_I32, TYPE_I32, TYPE_I32], [TYPE_I32])),
        follow: () => this.imported(FOLLOW, HOST, FOLLOW, this.regionType),
      },
      variant,
    );
  }

  private imported(key: Kernel | typeof STEP | typeof ACCESS | typeof FOLLOW, module: string, name: string, type: number): number {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.encoder.importFunction(module, name, type);
      this.numbers.set(key, number);
    }
    return number;
  }

  private kernelFunction(kernel: Kernel): number {
    if (kernel.kind === 'call') throw new Error(`[engine] [wasm] ${kernel.name} is called from the interpreter only`);
    if (!this.numbers.has(kernel)) this.kernels.push(kernel);
    const type = kernel.kind === 'pure' ? this.regionType : this.encoder.type([TYPE_I32, TYPE_I32, TYPE_I32], []);
    return this.imported(kernel, KERNELS, `${this.kernels.length - 1}`, type);
  }

  /**
   * Adds a region, which will have this slot (layout.ts). The sites where it calls the interpreter are numbered from `firstStep` on. Where `page` says what
   * physical address its offsets count from, it calls regions of the module directly. It takes the next page of VAs to be the next physical one; another is
   * found as always.
   */
  add(region: Region, mode: RegionMode, slot: number, firstStep = 0, page?: number): EmittedRegion {
    const name = (offset: number, key: number): number => (page! + offset) * 256 + key;
    if (page !== undefined) this.siblings.set(name(region.blocks[0]!.offset, mode.key), { number: this.slots.length, slot });
    const emitted = this.emitter.emit(region, mode, slot, firstStep, (offset, key) =>
      page === undefined ? undefined : this.siblings.get(name(offset, key)),
    );
    this.encoder.addFunction(this.regionType, emitted.body, `${this.slots.length}`, emitted.calls);
    this.slots.push(slot);
    return emitted;
  }

  /** What was added since the last time. */
  finish(): RegionModule {
    const module = { bytes: this.encoder.encode(), kernels: this.kernels, slots: this.slots };
    this.encoder = regionEncoder().encoder;
    this.kernels = [];
    this.slots = [];
    this.numbers.clear();
    this.siblings.clear();
    return module;
  }
}

/** A WebAssembly.Table, by what is asked of it. Public declarations do without the WebAssembly namespace, which TypeScript has in its DOM library alone. */
export interface RegionTable {
  set(index: number, value?: unknown): void;
}

/** What regions run in. */
export interface RegionHost {
  /** The WebAssembly.Memory. */
  readonly memory: { readonly buffer: ArrayBufferLike };
  /** Functions of all regions, by the index that the jump table has: a WebAssembly.Table. */
  readonly table: RegionTable;
  /** The state of the core whose vector kernels they call. */
  readonly state: StateViews;
  /** Vector kernels bound to it: the closures' too, if it is theirs. */
  readonly bound: Map<VectorKernel, (a: number, b: number, c: number) => void>;
  /**
   * Interprets one instruction for a region that has everything in the state words: that of site `number`, at VA `pc`, with `budget` instructions left, this
   * one included. 0: it is done, and the next one is the next to be executed. Else the state says how to go on, as after a region that resyncs.
   */
  readonly step?: (number: number, pc: number, budget: number) => number;
  /**
   * The access of a step that is one load or store of one register ({@link StepSite.plain}), aligned or not, for a region that has everything in the state words,
   * PC too: `what` is as in beside-memory.ts, `va` the address, `budget` as in {@link step}, `value` is stored. Result: what was loaded, without its sign. When
   * the state word ACCESS_ENDS is not 0 the state is that after the instruction and says how to go on; else the region does the rest of the instruction.
   */
  readonly access?: (what: number, va: number, budget: number, value: number) => number;
  /** For who does by himself what of {@link access} he can: an aligned access to a page that is not known. */
  readonly missed?: {
    /** Translates its address. 1: the page is known now. */
    readonly find: (what: number, va: number) => number;
    /** {@link RegionHost.access} of what `find` was asked about last. */
    readonly found: (what: number, va: number, budget: number, value: number) => number;
  };
  /** Where linked regions go on: `Trampoline.follow`, a function of WebAssembly. */
  readonly follow?: (pc: number, key: number, depth: number) => number;
}

/** Makes an instance of a compiled module that imports what {@link regionEncoder} says. */
export const instantiate = (
  module: WebAssembly.Module,
  host: Omit<RegionHost, 'table'> & Partial<RegionHost>,
  kernels: readonly (PureKernel | VectorKernel)[],
): WebAssembly.Exports => {
  const functions: Record<string, (a: number, b: number, c: number) => number | void> = {};
  kernels.forEach((kernel, i) => {
    if (kernel.kind === 'pure') {
      functions[`${i}`] = kernel.run;
      return;
    }
    const run = host.bound.get(kernel) ?? kernel.bind(host.state);
    host.bound.set(kernel, run);
    functions[`${i}`] = run;
  });
  return new WebAssembly.Instance(module, {
    [HOST]: {
      [MEMORY]: host.memory as WebAssembly.Memory,
      ...(host.table && { [TABLE]: host.table as WebAssembly.Table }),
      ...(host.step && { [STEP]: host.step }),
      ...(host.access && { [ACCESS]: host.access }),
      ...(host.follow && { [FOLLOW]: host.follow }),
      ...(host.missed && { [FIND]: host.missed.find, [FOUND]: host.missed.found }),
    },
    [KERNELS]: functions,
  }).exports;
};

const place = ({ kernels, slots }: RegionModule, compiled: WebAssembly.Module, host: RegionHost): void => {
  const functions = instantiate(compiled, host, kernels);
  slots.forEach((slot, i) => {
    host.table.set(slot & SLOT_INDEX, functions[`${i}`]);
  });
};

/** Compiles a module and puts its regions into the table. */
export const instantiateRegions = (module: RegionModule, host: RegionHost): void => {
  place(module, new WebAssembly.Module(module.bytes), host);
};

/** The same beside whatever the caller goes on with. Result: what puts the regions into the table, once the module is compiled. */
export const compileRegions = async (module: RegionModule, host: RegionHost): Promise<() => void> => {
  const compiled = await WebAssembly.compile(module.bytes);
  return () => place(module, compiled, host);
};
