import type { CoreProfile } from '@tablewalk/arm-core';
import { ArmCpu, coreProfiles } from '@tablewalk/arm-core';
import { genericTimer } from '@tablewalk/devices';
import { layout } from '@tablewalk/engine';
import type { Diagnostics, Observer, Snapshot } from '@tablewalk/machine';
import { ConsoleStream, GuestMemory, RunLoop, SystemBus, Timeline } from '@tablewalk/machine';
import { CoherencyMap, Vmsav7 } from '@tablewalk/mmu';
import type { BootPlan } from './boot.js';
import { planBoot } from './boot.js';
import type { GuestCallContext } from './guest-calls.js';
import { answerPsci, answerSemihosting } from './guest-calls.js';
import { hostTurn } from './host-turn.js';
import type { MachineEnd } from './machine-end.js';
import { crashReport } from './machine-end.js';
import { MachineError } from './machine-error.js';
import type { MachineEvents } from './machine-events.js';
import { MachineListeners } from './machine-events.js';
import * as map from './memory-map.js';
import type { MemoryModels } from './memory-models.js';
import { hitPathsOf, memoryModels, tailBytes } from './memory-models.js';
import type { MemoryStatistics } from './memory-statistics.js';
import { estimatedCycles, walkCounts } from './memory-statistics.js';
import { noncoherentDma } from './noncoherent-dma.js';
import type { RegionContents, StoredBytes } from './ram-snapshot.js';
import { restoreRam, saveRam } from './ram-snapshot.js';
import { RandomEvictions } from './random-evictions.js';
import { seededWords } from './seeded-bytes.js';

import type { VirtBoard } from './virt-board.js';
import { FLASH_REGIONS, virtBoard } from './virt-board.js';
import type { VirtMachineOptions } from './virt-options.js';

const MIB = 1024 * 1024;
/** The core's state at the bottom of guest memory. */
const STATE_OFFSET = 0;

const silent: Diagnostics = { guestError: () => {}, unimplemented: () => {} };

const profileOf = (cpu: string | CoreProfile): CoreProfile => {
  if (typeof cpu !== 'string') return cpu;
  const profile = coreProfiles[cpu];
  if (profile === undefined) throw new MachineError('cpu', `there is no core '${cpu}'; there are ${Object.keys(coreProfiles).join(', ')}`);
  return profile;
};

/**
 * QEMU's `virt` board with one core: the whole machine as an object. It runs when it is told to, in the caller's thread, and depends on nothing of the
 * host.
 */
export class VirtMachine {
  readonly profile: CoreProfile;
  readonly memory: GuestMemory;
  readonly bus: SystemBus;
  readonly timeline = new Timeline();
  readonly cpu: ArmCpu;
  readonly mmu: Vmsav7;
  /** TLB and cache models, and what follows from them. */
  readonly models: MemoryModels;
  /** Contents of the caches; null where memory is coherent. */
  readonly coherency: CoherencyMap | null;
  readonly board: VirtBoard;
  /** The PL011 as a stream. */
  readonly console: ConsoleStream;
  readonly plan: BootPlan;
  private readonly loop: RunLoop;
  private readonly evictions: RandomEvictions | undefined;
  private readonly options: VirtMachineOptions;
  private readonly listeners = new MachineListeners();
  private end: MachineEnd | undefined;
  /** What a run threw: the state may be that of half an instruction. */
  private failure: { readonly error: unknown } | undefined;

  /** @throws {MachineError | BootError | FdtError | LoaderError} one line that says what cannot be */
  constructor(options: VirtMachineOptions) {
    this.options = options;
    this.models = memoryModels(profileOf(options.cpu ?? 'cortex-a15'), options);
    const { tlb, caches, transparent, profile } = this.models;
    this.profile = profile;
    const ramBytes = options.memory ?? 128 * MIB;
    this.plan = planBoot({
      ramBytes,
      cpu: this.profile.compatible.replace(/^arm,/, ''),
      seed: options.seed ?? 0,
      highMemory: this.profile.lpae,
      ...(options.kernel && { kernel: options.kernel }),
      ...(options.initrd && { initrd: options.initrd }),
      ...(options.append !== undefined && { append: options.append }),
      ...(options.dtb && { dtb: options.dtb }),
      ...(options.bios && { firmware: options.bios }),
      ...(options.flash?.[0] && { flashHasFirmware: true }),
    });
    const regions = [
      { name: 'ram', base: map.RAM_BASE, byteLength: ramBytes, writable: true },
      { name: FLASH_REGIONS[0], base: map.FLASH0.address, byteLength: map.FLASH0.byteLength, writable: false },
      { name: FLASH_REGIONS[1], base: map.FLASH1.address, byteLength: map.FLASH1.byteLength, writable: false },
    ];
    this.memory = new GuestMemory(layout.STATE_BYTES, regions, (tailOffset) => tailBytes(this.models, tailOffset));
    const late = this.profile.lateEffects === true;
    this.coherency =
      caches === null
        ? null
        : new CoherencyMap({ memory: this.memory, caches, everyAccess: this.models.fidelity === 'measured', lateEffects: late });
    const { coherency } = this;
    const diagnostics = options.diagnostics ?? silent;
    this.bus = new SystemBus(diagnostics);
    const host = { clock: this.timeline, diagnostics };
    this.mmu = new Vmsav7({
      memory: { readU32: (pa, attributes) => this.readDescriptor(pa, attributes ?? 0) },
      inspect: { readU32: (pa, attributes) => this.inspectDescriptor(pa, attributes ?? 0) },
      ...(tlb && { tlb }),
      sctlrReset: this.profile.sctlrReset,
      longDescriptors: this.profile.lpae,
      multiprocessing: this.profile.features.has('mp'),
      lateEffects: late && tlb !== null,
      onControlChange: (_changed, sctlr) => {
        coherency?.controlChanged(sctlr);
        this.cpu?.core.controlChanged(sctlr);
      },
    });
    const { mmu } = this;
    this.cpu = new ArmCpu({
      profile: this.profile,
      memory: this.memory,
      stateOffset: STATE_OFFSET,
      bus: this.bus,
      memorySystem: this.mmu,
      timeline: this.timeline,
      ...(this.models.engine === 'wasm' && { translation: options.translation ?? {} }),
      ...(options.hashesStores && { hashesStores: true }),
      statefulLookups: tlb !== null || coherency !== null,
      transparentTables: transparent,
      ...(coherency && { cachedMemory: coherency }),
      ...hitPathsOf(this.models, this.memory, mmu, coherency),
      ...(late &&
        (tlb !== null || coherency !== null) && {
          lateEffects: {
            dataBarrier: (storesOnly) => {
              coherency?.dataBarrier(storesOnly);
              mmu.dataBarrier(storesOnly);
            },
            contextSynchronized: () => mmu.contextSynchronized(),
          },
        }),
      handlers: {
        hypervisorCall: (immediate) => {
          if (options.hypervisorCall?.(immediate) !== true) answerPsci(this.calls);
          return true;
        },
        ...(options.semihosting && {
          semihosting: () => {
            answerSemihosting(this.calls);
            return true;
          },
        }),
      },
    });
    this.mmu.defineRegisters(this.cpu.registers);
    this.console = new ConsoleStream((bytes) => this.board.uart.receive(bytes));
    this.board = virtBoard(
      options,
      this.memory,
      options.dma === 'noncoherent' && coherency ? noncoherentDma(this.memory, coherency) : this.memory,
      this.bus,
      host,
      { irq: { set: (level) => this.cpu.core.setIrq(level) }, fiq: { set: (level) => this.cpu.core.setFiq(level) } },
      this.plan,
      (byte) => this.console.put(byte),
    );
    this.calls = {
      cpu: this.cpu,
      memory: this.memory,
      timeline: this.timeline,
      translate: (va) => this.translate(va),
      print: (byte) => this.console.put(byte),
      finish: (end) => this.finish(end),
    };
    this.timer = genericTimer({
      host,
      bank: this.cpu.registers,
      physical: this.board.gic.privateLine(0, 30),
      virtual: this.board.gic.privateLine(0, 27),
    });
    this.loop = new RunLoop(this.cpu.core, this.timeline);
    if (options.evictions !== undefined) {
      this.evictions = new RandomEvictions(options.evictions.seed, options.evictions.interval ?? 1000, mmu, coherency);
      this.loop.setBackground(this.evictions);
    }
    if (options.snapshot === undefined) this.reset();
    else {
      this.resetDevices();
      this.restoreState(options.snapshot, true);
    }
  }
  private readonly timer: ReturnType<typeof genericTimer>;
  private readonly calls: GuestCallContext;

  /** What the walker reads: RAM and ROM; anything else is an external abort. */
  private readDescriptor(pa: number, attributes: number): number | undefined {
    const region = this.memory.regionAt(pa);
    if (region === undefined) return undefined;
    const host = this.memory.hostOffset(region, pa);
    if (this.models.transparent) this.cpu.core.watchTable(Math.floor(host / 4096));
    return this.coherency === null ? this.memory.i32[host >>> 2]! >>> 0 : this.coherency.walk(host, attributes);
  }

  /** The same for who only looks. */
  private inspectDescriptor(pa: number, attributes: number): number | undefined {
    const region = this.memory.regionAt(pa);
    if (region === undefined) return undefined;
    const host = this.memory.hostOffset(region, pa);
    return this.coherency === null ? this.memory.i32[host >>> 2]! >>> 0 : this.coherency.peekWalk(host, attributes);
  }

  /** Power-on: everything as constructed, images in memory again. Time and the instruction counter go on. RAM keeps what no image overwrites. */
  reset(): void {
    this.end = undefined;
    this.failure = undefined;
    this.console.reopen();
    this.resetDevices();
    for (const bank of [0, 1] as const) {
      const contents = this.options.flash?.[bank];
      if (contents) this.memory.romWindow(FLASH_REGIONS[bank]).write(0, contents.bytes);
    }
    for (const { target, address, bytes, byteLength } of this.plan.writes) this.place(target, address, bytes, byteLength);
    this.fillUnknown();
    this.cpu.start(this.plan.entry);
  }

  /**
   * TLB and caches as power-on leaves them. What is UNKNOWN may be anything; this is what is seen soonest: translations of every address, and lines of the
   * kernel's image, or for firmware of the first of RAM.
   */
  private fillUnknown(): void {
    const { plan, options, profile } = this;
    const firmware = plan.kind === 'firmware';
    if ((options.powerOn ?? (firmware ? 'unknown' : 'clean')) === 'clean' || profile.resetUnknown !== true) return;
    const random = seededWords((options.seed ?? 0) ^ 0x554e4b4e);
    const image = plan.writes.find(({ name, target }) => target === 'ram' && name.startsWith('kernel'));
    this.mmu.fillUnknown(random);
    this.coherency?.fillUnknown(random, image?.address ?? map.RAM_BASE);
  }

  private resetDevices(): void {
    this.bus.reset();
    this.coherency?.reset();
    this.timer.reset();
    this.mmu.reset();
    this.cpu.reset();
  }

  private place(target: 'ram' | 'flash', address: number, bytes: Uint8Array, byteLength: number): void {
    if (target === 'flash') {
      const bank = address >= map.FLASH1.address ? 1 : 0;
      this.memory.romWindow(FLASH_REGIONS[bank]).write(address - (bank === 1 ? map.FLASH1.address : map.FLASH0.address), bytes);
      return;
    }
    this.memory.write(address, bytes);
    if (byteLength > bytes.length) this.memory.write(address + bytes.length, new Uint8Array(byteLength - bytes.length));
  }

  /** PSCI through HVC. */
  /** Physical address of a VA as the TLB or the tables have it, or undefined when it does not translate. Nothing changes. */
  translate(va: number): number | undefined {
    return this.mmu.peek(va >>> 0);
  }

  private finish(end: MachineEnd): void {
    this.end ??= end;
    this.loop.stop();
  }

  /** Instructions retired since construction. An exact integer. */
  get instructions(): number {
    return this.loop.instructions;
  }
  /** Guest time in ns. */
  get time(): number {
    return this.timeline.current;
  }

  /** Events for tracers; an empty list costs nothing. */
  observe(observers: readonly Observer[]): void {
    this.cpu.core.observers = observers;
  }

  /**
   * Calls `listener` when the machine ends or is reset (see {@link MachineEvents}), between two instructions and before `run`, `runFor` or `step` comes
   * back. Returns the function that ends that. What a listener throws comes out of `run`, `runFor` or `step`.
   */
  on<Name extends keyof MachineEvents>(name: Name, listener: (event: MachineEvents[Name]) => void): () => void {
    return this.listeners.on(name, listener);
  }

  /**
   * Runs at most `instructions` now, without yielding. `asleep` only comes with `reportSleep`: the guest waits for an interrupt and the caller lets
   * time pass with {@link sleepUntil}. A machine that has ended stays so, and says the same again, until `reset` or `restore`.
   *
   * @throws what a callback of the embedder's threw, after the event `error`; from then on, a MachineError until `reset` or `restore`
   */
  runFor(instructions: number, reportSleep = false): MachineEnd {
    if (this.failure)
      throw new MachineError('run', 'an earlier run threw, the state may be half an instruction: reset or restore', {
        cause: this.failure.error,
      });
    if (this.end) return this.end;
    const end = this.slice(instructions, reportSleep);
    if (end.reason === 'reset') this.reset();
    else if (this.end) this.console.close(new MachineError('console', `the machine has ended: ${end.reason}`));
    this.announce(end);
    return end;
  }

  private slice(instructions: number, reportSleep: boolean): MachineEnd {
    try {
      const reason = this.loop.run(instructions, reportSleep);
      this.console.flush();
      if (reason === 'locked-up') this.end ??= { reason: 'crashed', message: crashReport(this.cpu) };
      else if (this.end === undefined) return { reason };
    } catch (error) {
      this.failure = { error };
      this.console.close(new MachineError('console', 'the run threw', { cause: error }));
      this.listeners.emit('error', error);
      throw error;
    }
    return this.end!;
  }

  private announce(end: MachineEnd): void {
    if (end.reason === 'poweroff') this.listeners.emit('poweroff', end);
    else if (end.reason === 'exit') this.listeners.emit('exit', end);
    else if (end.reason === 'reset') this.listeners.emit('reset', end);
    else if (end.reason === 'crashed') this.listeners.emit('crash', end);
  }

  /** Lets guest time pass in sleep up to the next timer, at most to `time` (ns). */
  sleepUntil(time: number): void {
    this.loop.skipTo(Math.min(time, this.loop.nextDeadline));
  }
  /** When the next timer expires, in ns of guest time; Infinity when none is armed. */
  get nextDeadline(): number {
    return this.loop.nextDeadline;
  }

  /** One instruction. */
  step(): MachineEnd {
    return this.runFor(1);
  }

  /** Ends the run in progress after the current instruction. */
  stop(): void {
    this.loop.stop();
  }

  /**
   * Runs until the machine ends (or `instructions` are done, or the signal says stop), giving the host its turn at least every 10 ms or so. Sleeps of
   * the guest cost no time. A guest that asks for a reset gets it and goes on.
   */
  async run(options: RunOptions = {}): Promise<MachineEnd> {
    const end = this.instructions + (options.instructions ?? Number.POSITIVE_INFINITY);
    for (;;) {
      if (options.signal?.aborted) return { reason: 'stopped' };
      const left = Math.min(end - this.instructions, SLICE);
      const result = this.runFor(left);
      if (result.reason === 'limit') {
        if (this.instructions >= end) return result;
      } else if (result.reason !== 'reset') {
        return result;
      } else options.onReset?.();
      await hostTurn();
    }
  }

  /** Types at the console. */
  send(data: string | Uint8Array): void {
    this.console.send(data);
  }

  /**
   * Counters of the models, by their names; undefined where there is no model. At `architectural` fidelity hits do not reach the models, so only what they
   * were asked is counted. `walks` and `cycles` are counted at `measured` alone: descriptors read by the level that had them, and an estimate that never
   * drives time.
   */
  memoryStatistics(): MemoryStatistics {
    const measured = this.models.fidelity === 'measured';
    const { tlb, caches } = this.models;
    return {
      ...(tlb && { tlb: tlb.stats() }),
      ...(caches && { caches: caches.stats() }),
      ...(measured && this.coherency && { walks: walkCounts(this.coherency.counts) }),
      ...(measured && this.coherency && { cycles: estimatedCycles(this.instructions, this.coherency.counts) }),
    };
  }

  /** Presses and releases the power key. */
  powerKey(): void {
    this.board.powerKey.press();
  }

  /** Bytes of RAM or ROM at a physical address; undefined when any of them is neither. */
  readMemory(address: number, byteLength: number): Uint8Array | undefined {
    const region = this.memory.regionAt(address);
    if (region === undefined || address + byteLength > region.base + region.byteLength) return undefined;
    const at = this.memory.hostOffset(region, address);
    this.memory.arrive(at, byteLength);
    return this.memory.u8.slice(at, at + byteLength);
  }
  /** Writes RAM; false (and nothing written) when any byte is outside it. */
  writeMemory(address: number, bytes: Uint8Array): boolean {
    if (!this.memory.write(address, bytes)) return false;
    this.coherency?.forgetInstructions(this.memory.ramOffset(address, bytes.length), bytes.length);
    return true;
  }

  /** The whole machine between two instructions. Structured-cloneable. */
  snapshot(): Snapshot<MachineSnapshot> {
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        profile: this.profile.name,
        time: this.timeline.current,
        skipped: this.loop.skipped,
        cpu: this.cpu.snapshot(),
        mmu: this.mmu.snapshot(),
        timer: this.timer.snapshot(),
        bus: this.bus.snapshot(),
        memory: saveRam(this.memory),
        fidelity: this.models.fidelity,
        coherency: this.coherency?.snapshot() ?? null,
        evictions: this.evictions?.snapshot() ?? null,
      },
    };
  }

  /** Makes this machine, built with the same options, what the snapshot's was. Refuses a foreign one. */
  restore(snapshot: Snapshot): void {
    this.restoreState(snapshot, false);
  }

  private restoreState(snapshot: Snapshot, fresh: boolean): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION)
      throw new MachineError('snapshot', `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    const data = snapshot.data as MachineSnapshot<Uint8Array | StoredBytes>;
    if (data.profile !== this.profile.name)
      throw new MachineError('snapshot', `it is of a ${data.profile}, this is a ${this.profile.name}`);
    if (data.fidelity !== this.models.fidelity)
      throw new MachineError('snapshot', `it is of a machine at ${data.fidelity} fidelity, this is at ${this.models.fidelity}`);
    if ((data.coherency === null) !== (this.coherency === null) || (data.evictions === null) !== (this.evictions === undefined))
      throw new MachineError('snapshot', "its memory system is not this machine's");
    this.coherency?.reset();
    // The models look at memory for themselves.
    const mayDefer = fresh && this.coherency === null;
    restoreRam(this.memory, data.memory, fresh, mayDefer);
    this.timeline.reset();
    this.timeline.current = data.time;
    this.loop.skipped = data.skipped;
    this.mmu.restore(data.mmu);
    if (data.coherency !== null) this.coherency!.restore(data.coherency);
    if (data.evictions !== null) this.evictions!.restore(data.evictions);
    this.bus.restore(data.bus);
    this.timer.restore(data.timer);
    this.cpu.restore(data.cpu);
    this.end = undefined;
    this.failure = undefined;
    this.console.reopen();
  }
}

/** What `run` may be told. */
export interface RunOptions {
  /** Instructions after which to come back; default: no limit. */
  readonly instructions?: number;
  readonly signal?: { readonly aborted: boolean };
  /** The guest asked for a reset and has got it. */
  readonly onReset?: () => void;
}

/** Instructions between two turns of the host: about 10 ms at 50 MIPS. */
const SLICE = 500_000;

const SCHEMA = 'board-qemu-virt/machine';
const VERSION = 2;

/** What `snapshot` gives; the RAM of what `restore` takes may be kept elsewhere. */
interface MachineSnapshot<Bytes = Uint8Array> {
  readonly profile: string;
  readonly time: number;
  readonly skipped: number;
  readonly cpu: Snapshot;
  readonly mmu: Snapshot;
  readonly timer: Snapshot;
  readonly bus: Snapshot;
  readonly memory: readonly RegionContents<Bytes>[];
  readonly fidelity: string;
  readonly coherency: Snapshot | null;
  readonly evictions: Snapshot | null;
}
