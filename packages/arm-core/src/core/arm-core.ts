import type { Block, BlockCompiler, ClosureEnvironment, CodePage, CompactCode, RegionEntry, StateViews } from '@tablewalk/engine';
import { ClosureCompiler, CodeCache, compactCode, Frame, layout } from '@tablewalk/engine';
import type { CodeWatcher, GuestMemory, LateEffects, MemorySystem, Observer, Timeline } from '@tablewalk/machine';
import { decodeTables } from '../isa/decode-tables.js';
import type { CoreProfile } from '../profiles/profile.js';
import { CPSR_A, CPSR_F, CPSR_I, CPSR_T, MODE_SVC, MODE_USR } from '../system/core-system.js';
import { accessFor } from './access-for.js';
import { bankOf, RegisterBanks } from './banks.js';
import type { CodePages } from './code-pages.js';
import { CodeSource } from './code-source.js';
import type { ArmCoreParts } from './core-parts.js';
import { viewsOf } from './core-parts.js';
import { CoreRegions } from './core-regions.js';
import { decodeKey, KEY_PRIVILEGED, offsetShift, vfpAccessible } from './decode-mode.js';
import { Exceptions } from './exceptions.js';
import type { SavedTables } from './fast-table.js';
import { FastTable } from './fast-table.js';
import { GUEST_EXIT } from './guest-exit.js';
import { LineTable } from './line-table.js';
import type { MemoryAccess } from './memory-access.js';
import { ProgramStatus } from './program-status.js';
import { Translator } from './translator.js';

/** Instructions that are kept in blocks: as closures, of about 250 bytes each, or as compact code, of 22 bytes beside the block's own. */
const HELD = 600_000;
/** Words of compact code that there is room for at first. */
const COMPACT_WORDS = 1 << 20;

/** Size of the whole address space. */
const WHOLE = 2 ** 32;
/** Longest budget of one `run`, so that counters stay small integers. */
const LONGEST_RUN = 1 << 29;
/** The same where accesses are counted, of which an instruction may make 32. */
const LONGEST_COUNTED_RUN = 1 << 26;

/**
 * One core: state, dispatch of translated blocks, faults and interrupts. What instructions may ask of it is `system/core-system.ts`; this class is
 * the part that runs.
 */
export class ArmCore implements CodeWatcher {
  readonly profile: CoreProfile;
  readonly state: StateViews;
  readonly words: Int32Array;
  readonly banks: RegisterBanks;
  readonly status: ProgramStatus;
  readonly memorySystem: MemorySystem;
  readonly memory: GuestMemory;
  readonly timeline: Timeline;
  readonly frame = new Frame();
  readonly fast: FastTable<CodePage>;
  readonly access: MemoryAccess;
  readonly exceptions: Exceptions;
  readonly late: LateEffects | undefined;
  readonly cache: CodeCache;
  readonly code: CodeSource;
  private readonly regions: CoreRegions | undefined;
  private readonly compact: CompactCode | undefined;
  /** The block whose instruction runs. */
  block: Block | undefined;
  /** `run` is to return. */
  attention = false;
  runEnd = 0;
  privileged = true;
  /** SCTLR bits that the core acts on; the MMU owns the register. */
  alignmentChecked = false;
  swapEnabled = false;
  thumbExceptions = false;
  bigEndianExceptions = false;
  private highVectors = false;
  /** VBAR. */
  vbar = 0;
  private cpacr = 0;
  irq = false;
  fiq = false;
  /** Sleeping in WFI or WFE until an interrupt (or event). */
  halted = false;
  /** True when the core takes the same exception for ever: nothing but a reset ends that. */
  lockedUp = false;
  private told: readonly Observer[] = [];
  /**
   * Called at exits of regions, with the clock exact, unless something wants attention: `entry` is where it was entered, at VA `from`; `pc` and `itstate` are
   * those of the next instruction. For who compares; it sees every exit when regions are not linked.
   */
  onRegionExit: ((entry: RegionEntry, from: number, pc: number, itstate: number) => void) | undefined;
  /** Called when PL0 was entered or left. */
  onPrivilegeChange: () => void = () => {};

  /** `systemCore` is what CALL kernels get: the CoreSystem made over this core. */
  constructor(parts: ArmCoreParts, systemCore: (core: ArmCore) => unknown) {
    const { memory } = parts;
    this.profile = parts.profile;
    this.memory = memory;
    this.timeline = parts.timeline;
    this.memorySystem = parts.memorySystem;
    this.state = viewsOf(memory.buffer, parts.stateOffset);
    this.words = this.state.words;
    this.banks = new RegisterBanks(this.words);
    this.status = new ProgramStatus(this.words, this.banks);
    this.fast = new FastTable<CodePage>(this.words, {
      dropped: (low, size) => this.leavePage(low, size),
      suspended: (pages) => this.suspendCode(pages),
      resumed: () => this.regions?.jumps.resume(),
    });
    const cached = parts.cachedMemory;
    this.late = parts.lateEffects;
    this.access = accessFor(parts, this.frame, this.state, this.fast, this);
    this.exceptions = new Exceptions(this);
    const env: ClosureEnvironment = {
      state: this.state,
      m8: memory.u8,
      m16: memory.u16,
      m32: memory.i32,
      access: this.access,
      core: systemCore(this) as never,
      bound: new Map(),
      ...(cached && { lines: { shadow: cached.shadow, log2: cached.lineSizeLog2 } }),
      ...(parts.hashesStores && { everyStore: true }),
      ...(cached?.everyAccess && { everyAccess: { fetchLog2: cached.fetchLineSizeLog2 } }),
    };
    const closures = new ClosureCompiler(env);
    this.fast.keeps = !(parts.transparentTables && cached);
    // Regions ask nobody, which who keeps nothing wants, and who counts each access unless regions know what hits.
    const translation = this.fast.keeps && (!cached?.everyAccess || parts.hitPaths !== undefined) ? parts.translation : undefined;
    if (translation && parts.hitPaths) this.fast.lines = new LineTable(this.state, parts.hitPaths);
    // What is executed often is in regions, and what is left is mostly executed a few times.
    this.compact = translation && !cached?.everyAccess ? compactCode(env, COMPACT_WORDS) : undefined;
    this.cache = new CodeCache(memory.codeGranules, translation?.interpreted ?? HELD, this.compact?.store);
    const fetch = cached === undefined ? (host: number) => memory.u16[host >>> 1]! : (host: number) => cached.fetch(host);
    const { A32: a32, T32: t32, T16: t16 } = decodeTables();
    const translator = (compiler: BlockCompiler): Translator => new Translator(parts.profile, { a32, t32, t16 }, compiler, fetch);
    // A store that goes straight to a dirty line reaches no fetch: the line's old bytes are what is fetched.
    const codeAppeared = cached === undefined ? (hostPage: number) => this.fast.protect(hostPage) : () => {};
    this.code = new CodeSource(this, translator(this.compact?.compiler ?? closures), codeAppeared);
    if (translation) this.regions = new CoreRegions(this, parts, translation, env, translator(closures), codeAppeared);
    parts.memorySystem.connect(this.fast);
    memory.watch(this, () => this.fast.dropAll());
    this.fast.keepsDevices = !parts.statefulLookups;
    this.fast.suspends = !parts.statefulLookups;
    cached?.connect({
      dropHostPage: (hostPage) => this.fast.dropHostPage(hostPage),
      dropData: () => this.fast.dropAll(),
      codeWritten: (hostPage, granules) => this.codeWritten(hostPage, granules),
      dropCode: () => this.fast.dropCode(),
    });
  }

  get observers(): readonly Observer[] {
    return this.told;
  }
  /** What they see happens in the interpreter, but for barriers, which regions leave for then. */
  set observers(observers: readonly Observer[]) {
    this.told = observers;
    this.regions?.setObservers(observers);
  }

  /**
   * Regions ever translated to WebAssembly, the instructions in them, and how many of them the host still holds; of those compiled beside the guest, how
   * many were not used since their code had changed by then.
   */
  get translated(): { readonly regions: number; readonly instructions: number; readonly held: number; readonly late: number } {
    const { regions, instructions, held, late } = this.regions?.runner ?? { regions: 0, instructions: 0, held: 0, late: 0 };
    return { regions, instructions, held, late };
  }

  /** Translates what is hot now, without waiting for more. Nothing that a guest sees. */
  translateWanted(): void {
    this.regions?.runner.translate();
  }

  /** Power-on state: SVC mode, everything masked, A32, PC at the reset vector. Registers are 0. */
  reset(): void {
    this.words.fill(0, 0, layout.TEMP0);
    this.banks.reset();
    this.words[layout.FLAG_Z] = 0;
    this.words[layout.CPSR_CONTROL] = MODE_SVC | CPSR_A | CPSR_I | CPSR_F;
    this.halted = false;
    this.lockedUp = false;
    this.fast.dropAll();
    this.controlChanged(this.profile.sctlrReset);
    this.updateMode();
  }

  /** SCTLR changed: what of it concerns the core. */
  controlChanged(sctlr: number): void {
    this.alignmentChecked = (sctlr & 2) !== 0;
    this.swapEnabled = (sctlr & (1 << 10)) !== 0;
    this.highVectors = (sctlr & (1 << 13)) !== 0;
    this.bigEndianExceptions = (sctlr & (1 << 25)) !== 0;
    this.thumbExceptions = (sctlr & (1 << 30)) !== 0;
    this.updateMode();
  }

  /** CPACR or FPEXC changed. */
  coprocessorAccessChanged(cpacr: number): void {
    this.cpacr = cpacr;
    this.updateMode();
  }

  vectorBase(): number {
    return this.highVectors ? 0xffff0000 : this.vbar;
  }

  /** Whether CPACR lets the current privilege use coprocessors 10 and 11. */
  vfpAccessible(): boolean {
    return vfpAccessible(this.cpacr, this.privileged);
  }

  /** Recomputes what depends on mode and control bits. */
  updateMode(): void {
    const control = this.words[layout.CPSR_CONTROL]!;
    const before = this.privileged;
    this.privileged = (control & 0x1f) !== MODE_USR;
    if (before !== this.privileged) this.onPrivilegeChange();
    const key = decodeKey(this.words, this.cpacr, this.alignmentChecked);
    this.code.key = key;
    this.code.page = null;
    this.words[layout.DECODE_MODE] = key;
    if ((this.irq && (control & CPSR_I) === 0) || (this.fiq && (control & CPSR_F) === 0)) this.requestAttention();
  }

  /** Interrupt lines from the interrupt controller. */
  setIrq(level: boolean): void {
    this.irq = level;
    this.noteLines();
    if (level) this.requestAttention();
  }
  setFiq(level: boolean): void {
    this.fiq = level;
    this.noteLines();
    if (level) this.requestAttention();
  }

  private noteLines(): void {
    this.words[layout.INTERRUPT_LINES] = (this.irq ? CPSR_I : 0) | (this.fiq ? CPSR_F : 0);
  }

  /** Makes `run` return after the current instruction. */
  requestAttention(): void {
    this.attention = true;
    this.stopBlock();
  }

  /** Leaves the running block after the current instruction. */
  private stopBlock(): void {
    if (this.block !== undefined) this.frame.limit = Math.min(this.frame.limit, this.startOf(this.block, this.frame.index + 1));
  }

  /** The page being executed, or others at these VAs, may not be what they were. */
  leavePage(low = 0, size: number = WHOLE): void {
    this.code.page = null;
    if (size === WHOLE) this.regions?.jumps.clear();
    else this.regions?.jumps.drop(low, size);
    this.stopBlock();
  }

  /** Code of an address space may not run for a time. What runs now does not mind, unless it is privileged and among it. */
  private suspendCode({ tags, size }: CodePages<CodePage>): void {
    if (this.privileged) {
      let mine = false;
      for (let i = 0; i < size; i++) if (tags[i]! & KEY_PRIVILEGED) mine = true;
      if (!mine) {
        this.regions?.jumps.suspend();
        return;
      }
    }
    this.leavePage();
  }

  codeWritten(hostPage: number, granules: number): void {
    this.cache.invalidate(hostPage, granules);
    this.code.page = null;
    this.stopBlock();
  }

  /** VA of the running instruction, or of the next one between blocks. */
  instructionAddress(): number {
    const { block } = this;
    return block === undefined ? this.words[layout.PC]! >>> 0 : (this.words[layout.PAGE_VA]! + block.offsets[this.frame.index]!) >>> 0;
  }

  /** VA of the instruction after the running one. */
  followingAddress(): number {
    const { block } = this;
    return block === undefined ? this.words[layout.PC]! >>> 0 : (this.words[layout.PAGE_VA]! + block.offsets[this.frame.index + 1]!) >>> 0;
  }

  /** ITSTATE of the same as `instructionAddress`. */
  itstate(): number {
    const { block } = this;
    if (block === undefined) return this.words[layout.ITSTATE]!;
    return block.itstates === undefined ? 0 : block.itstates[this.frame.index]!;
  }

  get thumb(): boolean {
    return (this.words[layout.CPSR_CONTROL]! & CPSR_T) !== 0;
  }
  get mode(): number {
    return this.words[layout.CPSR_CONTROL]! & 0x1f;
  }

  readCpsr(): number {
    return this.status.read(this.itstate());
  }
  writeCpsr(value: number, mask: number): void {
    if (this.status.write(value, mask)) this.updateMode();
  }

  exchange(target: number): void {
    const R = this.words;
    R[layout.CPSR_CONTROL] = R[layout.CPSR_CONTROL]! ^ CPSR_T;
    R[layout.PC] = target & (target & 1 ? ~1 : ~3);
    this.updateMode();
  }

  /** Between blocks the timeline is exact already. */
  synchronize(): void {
    if (this.block !== undefined) this.timeline.current = this.runEnd - this.words[layout.BUDGET]! + this.frame.index;
  }

  leave(): never {
    throw GUEST_EXIT;
  }

  dataAbort(status: number, va: number, write: boolean): never {
    this.takeDataAbort(status, va, write);
    throw GUEST_EXIT;
  }

  /** A walk read a descriptor in this page of guest memory. */
  watchTable(hostPage: number): void {
    this.access.watchTable(hostPage);
  }

  /** Fast table and jump cache, for snapshots. */
  saveTables(): SavedTables {
    return this.fast.save((page) => page.hostPage);
  }
  loadTables(tables: SavedTables): void {
    this.fast.load(tables, (hostPage, tag) => this.cache.page(hostPage, tag & 0xfff, offsetShift(tag)));
  }

  prefetchAbort(status: number, va: number): never {
    this.takePrefetchAbort(status, va);
    throw GUEST_EXIT;
  }

  /** DFSR, DFAR, IFSR and IFAR, which aborts write. */
  readonly faults = { dfsr: 0, dfar: 0, ifsr: 0, ifar: 0 };

  takeDataAbort(status: number, va: number, write: boolean): void {
    const pc = this.instructionAddress();
    this.faults.dfsr = status | (write ? 1 << 11 : 0);
    this.faults.dfar = va >>> 0;
    for (const observer of this.observers) observer.translationFault?.(va >>> 0, write ? 1 : 0, this.faults.dfsr, pc);
    this.exceptions.enter('data-abort', pc, pc + 8, this.readCpsr());
  }

  takePrefetchAbort(status: number, va: number): void {
    const pc = this.instructionAddress();
    this.faults.ifsr = status;
    this.faults.ifar = va >>> 0;
    for (const observer of this.observers) observer.translationFault?.(va >>> 0, 2, status, pc);
    if (pc === (this.vectorBase() + 0x0c) >>> 0) this.lockUp();
    this.exceptions.enter('prefetch-abort', pc, pc + 4, this.readCpsr());
  }

  takeUndefined(): void {
    const pc = this.instructionAddress();
    if (pc === (this.vectorBase() + 0x04) >>> 0) this.lockUp();
    this.exceptions.enter('undefined', pc, pc + (this.thumb ? 2 : 4), this.readCpsr());
  }

  private lockUp(): void {
    this.lockedUp = true;
    this.requestAttention();
  }

  observeException(kind: Parameters<NonNullable<Observer['exception']>>[0], pc: number, target: number, cpsr: number): void {
    for (const observer of this.observers) observer.exception?.(kind, pc, target, cpsr);
  }

  /** Takes a pending interrupt that is not masked. Called between blocks. */
  deliverInterrupts(): void {
    this.block = undefined;
    if (this.irq || this.fiq) this.halted = false;
    const control = this.words[layout.CPSR_CONTROL]!;
    const pc = this.words[layout.PC]!;
    if (this.fiq && (control & CPSR_F) === 0) this.exceptions.enter('fiq', pc, pc + 4, this.readCpsr());
    else if (this.irq && (control & CPSR_I) === 0) this.exceptions.enter('irq', pc, pc + 4, this.readCpsr());
  }

  /**
   * Runs at most `budget` instructions (positive, and exactly that many unless something wants attention: an interrupt, a sleep, a nearer deadline,
   * a lock-up). Advances the timeline. An instruction that ends in an exception counts as one.
   */
  run(budget: number): void {
    const { words: R, frame, timeline, code, regions, compact } = this;
    let left = Math.min(budget, this.fast.lines === undefined ? LONGEST_RUN : LONGEST_COUNTED_RUN);
    this.runEnd = timeline.current + left;
    this.attention = false;
    this.noteLines();
    regions?.runner.tick(timeline.current);
    while (left > 0 && !this.attention) {
      try {
        while (left > 0 && !this.attention) {
          let block = code.next();
          let i = -1;
          if (regions !== undefined) {
            if (block.entry === undefined) regions.came(block, timeline.current);
            const { entry } = block;
            if (entry !== undefined && left >= entry.region.leastBudget) {
              const from = R[layout.PC]!;
              this.block = undefined;
              left = regions.run(entry, left);
              const { resumption } = regions;
              const resumes = left > 0 && resumption >= 0;
              if (resumes) block = code.next();
              if (this.onRegionExit !== undefined && left > 0) this.regionLeft(entry, from, left, resumes ? block : undefined);
              if (!resumes) continue;
              if (regions.missed >= 0) regions.runner.noteLeave(regions.missed, block.offsets[resumption]!, this.runEnd - left);
              // As if the instructions of the block that are done already were still to be paid.
              left += resumption;
              i = this.startOf(block, resumption);
            }
          }
          const { statements } = block;
          if (i < 0) i = block.from;
          this.block = block;
          R[layout.BUDGET] = left;
          frame.limit = block.count <= left ? block.end : this.startOf(block, left);
          if (statements === undefined) i = compact!.run(i);
          else {
            do statements[i++]!();
            while (i < frame.limit);
          }
          if (i === block.end) {
            left -= block.count;
            if (block.jumps) regions?.noteJump(block);
          } else left -= this.stoppedAt(block, i);
        }
      } catch (error) {
        if (error !== GUEST_EXIT) {
          // The embedder's: the clock is as the instruction found it, and a reset finds no block in progress.
          this.synchronize();
          this.block = undefined;
          if (R[layout.DECODE_MODE] !== code.key) this.updateMode();
          throw error;
        }
        left -= frame.index + 1;
      }
      this.block = undefined;
    }
    this.block = undefined;
    timeline.current = this.runEnd - left;
  }

  private regionLeft(entry: RegionEntry, from: number, left: number, block: Block | undefined): void {
    const { words: R } = this;
    const resumption = this.regions!.resumption;
    this.timeline.current = this.runEnd - left;
    if (this.attention) return;
    const pc = block === undefined ? R[layout.PC]! : R[layout.PAGE_VA]! + block.offsets[resumption]!;
    const itstate = block === undefined ? R[layout.ITSTATE]! : block.itstates === undefined ? 0 : block.itstates[resumption]!;
    this.onRegionExit!(entry, from >>> 0, pc >>> 0, itstate);
  }

  /** Where instruction `k` of a block begins, as `frame.limit` counts. */
  private startOf(block: Block, k: number): number {
    return block.statements === undefined ? this.compact!.store.startOf(block.from, block.end, k) : block.starts[k]!;
  }

  /** Number of instructions done when a block was left before statement `i`; PC and ITSTATE are those of the next. */
  private stoppedAt(block: Block, i: number): number {
    let k = 1;
    while (this.startOf(block, k) < i) k++;
    this.words[layout.PC] = this.words[layout.PAGE_VA]! + block.offsets[k]!;
    if (block.itstates !== undefined) this.words[layout.ITSTATE] = block.itstates[k]!;
    return k;
  }

  /** Host offset to fetch from; aborts at `pc` with `va` as the fault address. */
  fetchOffset(va: number, pc: number): number {
    const host = this.access.locateCode(va, this.privileged);
    if (host !== undefined && host >= 0) return host;
    this.block = undefined;
    this.frame.index = 0;
    this.words[layout.PC] = pc;
    if (host === undefined) this.takePrefetchAbort(this.memorySystem.fault.status, this.memorySystem.fault.va);
    else this.takePrefetchAbort(this.memorySystem.faultStatus('external'), va);
    throw GUEST_EXIT;
  }

  /** Bank of SPSR of the current mode; 0 has none. */
  get spsrBank(): number {
    return bankOf(this.mode);
  }
}
