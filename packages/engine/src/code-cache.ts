import type { Builder } from './builder.js';
import type { CompiledBlock } from './closures/compile.js';
import type { CompactStore } from './compact/store.js';
import * as op from './ops.js';
import { isReturn } from './wasm/returns.js';

/** A straight run of guest code within one page, ready to execute. Its lists are plain: there are many blocks, and a typed array costs 200 bytes first. */
export interface Block {
  /** Closures; undefined when the block is compact code. */
  readonly statements: readonly (() => void)[] | undefined;
  readonly starts: readonly number[];
  /** Its statements, or its place in the store of compact code, which may change between blocks. */
  from: number;
  end: number;
  /** Number of instructions. */
  readonly count: number;
  /** Offsets of the instructions from the page, and one past the last. */
  readonly offsets: readonly number[];
  /** ITSTATE of each instruction, undefined when all are 0. */
  readonly itstates: readonly number[] | undefined;
  /** How often the interpreter came to it. */
  heat: number;
  /** Its last instruction jumps to a computed address, and is no call and no return. */
  readonly jumps: boolean;
  /** Translation that begins here. */
  entry: RegionEntry | undefined;
}

/** Code of a page that was translated as one piece; see `wasm/region.ts`. */
export interface TranslatedRegion {
  /** One bit for each granule of the page that it was made from. */
  readonly granules: number;
  readonly entries: readonly RegionEntry[];
  /** It does nothing with a smaller budget. */
  readonly leastBudget: number;
  /** Where its function is in the table, and which of those that were there it is (layout.ts, SLOT_INDEX). */
  readonly slot: number;
  /** Its blocks as offsets from the page, first instruction and past the last: kept where somebody compares. */
  readonly source?: { readonly thumb: boolean; readonly blocks: readonly (readonly [first: number, end: number])[] };
}

export interface RegionEntry {
  readonly region: TranslatedRegion;
  readonly number: number;
  /** From the page. */
  readonly offset: number;
}

/** Targets that are remembered of one computed jump. */
const MOST_TARGETS = 64;

/** Granules of 128 bytes in a page. */
const GRANULES = 32;

/** All translations of one physical page for one decode mode. Position-independent: any VA may map the page. */
export class CodePage {
  /** Offset in guest memory divided by 4096. */
  readonly hostPage: number;
  readonly mode: number;
  /** 1 for T32, 2 for A32: what an offset is shifted by to count instructions. */
  readonly shift: number;
  /** By granule, and instruction in it: most pages have code in a few. */
  private readonly blocks = new Array<(Block | undefined)[] | undefined>(GRANULES).fill(undefined);
  /** How many there are. */
  private held = 0;
  /** Blocks entered in the middle of an IT block, by offset << 8 | ITSTATE. */
  readonly inIt = new Map<number, Block>();
  /** The instruction that begins in the last halfword: it depends on the next page, so it is kept with the second halfword it was made from. */
  readonly regions: TranslatedRegion[] = [];
  /** For each computed jump that was interpreted, by its offset: offsets on the same page that it led to. Only a profile: it may be out of date. */
  private readonly targets = new Map<number, number[]>();
  /** Offsets of instructions that made regions leave often: where the next translations call the interpreter. Only a profile, too. */
  readonly steps = new Set<number>();
  /** A bit for each halfword at which a block began, whether it is still there or not: what was executed. A profile as well. */
  private readonly began = new Uint32Array(64);
  straddler: { readonly second: number; readonly itstate: number; readonly block: Block } | undefined;

  constructor(hostPage: number, mode: number, shift: number) {
    this.hostPage = hostPage;
    this.mode = mode;
    this.shift = shift;
  }

  /** The block that begins at an offset with ITSTATE 0. */
  block(offset: number): Block | undefined {
    const granule = this.blocks[offset >>> 7];
    return granule === undefined ? undefined : granule[(offset & 127) >>> this.shift];
  }

  /** Keeps a block that begins with ITSTATE 0. */
  keep(block: Block): void {
    const offset = block.offsets[0]!;
    let granule = this.blocks[offset >>> 7];
    if (granule === undefined) {
      granule = new Array<Block | undefined>(128 >> this.shift).fill(undefined);
      this.blocks[offset >>> 7] = granule;
    }
    const index = (offset & 127) >>> this.shift;
    if (granule[index] === undefined) this.held++;
    granule[index] = block;
    this.began[offset >>> 6]! |= 1 << (offset >>> 1);
  }
  wasExecuted(offset: number): boolean {
    return ((this.began[offset >>> 6]! >>> (offset >>> 1)) & 1) !== 0;
  }
  /** What is in these granules has changed. */
  forgetProfile(granules: number): void {
    for (const offset of this.steps) if ((granules >>> (offset >>> 7)) & 1) this.steps.delete(offset);
    for (let i = 0; i < 32; i++) if ((granules >>> i) & 1) this.began.fill(0, 2 * i, 2 * i + 2);
  }

  /** Drops the blocks of which `isDropped` says so, and tells how many instructions that were. */
  dropBlocks(isDropped: (block: Block) => boolean): number {
    let instructions = 0;
    for (let g = 0, seen = this.held; seen > 0; g++) {
      const granule = this.blocks[g];
      if (granule === undefined) continue;
      for (let i = 0; i < granule.length; i++) {
        const block = granule[i];
        if (block === undefined) continue;
        seen--;
        if (!isDropped(block)) continue;
        granule[i] = undefined;
        this.held--;
        instructions += block.count;
      }
    }
    for (const [key, block] of this.inIt) {
      if (!isDropped(block)) continue;
      this.inIt.delete(key);
      instructions += block.count;
    }
    const straddler = this.straddler?.block;
    if (straddler !== undefined && isDropped(straddler)) {
      this.straddler = undefined;
      instructions += straddler.count;
    }
    return instructions;
  }

  /** The computed jump at the end of `block` led to this offset. */
  noteJump(block: Block, target: number): void {
    const from = block.offsets[block.count - 1]!;
    const known = this.targets.get(from);
    if (known === undefined) this.targets.set(from, [target]);
    else if (known.length < MOST_TARGETS && !known.includes(target)) known.push(target);
  }
  targetsOf(from: number): readonly number[] {
    return this.targets.get(from) ?? [];
  }
  isTarget(offset: number): boolean {
    for (const known of this.targets.values()) if (known.includes(offset)) return true;
    return false;
  }
}

/** One bit for each 128-byte granule of the page that the block's bytes touch. */
export const blockGranules = (block: Block): number => {
  const first = block.offsets[0]! >>> 7;
  const last = Math.min(block.offsets[block.count]! - 1, 4095) >>> 7;
  return (-1 << first) & (-1 >>> (31 - last));
};

/** The computed jump in the last instruction that the builder holds, unless it is a call or a return: its micro-operation, or -1. */
export const computedJump = (builder: Builder): number => {
  const { code, count } = builder;
  const instruction = builder.offsets.length - 1;
  let found = -1;
  for (let i = count - 1; i >= 0 && code[i * op.STRIDE + 5] === instruction; i--) {
    const kind = code[i * op.STRIDE];
    if (kind === op.SET_REG && code[i * op.STRIDE + 1] === 14) return -1;
    if (kind !== op.JUMP && kind !== op.JUMP_EXCHANGE) continue;
    const target = code[i * op.STRIDE + 1]!;
    if (code[target * op.STRIDE] === op.PAGE_PC || isReturn(builder, target)) return -1;
    found = i;
  }
  return found;
};

/** Makes a block of what the builder holds. */
export const finishBlock = (builder: Builder, compiled: CompiledBlock): Block => {
  const count = builder.offsets.length;
  // As long as it has to be: a list that grew holds room for sixteen more.
  const offsets = new Array<number>(count + 1);
  for (let k = 0; k < count; k++) offsets[k] = builder.offsets[k]!;
  offsets[count] = builder.nextOffset;
  const itstates = builder.itstates.some((itstate) => itstate !== 0) ? builder.itstates.slice() : undefined;
  const { statements, starts, from, end } = compiled;
  return { statements, starts, from, end, count, offsets, itstates, heat: 0, jumps: computedJump(builder) >= 0, entry: undefined };
};

/** Of a full cache, what is left when room was made, and what may be left because regions begin there. */
const LEFT = 0.75;
const MOST_LEFT = 0.9;

/** Pages kept at most. More than a Debian boot runs. */
const PAGE_LIMIT = 16_384;

/**
 * Translations by physical page and mode. Bounded, which no guest can notice: beyond `limit` instructions the blocks that were executed least often are
 * dropped, beyond {@link PAGE_LIMIT} pages everything.
 */
export class CodeCache {
  private readonly pages = new Map<number, CodePage>();
  private readonly byHostPage = new Map<number, CodePage[]>();
  private readonly granules: Uint32Array;
  private readonly limit: number;
  /** Instructions held. */
  instructions = 0;
  /** Instructions ever translated. */
  translated = 0;

  /** Told of each region that is dropped. */
  onRegionDropped: (region: TranslatedRegion) => void = () => {};

  private readonly compact: CompactStore | undefined;

  /** `granules` is the memory's bitmap of translated code, one word a page; `compact` is where blocks are that are no closures. */
  constructor(granules: Uint32Array, limit: number, compact?: CompactStore) {
    this.granules = granules;
    this.limit = limit;
    this.compact = compact;
  }

  page(hostPage: number, mode: number, shift: number): CodePage {
    const key = hostPage * 128 + mode;
    let page = this.pages.get(key);
    if (page === undefined) {
      page = new CodePage(hostPage, mode, shift);
      this.pages.set(key, page);
      const others = this.byHostPage.get(hostPage);
      if (others) others.push(page);
      else this.byHostPage.set(hostPage, [page]);
    }
    return page;
  }

  /** True when the cache is full and must be cleared (with every reference to its pages) before the next block. */
  get full(): boolean {
    return this.pages.size >= PAGE_LIMIT;
  }
  /** Pages held, each once for every mode that ran there. */
  get pageCount(): number {
    return this.pages.size;
  }

  /** Keeps a block. True when it is the first code of its physical page: stores to it must leave the fast path from now on. */
  add(page: CodePage, block: Block, itstate: number): boolean {
    if (itstate === 0) {
      page.keep(block);
      for (const { entries } of page.regions) block.entry ??= entries.find((entry) => entry.offset === block.offsets[0]);
    } else page.inIt.set((block.offsets[0]! << 8) | itstate, block);
    return this.account(page, block);
  }

  /** Keeps a block that goes on in the next page, instead of the one that was made with another second half. */
  addStraddler(page: CodePage, second: number, itstate: number, block: Block): boolean {
    this.instructions -= page.straddler?.block.count ?? 0;
    page.straddler = { second, itstate, block };
    return this.account(page, block);
  }

  /** Keeps a region of the page. Result as `add`'s. */
  addRegion(page: CodePage, region: TranslatedRegion): boolean {
    page.regions.push(region);
    for (const entry of region.entries) {
      const block = page.block(entry.offset);
      if (block !== undefined) block.entry = entry;
    }
    const before = this.granules[page.hostPage]!;
    this.granules[page.hostPage] = before | region.granules;
    return before === 0;
  }

  /** Drops one region of the page. */
  removeRegion(page: CodePage, region: TranslatedRegion): void {
    const index = page.regions.indexOf(region);
    if (index >= 0) this.dropRegion(page, index);
  }

  /** Drops every region; blocks stay, and begin to count their heat again. */
  clearRegions(): void {
    for (const page of this.pages.values()) {
      while (page.regions.length > 0) this.dropRegion(page, page.regions.length - 1);
    }
  }

  private dropRegion(page: CodePage, index: number): void {
    const [region] = page.regions.splice(index, 1);
    for (const { offset } of region!.entries) {
      const block = page.block(offset);
      if (block?.entry?.region !== region) continue;
      block.entry = undefined;
      block.heat = 0;
    }
    this.onRegionDropped(region!);
  }

  private account(page: CodePage, block: Block): boolean {
    this.instructions += block.count;
    this.translated += block.count;
    const before = this.granules[page.hostPage]!;
    this.granules[page.hostPage] = before | blockGranules(block);
    return before === 0;
  }

  /** Drops every block of the page that touches the granules. */
  invalidate(hostPage: number, granules: number): void {
    const pages = this.byHostPage.get(hostPage);
    let left = 0;
    for (const page of pages ?? []) left |= this.invalidatePage(page, granules);
    this.granules[hostPage] = left;
  }

  private invalidatePage(page: CodePage, granules: number): number {
    let left = 0;
    page.forgetProfile(granules);
    for (let i = page.regions.length - 1; i >= 0; i--) {
      if (page.regions[i]!.granules & granules) this.dropRegion(page, i);
      else left |= page.regions[i]!.granules;
    }
    this.instructions -= page.dropBlocks((block) => {
      const covered = blockGranules(block);
      if (covered & granules) return true;
      left |= covered;
      return false;
    });
    return left;
  }

  /**
   * Makes room when there is none for another block: drops those that the interpreter came to least often, as far as {@link LEFT} of what is full, and halves what
   * is counted of the others. Where a region begins they are kept, since they lead to it. Nobody may be executing one of the blocks.
   */
  makeRoom(): void {
    if (this.instructions >= this.limit) this.dropColdest(this.limit);
    if (!this.compact?.crowded) return;
    this.moveTogether();
    if (!this.compact.exhausted) return;
    this.dropColdest(this.instructions);
    this.moveTogether();
  }

  private moveTogether(): void {
    this.compact!.move((visit) => {
      for (const page of this.pages.values())
        page.dropBlocks((block) => {
          visit(block);
          return false;
        });
    });
  }

  private dropColdest(full: number): void {
    // By the number of bits in the count.
    const byHeat = new Array<number>(33).fill(0);
    const rank = ({ heat }: Block): number => 32 - Math.clz32(heat);
    for (const page of this.pages.values())
      page.dropBlocks((block) => {
        if (block.entry === undefined) byHeat[rank(block)]! += block.count;
        return false;
      });
    let least = 0;
    for (let left = this.instructions; least <= 32; least++) {
      left -= byHeat[least]!;
      if (left <= full * LEFT) break;
    }
    for (const page of this.pages.values())
      this.instructions -= page.dropBlocks((block) => {
        if (block.entry === undefined && rank(block) <= least) return true;
        block.heat >>>= 1;
        return false;
      });
    // Whatever is left has a region.
    if (this.instructions > full * MOST_LEFT) this.clearRegions();
  }

  clear(): void {
    this.clearRegions();
    for (const hostPage of this.byHostPage.keys()) this.granules[hostPage] = 0;
    this.pages.clear();
    this.byHostPage.clear();
    this.compact?.clear();
    this.instructions = 0;
  }
}
