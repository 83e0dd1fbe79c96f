import type { Block, ClosureEnvironment, CodeCache, CodePage, Frame, InlineKernels, PlainAccess, RegionEntry } from '@tablewalk/engine';
import { EXIT_MISSED, EXIT_RESYNC, foundAccesses, layout, RegionModuleBuilder } from '@tablewalk/engine';
import type { Observer } from '@tablewalk/machine';
import type { BesideOwner } from './beside-memory.js';
import { accessBeside } from './beside-memory.js';
import type { CachedAccess } from './cached-access.js';
import type { CodeSource } from './code-source.js';
import type { ArmCoreParts } from './core-parts.js';
import { accessCounted } from './counted-access.js';
import { decodeModeOf } from './decode-mode.js';
import type { FastTable } from './fast-table.js';
import { fpInlines } from './fp-inlines.js';
import { GUEST_EXIT } from './guest-exit.js';
import { JumpTable } from './jump-table.js';
import type { LineTable } from './line-table.js';
import type { MemoryAccess } from './memory-access.js';
import { neonFloatInlines } from './neon-float-inlines.js';
import { neonInlines } from './neon-inlines.js';
import { RegionFormer } from './region-former.js';
import type { Step, TranslationOptions } from './region-runner.js';
import { RegionRunner } from './region-runner.js';
import { SystemInlines } from './system-inlines.js';
import type { Translator } from './translator.js';

/** What running regions needs of its core. */
export interface RegionOwner extends BesideOwner {
  readonly frame: Frame;
  readonly cache: CodeCache;
  readonly access: MemoryAccess;
  readonly fast: FastTable<CodePage>;
  /** SCTLR.A. */
  readonly alignmentChecked: boolean;
  /** The block whose instruction runs, if any. */
  block: Block | undefined;
  updateMode(): void;
}

/** The regions of one core as its run loop uses them: entered from it, left to it, and served by it one instruction at a time. */
export class CoreRegions {
  readonly runner: RegionRunner;
  readonly jumps: JumpTable;
  /** Instruction of the block at PC that a region left to the interpreter, or -1. */
  resumption = -1;
  /** Slot of the region that was left there at an access, or -1. */
  missed = -1;
  private readonly owner: RegionOwner;
  private readonly words: Int32Array;
  private readonly code: CodeSource;
  private readonly system: SystemInlines;
  private readonly translator: Translator;
  /** Where each access is counted. */
  private readonly counted: LineTable | undefined;

  constructor(
    owner: RegionOwner,
    { memory, stateOffset, bus, lateEffects, cachedMemory, hashesStores, hitPaths }: ArmCoreParts,
    options: TranslationOptions,
    { state, bound, lines }: ClosureEnvironment,
    translator: Translator,
    codeAppeared: (hostPage: number) => void,
  ) {
    this.owner = owner;
    this.words = owner.words;
    this.code = owner.code;
    this.translator = translator;
    this.counted = owner.fast.lines;
    this.jumps = new JumpTable(owner.words);
    this.system = new SystemInlines(
      // Exclusives look twice for one access, which is the interpreter's where that is counted.
      hitPaths === undefined ? memory.regions.find((region) => region.writable) : undefined,
      { late: lateEffects !== undefined, coherent: cachedMemory === undefined },
    );
    const inlines: InlineKernels = {
      pure: new Map(),
      vector: new Map([...fpInlines, ...neonInlines, ...neonFloatInlines]),
      call: this.system.calls,
    };
    const modules = new RegionModuleBuilder(stateOffset, inlines, {
      ...(options.linked === false && { linked: false }),
      ...(hashesStores && { hashesStores }),
      ...(hitPaths && {
        hits: {
          dataLog2: hitPaths.data.lineSizeLog2,
          dataPairs: hitPaths.data.pairs,
          fetchLog2: hitPaths.fetch.lineSizeLog2,
          fetchPairs: hitPaths.fetch.pairs,
        },
      }),
      ...(lines && { shadow: { offset: lines.shadow.byteOffset, log2: lines.log2 } }),
    });
    const step = (number: number, pc: number, budget: number): number => this.step(number, pc, budget);
    const { counted } = this;
    const brought =
      counted === undefined
        ? { access: accessBeside(owner, bus, this, step) }
        : accessCounted(owner, owner.access as CachedAccess, counted, this, step, (...at) => this.stepAt(...at));
    const plainHost = { memory: memory.memory, state, bound, step, ...brought };
    const { misses, lineSizeLog2, pairs } = hitPaths?.data ?? {};
    const host =
      counted === undefined || misses === undefined
        ? plainHost
        : {
            ...plainHost,
            access: foundAccesses(stateOffset, plainHost, { ...misses, lineLog2: lineSizeLog2!, pairs: pairs!, tables: counted.places }),
          };
    this.runner = new RegionRunner(host, stateOffset, new RegionFormer(translator), modules, owner.cache, codeAppeared, options);
    owner.cache.onRegionDropped = ({ slot }) => {
      this.jumps.dropFunction(slot);
      this.runner.dropped(slot);
    };
  }

  /** Who listens has changed: regions leave for what somebody hears of. */
  setObservers(observers: readonly Observer[]): void {
    const barriers = observers.some(({ barrier }) => barrier !== undefined);
    const writes = observers.some(({ systemRegisterWrite }) => systemRegisterWrite !== undefined);
    if (this.system.setObserved(barriers, writes)) this.runner.renew();
  }

  /** The interpreter comes to a block of the page being executed, at this guest time, that has no region. */
  came(block: Block, time: number): void {
    const { runner } = this;
    const heat = ++block.heat;
    if (heat === runner.heat) runner.request(this.code.page!, block, decodeModeOf(this.code.key), time);
    else if (heat === runner.pressing) runner.translate();
  }

  /** A computed jump was interpreted: where it leads, when that is on the same page. */
  noteJump(block: Block): void {
    const { page } = this.code;
    const pc = this.words[layout.PC]!;
    if (page !== null && ((pc ^ this.words[layout.PAGE_VA]!) & ~0xfff) === 0) page.noteJump(block, pc & 0xfff);
  }

  /** Runs regions from the one at PC on; returns what is left of the budget, and sets `resumption` and `missed`. */
  run(entry: RegionEntry, budget: number): number {
    const { words: R, code } = this;
    const pc = R[layout.PC]!;
    R[layout.BUDGET] = budget;
    this.jumps.set(pc, code.key, entry);
    const result = this.runCounted(pc);
    this.resumption = -1;
    if ((result & 1) === 0) R[layout.PC] = result;
    else {
      const exit = R[layout.EXIT_CODE]!;
      if (exit >= 0) {
        R[layout.PC] = result & ~1;
        this.resumption = exit & (EXIT_MISSED - 1);
        this.missed = exit & EXIT_MISSED ? exit >>> 8 : -1;
      } else {
        R[layout.ACCESS_ENDS] = 0;
        code.page = null;
      }
    }
    // Regions change the instruction set by themselves, and steps take the page along.
    if (R[layout.DECODE_MODE] !== code.key) this.owner.updateMode();
    else if (code.page !== null && code.page.mode !== code.key) code.page = null;
    return R[layout.BUDGET]!;
  }

  private runCounted(pc: number): number {
    const { counted } = this;
    if (counted === undefined) return this.runner.run(pc);
    try {
      return this.runner.run(pc);
    } finally {
      counted.settleEnd();
    }
  }

  /**
   * One instruction for a region, whose function calls this with everything in the state (`RegionHost.step`). Result: 0 when the next instruction is the
   * next and nothing changed that a region relies on.
   */
  private step(number: number, pc: number, budget: number): number {
    this.counted?.settle();
    const { words: R, owner, code } = this;
    const step = this.begin(number, pc, budget);
    try {
      const { plain } = step;
      let isDone = true;
      if (plain !== undefined && plain.base >= 0) {
        const next = pc + step.next - step.offset;
        if (this.counted !== undefined) this.fetch(pc, next);
        isDone = this.transfer(plain, next);
      } else for (const statement of step.block!.statements!) statement();
      owner.block = undefined;
      if (isDone && code.page !== null && !owner.attention) {
        R[layout.ITSTATE] = 0;
        return 0;
      }
    } catch (error) {
      if (error !== GUEST_EXIT) throw error;
      owner.block = undefined;
    }
    return this.end(budget);
  }

  /** The same of an access that is found to be no memory, or to fault: `host` is what `find` said of it. Its code has been fetched. */
  private stepAt(host: number, va: number, number: number, pc: number, budget: number): number {
    const { words: R, owner, code } = this;
    const { plain, next, offset } = this.begin(number, pc, budget);
    const { register, flags, isStore, written, delta } = plain!;
    try {
      const isDone = owner.access.transferAt(host, register, va, flags, isStore);
      owner.block = undefined;
      if (isDone) {
        if (written >= 0) R[written] = R[written]! + delta;
        R[layout.PC] = pc + next - offset;
        if (code.page !== null && !owner.attention) {
          R[layout.ITSTATE] = 0;
          return 0;
        }
      }
    } catch (error) {
      if (error !== GUEST_EXIT) throw error;
      owner.block = undefined;
    }
    return this.end(budget);
  }

  /** An instruction is about to be executed as if the interpreter had come to it. */
  private begin(number: number, pc: number, budget: number): Step {
    const { words: R, owner, code } = this;
    const step = this.runner.steps[number]!;
    let { block } = step;
    if (block === undefined) {
      const { page, offset, itstate } = step;
      block = this.translator.translate(step.mode, page.hostPage * 4096, offset, itstate, undefined, 1);
      step.block = block;
    }
    R[layout.BUDGET] = budget;
    R[layout.PC] = pc;
    R[layout.PAGE_VA] = pc & ~0xfff;
    code.page = step.page;
    owner.block = block;
    owner.frame.index = 0;
    return step;
  }

  private end(budget: number): number {
    this.words[layout.BUDGET] = budget - 1;
    this.words[layout.EXIT_CODE] = EXIT_RESYNC;
    return 1;
  }

  /** As its closures would. */
  private fetch(pc: number, next: number): void {
    this.owner.access.fetch(pc, 0);
    this.owner.access.fetch(next - 1, 0);
  }

  /** Does an instruction without its closures; `next` is the VA of the one after it. False: it ended in a data abort. */
  private transfer({ isStore, flags, register, base, index, offset, written, delta }: PlainAccess, next: number): boolean {
    const { words: R } = this;
    const va = (R[base]! + offset + (index < 0 ? 0 : R[index]!)) | 0;
    if (!this.owner.access.transfer(register, va, flags, isStore)) return false;
    if (written >= 0) R[written] = R[written]! + delta;
    R[layout.PC] = next;
    return true;
  }
}
