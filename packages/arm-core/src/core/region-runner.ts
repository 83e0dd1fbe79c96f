import type {
  Block,
  CodeCache,
  CodePage,
  RegionEntry,
  RegionHost,
  RegionModuleBuilder,
  Trampoline,
  TranslatedRegion,
} from '@tablewalk/engine';
import { instantiateRegions, layout, makeTrampoline } from '@tablewalk/engine';
import type { DecodeMode } from '../isa/arm-builder.js';
import type { RegionFormer } from './region-former.js';

/** How eagerly code is translated. None of it changes what a guest sees. */
export interface TranslationOptions {
  /** Executions of a block in the interpreter after which it is translated; default 300. */
  readonly heat?: number;
  /** Regions compiled together; default 16. */
  readonly batch?: number;
  /** Regions kept; default 6000. */
  readonly regions?: number;
  /** Translate what a region leads to although it was never executed: for tests. Default false. */
  readonly cold?: boolean;
  /** Regions go on in one another; false: each comes back to the core at its exits, for who compares. Default true. */
  readonly linked?: boolean;
}

const DEFAULT_HEAT = 300;
const DEFAULT_BATCH = 16;
const DEFAULT_REGIONS = 6000;
/** Guest time in ns after which a batch is translated although it is not full. */
const LONGEST_WAIT = 300_000;

interface Wanted {
  readonly page: CodePage;
  readonly block: Block;
  readonly mode: DecodeMode;
}

/** Regions of one core: which code is worth translating, its translations, and running them. */
export class RegionRunner {
  /** Heat at which a block is wanted. */
  readonly heat: number;
  /** Runs regions from VA `pc` on; `setJump` has been called for it. Another one after each {@link renew}. */
  run!: Trampoline;
  /** Regions and instructions ever translated. */
  regions = 0;
  instructions = 0;
  /** Regions that the host still holds, dropped or not: slots of the table that are in use. */
  held = 0;
  private readonly batch: number;
  private readonly cold: boolean;
  private readonly linked: boolean;
  private readonly former: RegionFormer;
  private readonly modules: RegionModuleBuilder;
  private readonly stateOffset: number;
  private readonly parts: Omit<RegionHost, 'table'>;
  private host!: RegionHost;
  private readonly capacity: number;
  private readonly cache: CodeCache;
  private readonly codeAppeared: (hostPage: number) => void;
  private readonly words: Int32Array;
  private wanted: Wanted[] = [];
  private wantedSince = 0;
  /** Entries of the jump table in use. */
  private readonly filled = new Int32Array(layout.JUMP_ENTRIES);
  private filledCount = 0;

  /** `codeAppeared` is told of pages that held no translated code before. */
  constructor(
    parts: Omit<RegionHost, 'table'>,
    stateOffset: number,
    former: RegionFormer,
    modules: RegionModuleBuilder,
    cache: CodeCache,
    codeAppeared: (hostPage: number) => void,
    options: TranslationOptions,
  ) {
    this.linked = options.linked ?? true;
    this.parts = parts;
    this.stateOffset = stateOffset;
    this.words = parts.state.words;
    this.former = former;
    this.modules = modules;
    this.cache = cache;
    this.codeAppeared = codeAppeared;
    this.heat = Math.max(options.heat ?? DEFAULT_HEAT, 1);
    this.batch = Math.max(options.batch ?? DEFAULT_BATCH, 1);
    this.cold = options.cold ?? false;
    this.capacity = Math.max(options.regions ?? DEFAULT_REGIONS, 1);
    cache.onRegionDropped = () => this.clearJumps();
    this.words.fill(layout.JUMP_INVALID, layout.JUMP_TABLE / 4, layout.JUMP_TABLE / 4 + layout.JUMP_ENTRIES * layout.JUMP_STRIDE);
    this.renew();
  }

  /**
   * Drops all regions and lets go of every module. A host keeps whatever was instantiated with a table for as long as the table, so slots are never used
   * twice: a dropped region costs one until all are, and what a run that translates without end holds is bounded by the size of the table.
   */
  private renew(): void {
    this.cache.clearRegions();
    this.host = { ...this.parts, table: new WebAssembly.Table({ element: 'anyfunc', initial: this.capacity }) };
    this.run = makeTrampoline(this.stateOffset, this.host, this.linked);
    this.held = 0;
  }

  /** The block has become hot. */
  request(page: CodePage, block: Block, mode: DecodeMode, time: number): void {
    if (page.blocks[block.offsets[0]! >>> page.shift] !== block) return;
    if (this.wanted.length === 0) this.wantedSince = time;
    this.wanted.push({ page, block, mode });
    if (this.wanted.length >= this.batch) this.translate();
  }

  /** Called now and then. */
  tick(time: number): void {
    if (this.wanted.length > 0 && time - this.wantedSince >= LONGEST_WAIT) this.translate();
  }

  /** Translates whatever is wanted. */
  translate(): void {
    if (this.wanted.length === 0) return;
    if (this.capacity - this.held < this.wanted.length) this.renew();
    const { modules } = this;
    const made: { readonly page: CodePage; readonly region: TranslatedRegion }[] = [];
    // Where computed jumps lead comes last: it is in the region of the jump as a rule, and needs none of its own then.
    const isTarget = ({ page, block }: Wanted): boolean => page.isTarget(block.offsets[0]!);
    const wanted = [...this.wanted.filter((each) => !isTarget(each)), ...this.wanted.filter(isTarget)];
    const inside = new Set<string>();
    for (const { page, block, mode } of wanted) {
      const head = block.offsets[0]!;
      const name = `${page.hostPage}/${page.mode}/${head}`;
      if (this.cache.page(page.hostPage, page.mode, page.shift) !== page) continue;
      if (page.blocks[head >>> page.shift] !== block || inside.has(name) || this.held + made.length >= this.capacity) continue;
      const region = this.former.form(
        mode,
        page.hostPage * 4096,
        head,
        (offset) => this.cold || page.blocks[offset >>> page.shift] !== undefined,
        (from) => page.targetsOf(from),
      );
      if (region === undefined) continue;
      const slot = this.held + made.length;
      const emitted = modules.add(region, { ...mode, key: page.mode }, slot);
      let granules = 0;
      for (const { first, end, next } of region.blocks) {
        for (let k = first; k < end; k++) granules |= 1 << (region.builder.offsets[k]! >>> 7);
        granules |= 1 << (Math.min(next - 1, 4095) >>> 7);
      }
      const entries: RegionEntry[] = [];
      const translated: TranslatedRegion = {
        granules,
        entries,
        leastBudget: emitted.leastBudget,
        slot,
        ...(!this.linked && {
          source: { thumb: mode.thumb, blocks: region.blocks.map(({ offset, next }) => [offset, next] as const) },
        }),
      };
      // Code in the region needs no region that begins there, unless it is come to from elsewhere often enough from now on.
      for (const offset of region.builder.offsets) {
        inside.add(`${page.hostPage}/${page.mode}/${offset}`);
        const within = page.blocks[offset >>> page.shift];
        if (within !== undefined) within.heat = 0;
      }
      emitted.entries.forEach((offset, number) => {
        entries.push({ region: translated, number, offset });
      });
      made.push({ page, region: translated });
      this.instructions += emitted.count;
    }
    this.wanted = [];
    if (made.length === 0) return;
    instantiateRegions(modules.finish(), this.host);
    this.held += made.length;
    for (const { page, region } of made) if (this.cache.addRegion(page, region)) this.codeAppeared(page.hostPage);
    this.regions += made.length;
  }

  /** Lets running regions find the entry for VA `pc` in decode mode `key`. */
  setJump(pc: number, key: number, entry: RegionEntry): void {
    const R = this.words;
    const at = (layout.JUMP_TABLE >>> 2) + ((pc >>> 2) & (layout.JUMP_ENTRIES - 1)) * layout.JUMP_STRIDE;
    if (R[at + layout.JUMP_PC] === layout.JUMP_INVALID) this.filled[this.filledCount++] = at;
    R[at + layout.JUMP_PC] = pc;
    R[at + layout.JUMP_MODE] = key;
    R[at + layout.JUMP_FUNCTION] = entry.region.slot;
    R[at + layout.JUMP_ENTRY] = entry.number;
  }

  /** VAs may mean something else from now on. */
  clearJumps(): void {
    for (let i = 0; i < this.filledCount; i++) this.words[this.filled[i]! + layout.JUMP_PC] = layout.JUMP_INVALID;
    this.filledCount = 0;
  }
}
