import type {
  Block,
  CodeCache,
  CodePage,
  RegionEntry,
  RegionHost,
  RegionModule,
  RegionModuleBuilder,
  StepSite,
  Trampoline,
  TranslatedRegion,
} from '@tablewalk/engine';
import { compileRegions, instantiateRegions, layout, makeTrampoline } from '@tablewalk/engine';
import type { DecodeMode } from '../isa/arm-builder.js';
import type { RegionFormer } from './region-former.js';

/** How eagerly code is translated. None of it changes what a guest sees. */
export interface TranslationOptions {
  /** Executions of a block in the interpreter after which it is translated; default 800. */
  readonly heat?: number;
  /** Regions compiled together; default 64. */
  readonly batch?: number;
  /** Executions of a wanted block after which a batch is translated although it is not full; default 2000. */
  readonly patience?: number;
  /** Regions kept; default 6000. */
  readonly regions?: number;
  /** Instructions that the interpreter keeps in blocks beside regions; default 600,000. */
  readonly interpreted?: number;
  /** Leaves of one instruction soon after another, after which a region is made anew to call the interpreter there; default 32. */
  readonly leaves?: number;
  /** Translate what a region leads to although it was never executed: for tests. Default false. */
  readonly cold?: boolean;
  /**
   * Modules are compiled beside the guest, which is interpreted until they are there. That is seen when the embedder's event loop turns, so between the
   * machine's runs. Default false.
   */
  readonly asynchronous?: boolean;
  /** Regions go on in one another; false: each comes back to the core at its exits, for who compares. Default true. */
  readonly linked?: boolean;
}

const DEFAULT_HEAT = 800;
const DEFAULT_BATCH = 64;
const DEFAULT_PATIENCE = 2000;
const DEFAULT_REGIONS = 6000;
/** Numbers of steps after which all regions are dropped and begin again: a dropped region's are not used again. */
const MOST_STEPS = 1 << 20;
/** Guest time in ns after which a batch is translated although it is not full. */
const LONGEST_WAIT = 20_000_000;

const { SLOT_INDEX } = layout;
/** Slots from here on are the last at their index: numbers end. At 6,000 regions a second that takes nine hours, and then one place is less. */
const LAST_SLOT = 0x7fff0000;

const NO_CODE = new Uint16Array();
const NO_SOURCE: readonly (readonly [offset: number, next: number])[] = [];

const DEFAULT_LEAVES = 32;
/** Times as many leaves as have a region made anew, after which that waits for no batch. */
const MOST_LEAVES = 32;
/** Leaves of an instruction that are further from each other, in ns of guest time, cost less than a call in the code would. */
const FAR_APART = 2000;
/** The same where accesses are looked up together: one by one they cost a little more, and do not leave when they are in two pages. */
const FAR_APART_GROUPS = 50_000;

/** Where a region begins, as the key of a set. Modes have seven bits. */
const nameOf = (page: CodePage, offset: number): number => (page.hostPage * 128 + page.mode) * 4096 + offset;

/** Halfwords of pages, as bits. */
class Halfwords {
  private readonly pages = new Map<CodePage, Uint32Array>();

  /** Those of a page. */
  of(page: CodePage): Uint32Array {
    let bits = this.pages.get(page);
    if (bits === undefined) {
      bits = new Uint32Array(64);
      this.pages.set(page, bits);
    }
    return bits;
  }
}

interface Wanted {
  readonly page: CodePage;
  readonly block: Block;
  readonly mode: DecodeMode;
  /** The translation that this one replaces. */
  readonly instead?: Held;
}

/** A region that is in use. */
interface Held {
  readonly page: CodePage;
  readonly mode: DecodeMode;
  readonly region: TranslatedRegion;
  /** Of instructions at which it was left, by offset: when last, and how often one soon after another. */
  readonly leaves: Map<number, { time: number; count: number }>;
  /** Instructions that are left at when accesses after them are not where theirs is. */
  readonly groupHeads: ReadonlySet<number>;
  /** Numbers of its steps: from, and one past the last. */
  readonly steps: readonly [first: number, end: number];
}

/** A region of a module that is not in the table yet. */
interface Made {
  readonly held: Held;
  /** The region that it replaces. */
  readonly instead: Held | undefined;
  readonly head: number;
  readonly source: readonly (readonly [offset: number, next: number])[];
  /** The code that it was made of. */
  readonly code: Uint16Array;
}

/** An instruction that the interpreter does for a region. */
export interface Step extends StepSite {
  readonly page: CodePage;
  readonly mode: DecodeMode;
  /** Of its region. */
  readonly slot: number;
  /** Its accesses that were not aligned. */
  unaligned: number;
  /** The instruction alone, once it was executed. */
  block: Block | undefined;
}

/** Regions of one core: which code is worth translating, its translations, and running them. */
export class RegionRunner {
  /** Heat at which a block is wanted. */
  readonly heat: number;
  /** Heat of a wanted block at which nothing is waited for any longer. */
  readonly pressing: number;
  /** Runs regions from VA `pc` on, for which the jump table has an entry. */
  readonly run: Trampoline['run'];
  /** Regions and instructions ever translated. */
  regions = 0;
  instructions = 0;
  /** Regions whose code had changed when their module was there. */
  late = 0;
  /** Instructions that the interpreter does for regions, by the number that they call it with. */
  steps: (Step | undefined)[] = [];
  /** Regions by the index of their slots, and slots for the next regions at those that are free below its end. */
  private readonly inTable: (Held | undefined)[] = [];
  private readonly free: number[] = [];
  private readonly batch: number;
  private readonly leaves: number;
  private readonly cold: boolean;
  private readonly linked: boolean;
  private readonly asynchronous: boolean;
  private readonly former: RegionFormer;
  private readonly modules: RegionModuleBuilder;
  private readonly host: RegionHost;
  private readonly capacity: number;
  private readonly cache: CodeCache;
  private readonly codeAppeared: (hostPage: number) => void;
  private wanted: Wanted[] = [];
  /** Steps whose accesses were not aligned often, since the last {@link tick}. */
  private unaligned: Step[] = [];
  private wantedSince = 0;
  /** Heads of regions that are being compiled. */
  private readonly underway = new Set<number>();
  /** Counts what makes modules that are being compiled worthless, whatever the code says. */
  private epoch = 0;
  /** Why a module could not be compiled. */
  private failure: { readonly error: unknown } | undefined;

  /** `codeAppeared` is told of pages that held no translated code before. */
  constructor(
    parts: Omit<RegionHost, 'table' | 'follow'>,
    stateOffset: number,
    former: RegionFormer,
    modules: RegionModuleBuilder,
    cache: CodeCache,
    codeAppeared: (hostPage: number) => void,
    options: TranslationOptions,
  ) {
    this.linked = options.linked ?? true;
    this.former = former;
    this.modules = modules;
    this.cache = cache;
    this.codeAppeared = codeAppeared;
    this.heat = Math.max(options.heat ?? DEFAULT_HEAT, 1);
    this.pressing = this.heat + Math.max(options.patience ?? DEFAULT_PATIENCE, 1);
    this.batch = Math.max(options.batch ?? DEFAULT_BATCH, 1);
    this.leaves = Math.max(options.leaves ?? DEFAULT_LEAVES, 1);
    this.cold = options.cold ?? false;
    this.asynchronous = options.asynchronous ?? false;
    this.capacity = Math.min(Math.max(options.regions ?? DEFAULT_REGIONS, 1), SLOT_INDEX);
    const host = { ...parts, table: new WebAssembly.Table({ element: 'anyfunc', initial: this.capacity }) };
    const { run, follow } = makeTrampoline(stateOffset, host, this.linked);
    this.run = run;
    this.host = { ...host, follow };
  }

  get held(): number {
    return this.inTable.length - this.free.length;
  }

  /** Drops all regions. */
  renew(): void {
    this.cache.clearRegions();
    this.steps = [];
    this.epoch++;
  }

  /** The cache has dropped the region in this slot: a host holds a module for as long as a function of it is in the table. */
  dropped(slot: number): void {
    const [first, end] = this.inTable[slot & SLOT_INDEX]!.steps;
    this.steps.fill(undefined, first, end);
    this.inTable[slot & SLOT_INDEX] = undefined;
    this.release(slot);
  }

  private release(slot: number): void {
    this.host.table.set(slot & SLOT_INDEX, null);
    if (slot < LAST_SLOT) this.free.push(slot + SLOT_INDEX + 1);
  }

  private isUnderway(page: CodePage, block: Block): boolean {
    return this.underway.size > 0 && this.underway.has(nameOf(page, block.offsets[0]!));
  }

  /** The block has become hot. */
  request(page: CodePage, block: Block, mode: DecodeMode, time: number): void {
    if (page.block(block.offsets[0]!) !== block || this.isUnderway(page, block)) return;
    if (this.wanted.length === 0) this.wantedSince = time;
    this.wanted.push({ page, block, mode });
    if (this.wanted.length >= this.batch) this.translate();
  }

  /** A region was left at an instruction of its page, for which it could have called the interpreter. */
  noteLeave(index: number, offset: number, time: number): void {
    const held = this.inTable[index];
    if (held === undefined) return;
    const known = held.leaves.get(offset);
    const count =
      known === undefined || time - known.time > (held.groupHeads.has(offset) ? FAR_APART_GROUPS : FAR_APART) ? 1 : known.count + 1;
    if (known === undefined) held.leaves.set(offset, { time, count });
    else {
      known.count = count;
      known.time = time;
    }
    if (count % this.leaves === 0) this.makeAnew(held, offset, count >= MOST_LEAVES * this.leaves, time);
  }

  /** What the interpreter is to be called for at this offset is to be so in the region's next translation, which waits for no batch when it is pressing. */
  private makeAnew(held: Held, offset: number, isPressing: boolean, time: number): void {
    const { page, mode, region } = held;
    page.steps.add(offset);
    const head = page.block(region.entries[0]!.offset);
    if (head === undefined || this.isUnderway(page, head)) return;
    if (this.wanted.some(({ instead }) => instead === held)) {
      // The region that runs counts no executions of its blocks: it presses by what it leaves.
      if (isPressing) this.translate();
      return;
    }
    if (this.wanted.length === 0) this.wantedSince = time;
    this.wanted.push({ page, block: head, mode, instead: held });
    if (this.wanted.length >= this.batch) this.translate();
  }

  /** The access of a step was not aligned: where that is common regions look such accesses up. What runs now may not be made anew: {@link tick} does it. */
  noteUnaligned(step: Step): void {
    if (++step.unaligned === this.leaves) this.unaligned.push(step);
  }

  /** Called between runs of regions, now and then. */
  tick(time: number): void {
    if (this.unaligned.length > 0) {
      for (const { slot, offset } of this.unaligned) {
        const held = this.inTable[slot & SLOT_INDEX];
        if (held?.region.slot === slot && !held.page.steps.has(offset)) this.makeAnew(held, offset, false, time);
      }
      this.unaligned = [];
    }
    if (this.wanted.length > 0 && time - this.wantedSince >= LONGEST_WAIT) this.translate();
  }

  /** Translates whatever is wanted. */
  translate(): void {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.wanted.length === 0) return;
    if (this.capacity - this.held < this.wanted.length || this.steps.length > MOST_STEPS) {
      this.renew();
      this.wanted = this.wanted.filter(({ instead }) => instead === undefined);
    }
    const { modules } = this;
    const made: Made[] = [];
    // Where computed jumps lead comes last: it is in the region of the jump as a rule, and needs none of its own then.
    const wanted: Wanted[] = [];
    const targets: Wanted[] = [];
    for (const each of this.wanted) (each.page.isTarget(each.block.offsets[0]!) ? targets : wanted).push(each);
    wanted.push(...targets);
    const inRegions = new Halfwords();
    for (const { page, block, mode, instead } of wanted) {
      const head = block.offsets[0]!;
      const inside = inRegions.of(page);
      if (instead === undefined && (inside[head >>> 6]! >>> (head >>> 1)) & 1) continue;
      if (this.cache.page(page.hostPage, page.mode, page.shift) !== page) continue;
      if (page.block(head) !== block || this.held >= this.capacity) continue;
      const region = this.former.form(
        mode,
        page.hostPage * 4096,
        head,
        (offset) => this.cold || page.wasExecuted(offset),
        (from) => page.targetsOf(from),
        page.steps,
      );
      if (region === undefined) continue;
      const slot = this.free.pop() ?? this.inTable.push(undefined) - 1;
      const firstStep = this.steps.length;
      const emitted = modules.add(region, { ...mode, key: page.mode }, slot, firstStep, page.hostPage * 4096);
      for (const site of emitted.steps) this.steps.push({ ...site, page, mode, slot, unaligned: 0, block: undefined });
      let granules = 0;
      for (const { first, end, next } of region.blocks) {
        for (let k = first; k < end; k++) granules |= 1 << (region.builder.offsets[k]! >>> 7);
        granules |= 1 << (Math.min(next - 1, 4095) >>> 7);
      }
      const entries: RegionEntry[] = [];
      const source = this.asynchronous || !this.linked ? region.blocks.map(({ offset, next }) => [offset, next] as const) : NO_SOURCE;
      const translated: TranslatedRegion = {
        granules,
        entries,
        leastBudget: emitted.leastBudget,
        slot,
        ...(!this.linked && { source: { thumb: mode.thumb, blocks: source } }),
      };
      // Code in the region needs no region that begins there, unless it is come to from elsewhere often enough from now on.
      for (const offset of region.builder.offsets) {
        inside[offset >>> 6]! |= 1 << (offset >>> 1);
        const within = page.block(offset);
        if (within !== undefined) within.heat = 0;
      }
      emitted.entries.forEach((offset, number) => {
        entries.push({ region: translated, number, offset });
      });
      made.push({
        held: {
          page,
          mode,
          region: translated,
          leaves: new Map(),
          groupHeads: emitted.groupHeads,
          steps: [firstStep, this.steps.length],
        },
        instead,
        head,
        source,
        code: this.asynchronous ? this.former.codeOf(page.hostPage * 4096, source) : NO_CODE,
      });
      this.instructions += emitted.count;
    }
    this.wanted = [];
    if (made.length === 0) return;
    if (this.asynchronous) this.compileAside(modules.finish(), made);
    else {
      instantiateRegions(modules.finish(), this.host);
      for (const each of made) this.putToUse(each);
    }
    this.regions += made.length;
  }

  private putToUse({ held, instead }: Made): void {
    const { page, region } = held;
    this.inTable[region.slot & SLOT_INDEX] = held;
    if (instead !== undefined) this.cache.removeRegion(page, instead.region);
    if (this.cache.addRegion(page, region)) this.codeAppeared(page.hostPage);
  }

  /** No region runs while a promise is kept: the host's event loop turns between the machine's runs. */
  private compileAside(module: RegionModule, made: readonly Made[]): void {
    const { epoch } = this;
    for (const { held, head } of made) this.underway.add(nameOf(held.page, head));
    const end = (place: () => void): void => {
      for (const { held, head } of made) this.underway.delete(nameOf(held.page, head));
      const isCurrent = made.map((each) => epoch === this.epoch && this.isCurrent(each));
      if (isCurrent.includes(true)) place();
      made.forEach((each, i) => {
        if (isCurrent[i]) this.putToUse(each);
        else this.discard(each, epoch === this.epoch);
      });
    };
    compileRegions(module, this.host)
      .then(end)
      .catch((error: unknown) => {
        this.failure = { error };
      });
  }

  /** Whether its page still has the code that it was made of. */
  private isCurrent({ held: { page }, source, code }: Made): boolean {
    if (this.cache.page(page.hostPage, page.mode, page.shift) !== page) return false;
    const now = this.former.codeOf(page.hostPage * 4096, source);
    return now.every((halfword, i) => halfword === code[i]);
  }

  /** Gives back what was taken for a region that came too late, and lets its code be wanted again. */
  private discard({ held: { page, region, steps }, source }: Made, isOfNow: boolean): void {
    this.late++;
    if (isOfNow) this.steps.fill(undefined, ...steps);
    this.release(region.slot);
    for (const [offset] of source) {
      const block = page.block(offset);
      if (block !== undefined) block.heat = 0;
    }
  }
}
