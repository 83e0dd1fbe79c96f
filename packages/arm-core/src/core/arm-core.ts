import type { Block, ClosureEnvironment, CodePage, InlineKernels, RegionEntry, StateViews } from '@tablewalk/engine';
import { ClosureCompiler, CodeCache, EXIT_MISSED, EXIT_RESYNC, Frame, layout, RegionModuleBuilder } from '@tablewalk/engine';
import type { CachedMemory, CodeWatcher, GuestMemory, LateEffects, MemorySystem, Observer, SystemBus, Timeline } from '@tablewalk/machine';
import type { DecodeMode } from '../isa/arm-builder.js';
import { decodeTables } from '../isa/decode-tables.js';
import type { CoreProfile } from '../profiles/profile.js';
import { CPSR_A, CPSR_E, CPSR_F, CPSR_I, CPSR_T, MODE_SVC, MODE_USR } from '../system/core-system.js';
import { bankOf, RegisterBanks } from './banks.js';
import { CachedAccess } from './cached-access.js';
import { Exceptions } from './exceptions.js';
import type { SavedTables } from './fast-table.js';
import { FastTable } from './fast-table.js';
import { fpInlines } from './fp-inlines.js';
import { GUEST_EXIT } from './guest-exit.js';
import { MemoryAccess } from './memory-access.js';
import { neonFloatInlines } from './neon-float-inlines.js';
import { neonInlines } from './neon-inlines.js';
import { ProgramStatus } from './program-status.js';
import { RegionFormer } from './region-former.js';
import type { Step, TranslationOptions } from './region-runner.js';
import { RegionRunner } from './region-runner.js';
import { SystemInlines } from './system-inlines.js';
import type { InstructionSets } from './translator.js';
import { Translator } from './translator.js';
import { WatchedAccess } from './watched-access.js';

/** Bits of a decode mode: the key of a code page and the low bits of a jump-cache tag. */
const KEY_THUMB = 1;
const KEY_BIG_ENDIAN = 2;
const KEY_PRIVILEGED = 4;
const KEY_VFP = 8;
const KEY_SIMD = 16;
const KEY_ALIGNED = 32;
const KEY_SHORT_VECTORS = 64;
/** FPSCR.STRIDE and LEN. */
const FPSCR_SHORT_VECTORS = 0x00370000;

/** Translated instructions kept before the cache begins again: about 250 bytes each. */
const CODE_CACHE_INSTRUCTIONS = 600_000;

/** Size of the whole address space. */
const WHOLE = 2 ** 32;
/** Longest budget of one `run`, so that counters stay small integers. */
const LONGEST_RUN = 1 << 29;

export interface ArmCoreParts {
  readonly profile: CoreProfile;
  readonly memory: GuestMemory;
  /** Byte offset of the core's state in `memory`, `layout.STATE_BYTES` long. */
  readonly stateOffset: number;
  readonly bus: SystemBus;
  readonly memorySystem: MemorySystem;
  readonly timeline: Timeline;
  /** Hot code runs in WebAssembly when this is given; everything is interpreted otherwise. What the guest sees is the same. */
  readonly translation?: TranslationOptions;
  /** The state word STORE_HASH goes on with each store, in either engine, so that runs can be compared. Slow; default false. */
  readonly hashesStores?: boolean;
  /** The memory system has state that look-ups change, so a snapshot says which look-ups the fast table saves. Default false. */
  readonly statefulLookups?: boolean;
  /** Nothing keeps a translation once its tables have changed: whoever reads descriptors says where with {@link ArmCore.watchTable}. Default false. */
  readonly transparentTables?: boolean;
  /** Caches with contents: everything that is not functional fidelity. Absent: memory is coherent. */
  readonly cachedMemory?: CachedMemory;
  /** Who waits for barriers. Absent: nobody, and barriers cost nothing. */
  readonly lateEffects?: LateEffects;
}

const instructionSets = (): InstructionSets => {
  const { A32: a32, T32: t32, T16: t16 } = decodeTables();
  return { a32, t32, t16 };
};

const viewsOf = (buffer: ArrayBuffer, offset: number): StateViews => ({
  words: new Int32Array(buffer, offset, layout.STATE_BYTES / 4),
  u32: new Uint32Array(buffer, offset, layout.STATE_BYTES / 4),
  f32: new Float32Array(buffer, offset, layout.STATE_BYTES / 4),
  f64: new Float64Array(buffer, offset, layout.STATE_BYTES / 8),
  u8: new Uint8Array(buffer, offset, layout.STATE_BYTES),
  i8: new Int8Array(buffer, offset, layout.STATE_BYTES),
  u16: new Uint16Array(buffer, offset, layout.STATE_BYTES / 2),
  i16: new Int16Array(buffer, offset, layout.STATE_BYTES / 2),
});

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
  private readonly translator: Translator;
  /** A page of guest memory has translated code now. */
  private readonly codeAppeared: (hostPage: number) => void;
  /** The page being executed, or null when it must be looked up. */
  private page: CodePage | null = null;
  private readonly regions: RegionRunner | undefined;
  private inlines: SystemInlines | undefined;
  /** Instruction of the block at PC that a region left to the interpreter, or -1. */
  private resumption = -1;
  /** Slot of the region that was left there at an access, or -1. */
  private missed = -1;
  private block: Block | undefined;
  private attention = false;
  private runEnd = 0;
  private modeKey = 0;
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
    this.fast = new FastTable<CodePage>(this.words, (low, size) => this.leavePage(low, size));
    const cached = parts.cachedMemory;
    this.late = parts.lateEffects;
    this.access =
      cached === undefined
        ? new (parts.transparentTables ? WatchedAccess : MemoryAccess)(
            this.frame,
            this.state,
            memory,
            parts.bus,
            parts.memorySystem,
            this.fast,
            this,
          )
        : new CachedAccess(this.frame, this.state, memory, parts.bus, parts.memorySystem, this.fast, this, cached);
    this.access.hashesStores = parts.hashesStores ?? false;
    this.exceptions = new Exceptions(this);
    this.cache = new CodeCache(memory.codeGranules, CODE_CACHE_INSTRUCTIONS);
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
    const compiler = new ClosureCompiler(env);
    const fetch = cached === undefined ? (host: number) => memory.u16[host >>> 1]! : (host: number) => cached.fetch(host);
    this.translator = new Translator(parts.profile, instructionSets(), compiler, fetch);
    // A store that goes straight to a dirty line reaches no fetch: the line's old bytes are what is fetched.
    this.codeAppeared = cached === undefined ? (hostPage) => this.fast.protect(hostPage) : () => {};
    this.fast.keeps = !(parts.transparentTables && cached);
    // Regions ask nobody, which who counts each access and who keeps nothing want.
    const asksNobody = this.fast.keeps && !cached?.everyAccess;
    this.regions = parts.translation && asksNobody ? this.regionRunner(parts, parts.translation, compiler, env, fetch) : undefined;
    parts.memorySystem.connect(this.fast);
    memory.watch(this, () => this.fast.dropAll());
    this.fast.keepsDevices = !parts.statefulLookups;
    cached?.connect({
      dropHostPage: (hostPage) => this.fast.dropHostPage(hostPage),
      dropData: () => this.fast.dropAll(),
      codeWritten: (hostPage, granules) => this.codeWritten(hostPage, granules),
      dropCode: () => this.fast.dropCode(),
    });
  }

  private regionRunner(
    { profile, memory, stateOffset, lateEffects, hashesStores }: ArmCoreParts,
    options: TranslationOptions,
    compiler: ClosureCompiler,
    { bound, lines }: ClosureEnvironment,
    fetch: (host: number) => number,
  ): RegionRunner {
    const ram = memory.regions.find((region) => region.writable);
    const system = new SystemInlines(ram);
    system.setBarriers(lateEffects !== undefined, false);
    this.inlines = system;
    const inlines: InlineKernels = {
      pure: new Map(),
      vector: new Map([...fpInlines, ...neonInlines, ...neonFloatInlines]),
      call: system.calls,
    };
    const former = new RegionFormer(new Translator(profile, instructionSets(), compiler, fetch));
    const step = (number: number, pc: number, budget: number): number => this.step(this.regions!.steps[number]!, pc, budget);
    const host = { memory: memory.memory, state: this.state, bound, step };
    const modules = new RegionModuleBuilder(stateOffset, inlines, {
      ...(options.linked === false && { linked: false }),
      ...(hashesStores && { hashesStores }),
      ...(lines && { shadow: { offset: lines.shadow.byteOffset, log2: lines.log2 } }),
    });
    return new RegionRunner(host, stateOffset, former, modules, this.cache, this.codeAppeared, options);
  }

  get observers(): readonly Observer[] {
    return this.told;
  }
  /** What they see happens in the interpreter, but for barriers, which regions leave for then. */
  set observers(observers: readonly Observer[]) {
    this.told = observers;
    const heard = observers.some(({ barrier }) => barrier !== undefined);
    if (this.inlines?.setBarriers(this.late !== undefined, heard)) this.cache.clearRegions();
  }

  /** Regions ever translated to WebAssembly, the instructions in them, and how many of them the host still holds. */
  get translated(): { readonly regions: number; readonly instructions: number; readonly held: number } {
    const { regions, instructions, held } = this.regions ?? { regions: 0, instructions: 0, held: 0 };
    return { regions, instructions, held };
  }

  /** Translates what is hot now, without waiting for more. Nothing that a guest sees. */
  translateWanted(): void {
    this.regions?.translate();
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
    const access = (this.cpacr >>> 20) & 3;
    return access === 3 || (access === 1 && this.privileged);
  }

  /** Recomputes what depends on mode and control bits. */
  updateMode(): void {
    const control = this.words[layout.CPSR_CONTROL]!;
    const before = this.privileged;
    this.privileged = (control & 0x1f) !== MODE_USR;
    if (before !== this.privileged) this.onPrivilegeChange();
    const vfp = this.vfpAccessible() && (this.words[layout.FPEXC]! & (1 << 30)) !== 0;
    this.modeKey =
      (control & CPSR_T ? KEY_THUMB : 0) |
      (control & CPSR_E ? KEY_BIG_ENDIAN : 0) |
      (this.privileged ? KEY_PRIVILEGED : 0) |
      (vfp ? KEY_VFP : 0) |
      (vfp && this.cpacr >= 0 ? KEY_SIMD : 0) |
      (this.alignmentChecked ? KEY_ALIGNED : 0) |
      (this.words[layout.FPSCR_CONTROL]! & FPSCR_SHORT_VECTORS ? KEY_SHORT_VECTORS : 0);
    this.words[layout.DECODE_MODE] = this.modeKey;
    this.page = null;
    if ((this.irq && (control & CPSR_I) === 0) || (this.fiq && (control & CPSR_F) === 0)) this.requestAttention();
  }

  private decodeMode(): DecodeMode {
    const key = this.modeKey;
    return {
      thumb: (key & KEY_THUMB) !== 0,
      bigEndian: (key & KEY_BIG_ENDIAN) !== 0,
      privileged: this.privileged,
      vfpEnabled: (key & KEY_VFP) !== 0,
      simdEnabled: (key & KEY_SIMD) !== 0,
      shortVectors: (key & KEY_SHORT_VECTORS) !== 0,
      alignmentChecked: this.alignmentChecked,
    };
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
    if (this.block !== undefined) this.frame.limit = Math.min(this.frame.limit, this.block.starts[this.frame.index + 1]!);
  }

  /** The page being executed, or others at these VAs, may not be what they were. */
  private leavePage(low = 0, size: number = WHOLE): void {
    this.page = null;
    if (size === WHOLE) this.regions?.clearJumps();
    else this.regions?.dropJumps(low, size);
    this.stopBlock();
  }

  codeWritten(hostPage: number, granules: number): void {
    this.cache.invalidate(hostPage, granules);
    this.leavePage();
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
    this.fast.load(tables, (hostPage, tag) => this.cache.page(hostPage, tag & 0xfff, tag & KEY_THUMB ? 1 : 2));
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
    const { words: R, frame, timeline, regions } = this;
    let left = Math.min(budget, LONGEST_RUN);
    this.runEnd = timeline.current + left;
    this.attention = false;
    this.noteLines();
    regions?.tick(timeline.current);
    while (left > 0 && !this.attention) {
      try {
        while (left > 0 && !this.attention) {
          let block = this.nextBlock();
          let i = 0;
          if (regions !== undefined) {
            if (block.entry === undefined) {
              if (++block.heat === regions.heat) regions.request(this.page!, block, this.decodeMode(), timeline.current);
              else if (block.heat === regions.pressing) regions.translate();
            }
            const { entry } = block;
            if (entry !== undefined && left >= entry.region.leastBudget) {
              const from = R[layout.PC]!;
              left = this.runRegions(regions, entry, left);
              const resumes = left > 0 && this.resumption >= 0;
              if (resumes) block = this.nextBlock();
              if (this.onRegionExit !== undefined && left > 0) this.regionLeft(entry, from, left, resumes ? block : undefined);
              if (!resumes) continue;
              if (this.missed >= 0) regions.noteLeave(this.missed, block.offsets[this.resumption]!, this.runEnd - left);
              // As if the instructions of the block that are done already were still to be paid.
              left += this.resumption;
              i = block.starts[this.resumption]!;
            }
          }
          const { statements } = block;
          this.block = block;
          R[layout.BUDGET] = left;
          frame.limit = block.count <= left ? statements.length : block.starts[left]!;
          do statements[i++]!();
          while (i < frame.limit);
          if (i === statements.length) {
            left -= block.count;
            if (block.jumps && regions !== undefined) this.noteJump(block);
          } else left -= this.stoppedAt(block, i);
        }
      } catch (error) {
        if (error !== GUEST_EXIT) {
          // The embedder's: the clock is as the instruction found it, and a reset finds no block in progress.
          this.synchronize();
          this.block = undefined;
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
    const { words: R, resumption } = this;
    this.timeline.current = this.runEnd - left;
    if (this.attention) return;
    const pc = block === undefined ? R[layout.PC]! : R[layout.PAGE_VA]! + block.offsets[resumption]!;
    const itstate = block === undefined ? R[layout.ITSTATE]! : block.itstates === undefined ? 0 : block.itstates[resumption]!;
    this.onRegionExit!(entry, from >>> 0, pc >>> 0, itstate);
  }

  /** A computed jump was interpreted: where it leads, when that is on the same page. */
  private noteJump(block: Block): void {
    const pc = this.words[layout.PC]!;
    if (this.page !== null && ((pc ^ this.words[layout.PAGE_VA]!) & ~0xfff) === 0) this.page.noteJump(block, pc & 0xfff);
  }

  /** Runs regions from the one at PC on; returns what is left of the budget, and sets `resumption`. */
  private runRegions(regions: RegionRunner, entry: RegionEntry, budget: number): number {
    const R = this.words;
    const pc = R[layout.PC]!;
    R[layout.BUDGET] = budget;
    regions.setJump(pc, this.modeKey, entry);
    const result = regions.run(pc);
    this.resumption = -1;
    if ((result & 1) === 0) R[layout.PC] = result;
    else {
      const code = R[layout.EXIT_CODE]!;
      if (code >= 0) {
        R[layout.PC] = result & ~1;
        this.resumption = code & (EXIT_MISSED - 1);
        this.missed = code & EXIT_MISSED ? code >>> 8 : -1;
      } else this.page = null;
    }
    // Regions change the instruction set by themselves, and steps take the page along.
    if (R[layout.DECODE_MODE] !== this.modeKey) this.updateMode();
    else if (this.page !== null && this.page.mode !== this.modeKey) this.page = null;
    return R[layout.BUDGET]!;
  }

  /**
   * One instruction for a region, whose function calls this with everything in the state (`RegionHost.step`). Result: 0 when the next instruction is the
   * next and nothing changed that a region relies on.
   */
  private step(step: Step, pc: number, budget: number): number {
    const { words: R, frame } = this;
    const { page, mode, offset, itstate } = step;
    step.block ??= this.translator.translate(mode, page.hostPage * 4096, offset, itstate, undefined, 1);
    const { statements } = step.block;
    R[layout.BUDGET] = budget;
    R[layout.PC] = pc;
    R[layout.PAGE_VA] = pc & ~0xfff;
    this.page = page;
    this.block = step.block;
    frame.index = 0;
    try {
      for (let i = 0; i < statements.length; i++) statements[i]!();
      this.block = undefined;
      if (this.page !== null && !this.attention) {
        R[layout.ITSTATE] = 0;
        return 0;
      }
    } catch (error) {
      if (error !== GUEST_EXIT) throw error;
      this.block = undefined;
    }
    R[layout.BUDGET] = budget - 1;
    R[layout.EXIT_CODE] = EXIT_RESYNC;
    return 1;
  }

  /** Number of instructions done when a block was left before statement `i`; PC and ITSTATE are those of the next. */
  private stoppedAt(block: Block, i: number): number {
    let k = 1;
    while (block.starts[k]! < i) k++;
    this.words[layout.PC] = this.words[layout.PAGE_VA]! + block.offsets[k]!;
    if (block.itstates !== undefined) this.words[layout.ITSTATE] = block.itstates[k]!;
    return k;
  }

  /** The block at PC. A fetch that faults takes its abort and leaves; so does running into a full cache, to begin afresh. */
  private nextBlock(): Block {
    const R = this.words;
    const pc = R[layout.PC]!;
    let page = this.page;
    if (page === null || (pc ^ R[layout.PAGE_VA]!) & ~0xfff) page = this.enterPage(pc);
    if (R[layout.ITSTATE] === 0) {
      const block = page.blocks[(pc & 0xfff) >>> page.shift];
      if (block !== undefined) return block;
    }
    return this.uncommonBlock(page, pc);
  }

  private enterPage(pc: number): CodePage {
    const tag = (pc & ~0xfff) | this.modeKey;
    let page = this.fast.jump(tag);
    if (page === undefined) {
      const host = this.fetchOffset(pc, pc);
      page = this.cache.page(Math.floor(host / 4096), this.modeKey, this.modeKey & KEY_THUMB ? 1 : 2);
      this.fast.setJump(tag, page);
    }
    this.page = page;
    this.words[layout.PAGE_VA] = pc & ~0xfff;
    return page;
  }

  /** Host offset to fetch from; aborts at `pc` with `va` as the fault address. */
  private fetchOffset(va: number, pc: number): number {
    const host = this.access.locateCode(va, this.privileged);
    if (host !== undefined && host >= 0) return host;
    this.block = undefined;
    this.frame.index = 0;
    this.words[layout.PC] = pc;
    if (host === undefined) this.takePrefetchAbort(this.memorySystem.fault.status, this.memorySystem.fault.va);
    else this.takePrefetchAbort(this.memorySystem.faultStatus('external'), va);
    throw GUEST_EXIT;
  }

  private uncommonBlock(page: CodePage, pc: number): Block {
    const R = this.words;
    const offset = pc & 0xfff;
    const itstate = R[layout.ITSTATE]!;
    if (itstate !== 0) {
      R[layout.ITSTATE] = 0;
      const known = page.inIt.get((offset << 8) | itstate);
      if (known !== undefined) return known;
    }
    if (this.cache.full) {
      this.cache.clear();
      this.fast.renewCode(({ hostPage, mode, shift }) => this.cache.page(hostPage, mode, shift));
      this.leavePage();
      R[layout.ITSTATE] = itstate;
      return this.nextBlock();
    }
    const pageOffset = page.hostPage * 4096;
    if (offset === 4094 && Translator.isWide(this.translator.halfword(pageOffset, 4094)))
      return this.straddlingBlock(page, pc, pageOffset, itstate);
    const block = this.translator.translate(this.decodeMode(), pageOffset, offset, itstate);
    if (this.cache.add(page, block, itstate)) this.codeAppeared(page.hostPage);
    return block;
  }

  /** A T32 instruction across two pages: its second half may change with the mapping, so it is fetched each time. */
  private straddlingBlock(page: CodePage, pc: number, pageOffset: number, itstate: number): Block {
    this.words[layout.ITSTATE] = itstate;
    const host = this.fetchOffset((pc + 2) | 0, pc);
    this.words[layout.ITSTATE] = 0;
    const second = this.translator.halfword(host, 0);
    const known = page.straddler;
    if (known !== undefined && known.second === second && known.itstate === itstate) return known.block;
    const block = this.translator.translate(this.decodeMode(), pageOffset, 4094, itstate, second);
    if (this.cache.addStraddler(page, second, itstate, block)) this.codeAppeared(page.hostPage);
    return block;
  }

  /** Bank of SPSR of the current mode; 0 has none. */
  get spsrBank(): number {
    return bankOf(this.mode);
  }
}
