import type {
  AccessKind,
  CpuFaultKind,
  FastTablePort,
  MemorySystem,
  PhysAddr,
  Snapshot,
  SystemRegisterBank,
  Translation,
  TranslationFault,
  VirtAddr,
  WalkPort,
} from '@tablewalk/machine/contracts';
import { ACCESS_FETCH, ACCESS_READ, type ACCESS_WRITE } from '@tablewalk/machine/contracts';
import {
  attributeByte,
  attributeInner,
  attributeOuter,
  attributeShareable,
  attributeType,
  FLAT_DATA_ATTRIBUTES,
  FLAT_FETCH_CACHED,
  FLAT_FETCH_UNCACHED,
} from './attributes.js';
import { TLB_CONTRACT, TLB_ENTRY_GLOBAL, TLB_ENTRY_WORDS, type Tlb, type TlbEvictionSink } from './contracts/tlb.js';
import {
  CORTEX_A15_SCTLR_RESET,
  CORTEX_A15_SCTLR_WRITABLE,
  SCTLR_A,
  SCTLR_C,
  SCTLR_CP15BEN,
  SCTLR_EE,
  SCTLR_I,
  SCTLR_SW,
  SCTLR_TE,
  SCTLR_V,
  SCTLR_Z,
} from './control-bits.js';
import { explain, type WalkExplanation } from './explain.js';
import { cpuFaultStatus, FAULT_NONE, FAULT_WALK_ABORT, type FaultKind, longStatus, parFaultStatus, shortStatus } from './fault-status.js';
import { HostTables, type SavedHostTables } from './host-tables.js';
import { walkLong } from './long-walk.js';
import { MmuError } from './mmu-error.js';
import { parFailure, parSuccessHigh, parSuccessLow } from './par.js';
import { faultOf, RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE, rights } from './permissions.js';
import { RegisterWrites } from './register-writes.js';
import { defineRegisters } from './registers.js';
import { walkShort } from './short-walk.js';
import { packEntry, unpackEntry } from './tlb-entry.js';
import { type PendingMaintenance, TlbMaintenance } from './tlb-maintenance.js';
import { TranslationControl } from './translation-control.js';
import { fillUnknownTlb } from './unknown-translations.js';
import { type WalkRecorder, WalkState } from './walk-state.js';

export interface Vmsav7Options {
  /** Where the walker reads descriptors. */
  readonly memory: WalkPort;
  /** Model of the TLB. Default: none (each `translate` walks). */
  readonly tlb?: Tlb;
  /** Value of SCTLR after reset. Default: Cortex-A15's 0x00c50078. */
  readonly sctlrReset?: number;
  /** Bits of SCTLR that a write changes; the others keep their reset value. Default: Cortex-A15's. */
  readonly sctlrWritable?: number;
  /** Where {@link Vmsav7.explainWalk} reads descriptors, when looking through `memory` leaves traces. Default: `memory`. */
  readonly inspect?: WalkPort;
  /**
   * Register writes take effect at the next context synchronization event and TLB maintenance at the next DSB, as late as the architecture lets them
   * (B3.15.5, B3.10.1): whoever composes the core calls {@link Vmsav7.dataBarrier} and {@link Vmsav7.contextSynchronized}. Default: at once.
   */
  readonly lateEffects?: boolean;
  /** The Multiprocessing Extensions: TTBR.IRGN in place of TTBR.C (B4.1.154). Default true. */
  readonly multiprocessing?: boolean;
  /** Long descriptors exist. Without them TTBCR.EAE and the 64-bit registers do not. Default true. */
  readonly longDescriptors?: boolean;
  /**
   * TTBCR.PD0 and PD1 exist: they come with the Security Extensions (B4.1.153). Default false, which is what QEMU's `virt` board gives an OS.
   */
  readonly securityExtensions?: boolean;
  /** Reset values of PRRR and NMRR. Default 0. */
  readonly prrrReset?: number;
  readonly nmrrReset?: number;
  /** Returns memory attributes in the 32-bit PAR as B4.1.112 has it. Default false: address and NS alone, which is what QEMU does. */
  readonly parAttributes?: boolean;
  /** Called after each write to SCTLR that changed it (`changed` has the bits that differ) and after reset and restore. */
  readonly onControlChange?: (changed: number, sctlr: number) => void;
  /**
   * Called when the walk of an address translation operation (ATS1C*) meets an external abort: the architecture takes it as a Data Abort of the
   * instruction (B3.13.1) and leaves PAR alone. Without it the abort is reported in PAR.
   */
  readonly onTranslationAbort?: (va: VirtAddr, status: number) => void;
}

const SCHEMA = 'mmu/vmsav7';
const VERSION = 2;

interface Vmsav7Data {
  readonly sctlr: number;
  readonly ttbcr: number;
  readonly ttbr0: readonly [number, number];
  readonly ttbr1: readonly [number, number];
  readonly dacr: number;
  readonly contextidr: number;
  readonly prrr: number;
  readonly nmrr: number;
  readonly par: readonly [number, number];
  readonly tlb: Snapshot | null;
  /** What was given out; null without a TLB model, when nothing depends on it. */
  readonly host: SavedHostTables | null;
  /** What has been written and has no effect yet; null when writes take effect at once. */
  readonly late: { readonly registers: readonly number[]; readonly maintenance: readonly PendingMaintenance[] } | null;
}

type Values = [number, number, number, number, number, number, number, number, number, number];
const values = (c: TranslationControl): Values => [
  c.sctlr,
  c.ttbcr,
  c.ttbr0,
  c.ttbr0High,
  c.ttbr1,
  c.ttbr1High,
  c.dacr,
  c.contextidr,
  c.prrr,
  c.nmrr,
];

/**
 * The VMSAv7 memory system of one core at PL0 and PL1, both descriptor formats, without the Virtualization Extensions' second stage
 * (ARM DDI 0406C.d, chapter B3).
 *
 * `translate` is what a fast table calls when it misses. What it returned may be kept until the connected `FastTablePort` is told to drop it: after
 * TLB maintenance, after a change of address space, and after a write that changes how translations are read. Descriptor stores alone drop
 * nothing, as on hardware.
 */
export class Vmsav7 implements MemorySystem, TlbEvictionSink {
  readonly translation: Translation = {
    pa: 0,
    sizeLog2: 32,
    type: 0,
    inner: 0,
    outer: 0,
    shareable: true,
    global: true,
    readable: true,
    writable: true,
    executable: true,
  };
  readonly fault: TranslationFault = { status: 0, parStatus: 0, va: 0, descriptorAddress: -1, level: 0 };
  get epoch(): number {
    return this.host.epoch;
  }

  private readonly options: Vmsav7Options;
  /** Registers as translation sees them, and as software does: the same, unless writes take effect late. */
  private readonly control: TranslationControl;
  private readonly programmed: TranslationControl;
  private readonly walk: WalkState;
  private readonly tlb: Tlb | null;
  private readonly entry = new Uint32Array(TLB_ENTRY_WORDS);
  private readonly host = new HostTables();
  private readonly writes: RegisterWrites;
  /** Writes of software, debuggers and boot loaders. */
  readonly registers: RegisterWrites;
  /** TLB maintenance as software asks for it. */
  readonly maintenance: TlbMaintenance;
  private readonly sctlrReset: number;

  constructor(options: Vmsav7Options) {
    const tlb = options.tlb ?? null;
    if (tlb !== null && tlb.contract !== TLB_CONTRACT) {
      throw new MmuError(tlb.name, `is written for TLB contract ${String(tlb.contract)}, this is ${TLB_CONTRACT}`);
    }
    this.options = options;
    this.tlb = tlb;
    this.control = new TranslationControl(options.multiprocessing ?? true);
    this.programmed = options.lateEffects ? new TranslationControl(options.multiprocessing ?? true) : this.control;
    this.walk = new WalkState(this.control, options.memory);
    this.walk.tables = tlb?.walks ?? null;
    this.sctlrReset = (options.sctlrReset ?? CORTEX_A15_SCTLR_RESET) >>> 0;
    const rules = {
      sctlrWritable: (options.sctlrWritable ?? CORTEX_A15_SCTLR_WRITABLE) >>> 0,
      longDescriptors: options.longDescriptors ?? true,
      securityExtensions: options.securityExtensions ?? false,
    };
    this.writes = new RegisterWrites(this.control, this.host, rules, (changed, sctlr) => options.onControlChange?.(changed, sctlr));
    this.registers =
      this.programmed === this.control ? this.writes : new RegisterWrites(this.programmed, new HostTables(), rules, () => {});
    this.maintenance = new TlbMaintenance(tlb, this.host, this, options.lateEffects ?? false);
    this.resetRegisters();
  }

  // ---- what the CPU asks of SCTLR

  /** SCTLR as MRC reads it. */
  get sctlr(): number {
    return this.programmed.sctlr;
  }
  /** SCTLR.M: translation is on. */
  get enabled(): boolean {
    return this.control.enabled;
  }
  /** SCTLR.A: unaligned accesses fault. */
  get alignmentCheck(): boolean {
    return (this.control.sctlr & SCTLR_A) !== 0;
  }
  /** SCTLR.C. */
  get dataCacheEnabled(): boolean {
    return (this.control.sctlr & SCTLR_C) !== 0;
  }
  /** SCTLR.I. */
  get instructionCacheEnabled(): boolean {
    return (this.control.sctlr & SCTLR_I) !== 0;
  }
  /** SCTLR.Z. */
  get branchPredictionEnabled(): boolean {
    return (this.control.sctlr & SCTLR_Z) !== 0;
  }
  /** SCTLR.V: vectors at 0xffff0000. */
  get highVectors(): boolean {
    return (this.control.sctlr & SCTLR_V) !== 0;
  }
  /** SCTLR.EE: CPSR.E on exception entry, and the byte order of descriptors. */
  get exceptionBigEndian(): boolean {
    return (this.control.sctlr & SCTLR_EE) !== 0;
  }
  /** SCTLR.TE: exceptions are taken in T32. */
  get exceptionThumb(): boolean {
    return (this.control.sctlr & SCTLR_TE) !== 0;
  }
  /** SCTLR.CP15BEN: the CP15 barriers work. */
  get cp15Barriers(): boolean {
    return (this.control.sctlr & SCTLR_CP15BEN) !== 0;
  }
  /** SCTLR.SW: SWP and SWPB work. */
  get swpEnabled(): boolean {
    return (this.control.sctlr & SCTLR_SW) !== 0;
  }
  /** TTBCR.EAE: fault status registers and PAR are in the long-descriptor layout. */
  get longFormat(): boolean {
    return this.control.long;
  }
  /** The current ASID. */
  get asid(): number {
    return this.control.asid;
  }

  // ---- MemorySystem

  translate(va: VirtAddr, access: AccessKind, privileged: boolean): boolean {
    const w = this.walk;
    const control = this.control;
    if (!control.enabled) return this.flat(va, access);
    if (!this.find(va, access === ACCESS_FETCH)) return this.refuse(va, access, w.fault);
    const granted = rights(w, privileged);
    const kind = faultOf(granted, access);
    if (kind !== FAULT_NONE) return this.refuse(va, access, kind);

    this.host.note(va, w.sizeLog2, w.global, w.domain);
    const t = this.translation;
    const attributes = w.attributes;
    t.pa = w.paBase + (va & ((1 << w.sizeLog2) - 1));
    t.sizeLog2 = w.sizeLog2;
    t.type = attributeType(attributes);
    t.inner = attributeInner(attributes);
    t.outer = attributeOuter(attributes);
    t.shareable = attributeShareable(attributes);
    t.global = w.global;
    t.readable = (granted & RIGHT_READ) !== 0;
    t.writable = (granted & RIGHT_WRITE) !== 0;
    t.executable = (granted & RIGHT_EXECUTE) !== 0;
    return true;
  }

  faultStatus(kind: CpuFaultKind): number {
    return cpuFaultStatus(kind, this.control.long);
  }

  connect(port: FastTablePort): void {
    this.host.connect(port);
  }

  /** Registers to their reset values; the TLB loses everything. */
  reset(): void {
    this.tlb?.reset(this);
    const before = this.control.sctlr;
    this.resetRegisters();
    this.host.dropAll();
    this.options.onControlChange?.((before ^ this.control.sctlr) >>> 0, this.control.sctlr);
  }

  snapshot(): Snapshot<Vmsav7Data> {
    const c = this.control;
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        sctlr: c.sctlr,
        ttbcr: c.ttbcr,
        ttbr0: [c.ttbr0, c.ttbr0High],
        ttbr1: [c.ttbr1, c.ttbr1High],
        dacr: c.dacr,
        contextidr: c.contextidr,
        prrr: c.prrr,
        nmrr: c.nmrr,
        par: [c.par, c.parHigh],
        tlb: this.tlb === null ? null : this.tlb.snapshot(),
        host: this.tlb === null ? null : this.host.save(),
        late: this.programmed === c ? null : { registers: values(this.programmed), maintenance: this.maintenance.pending() },
      },
    };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION) {
      throw new MmuError('vmsav7', `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    }
    const data = snapshot.data as Vmsav7Data;
    // The TLB first: if it refuses, nothing has changed.
    if (this.tlb !== null) {
      if (data.tlb === null) this.tlb.reset(this);
      else this.tlb.restore(data.tlb);
    }
    const c = this.control;
    const before = c.sctlr;
    c.sctlr = data.sctlr;
    c.ttbcr = data.ttbcr;
    [c.ttbr0, c.ttbr0High] = data.ttbr0;
    [c.ttbr1, c.ttbr1High] = data.ttbr1;
    c.dacr = data.dacr;
    c.contextidr = data.contextidr;
    c.prrr = data.prrr;
    c.nmrr = data.nmrr;
    [c.par, c.parHigh] = data.par;
    c.derive();
    this.programmed.copy(c);
    if (this.programmed !== c && data.late !== null) {
      const p = this.programmed;
      [p.sctlr, p.ttbcr, p.ttbr0, p.ttbr0High, p.ttbr1, p.ttbr1High, p.dacr, p.contextidr, p.prrr, p.nmrr] = data.late.registers as Values;
    }
    this.programmed.derive();
    this.maintenance.setPending(data.late?.maintenance ?? []);
    this.host.dropAll();
    this.options.onControlChange?.((before ^ c.sctlr) >>> 0, c.sctlr);
    if (this.tlb !== null && data.host !== null) this.host.load(data.host);
  }

  // ---- beyond the contract

  /** Registers the MMU's CP15 registers: SCTLR, translation control, PAR and ATS1C*, TLB maintenance. */
  defineRegisters(bank: SystemRegisterBank): void {
    defineRegisters(bank, this, this.registers, this.maintenance, this.control, this.programmed, this.options.longDescriptors ?? true);
  }

  /** Sees each descriptor that a walk of `translate` reads. Null: nobody does, at no cost. */
  observeWalks(recorder: WalkRecorder | null): void {
    this.walk.recorder = recorder;
  }

  /** The walk of `va` as the tables in memory are now, step by step. Neither the TLB nor any state changes. */
  explainWalk(va: VirtAddr, access: AccessKind = ACCESS_READ, privileged = true): WalkExplanation {
    return explain(this.control, this.options.inspect ?? this.options.memory, va >>> 0, access, privileged);
  }

  /**
   * Physical address of a VA as a read would find it now, in the TLB or in the tables, without permissions and without a trace; undefined when it does
   * not translate. For debuggers.
   */
  peek(va: VirtAddr): PhysAddr | undefined {
    const address = va >>> 0;
    if (!this.control.enabled) return address;
    for (const at of this.tlb?.entries() ?? []) {
      const { arena } = this.tlb!;
      const tag = arena[at + 1];
      const mine = (tag & TLB_ENTRY_GLOBAL) !== 0 || ((tag >>> 8) & 0xff) === this.control.asid;
      const size = 2 ** (tag & 0xff);
      if (mine && address >= arena[at] && address - arena[at] < size)
        return arena[at + 2] + arena[at + 3] * 0x100000000 + (address - arena[at]);
    }
    return this.explainWalk(address).mapping?.pa;
  }

  // ---- effects that software has to wait for

  /** A DSB. Maintenance that was asked for is done then; one that waits for stores alone (`storesOnly`) does not complete it (A8.8.44, B3.10.1). */
  dataBarrier(storesOnly: boolean): void {
    if (!storesOnly) this.maintenance.complete();
  }

  /** An ISB, an exception, or a return from one: register writes before it have their effect. */
  contextSynchronized(): void {
    if (this.programmed !== this.control) this.writes.take(this.programmed);
  }

  /** Gives up one translation of the TLB model, as a core may at any time. False: there is none, or no model. */
  evictOne(random: number): boolean {
    return this.tlb?.evictOne(random, this) ?? false;
  }

  /**
   * The TLB holds translations that nobody made, as after a reset that does not invalidate it: the 16 MB around every address go somewhere. Until TLBIALL, or
   * until they are evicted. `random` gives 32-bit numbers.
   */
  fillUnknown(random: () => number): void {
    if (this.tlb !== null) fillUnknownTlb(this.tlb, random, this);
  }

  /** A TLB model gave an entry up: what was made from it goes. */
  evicted(arena: Uint32Array, offset: number): void {
    this.host.dropEntry(arena[offset], arena[offset + 1] & 0xff);
  }

  // ---- address translation operations

  /** ATS1CPR, ATS1CPW, ATS1CUR, ATS1CUW: translates and puts the result into PAR (B4.2.4). */
  translateToPar(va: VirtAddr, access: typeof ACCESS_READ | typeof ACCESS_WRITE, privileged: boolean): void {
    const c = this.control;
    if (this.translate(va, access, privileged)) {
      const { pa, sizeLog2 } = this.translation;
      const attributes = c.enabled ? this.walk.attributes : FLAT_DATA_ATTRIBUTES;
      c.par = parSuccessLow(pa, sizeLog2, c.long, attributes, this.options.parAttributes ?? false);
      c.parHigh = c.long ? parSuccessHigh(pa, attributeByte(attributes)) : 0;
      return;
    }
    if (this.walk.fault === FAULT_WALK_ABORT && this.options.onTranslationAbort !== undefined) {
      this.options.onTranslationAbort(va, this.fault.status);
      return;
    }
    c.par = parFailure(this.fault.parStatus, c.long);
    c.parHigh = 0;
  }

  // ---- inside

  /** Fills the walk state from the TLB or the tables. False: the walk faulted. */
  private find(va: VirtAddr, fetch: boolean): boolean {
    const w = this.walk;
    const tlb = this.tlb;
    if (tlb === null) return this.control.long ? walkLong(w, va) : walkShort(w, va);
    const offset = tlb.lookup(va, this.control.asid, fetch, this);
    if (offset >= 0) {
      unpackEntry(w, tlb.arena, offset);
      return true;
    }
    if (!(this.control.long ? walkLong(w, va) : walkShort(w, va))) return false;
    packEntry(this.entry, w, va, this.control.asid);
    tlb.insert(this.entry, fetch, this);
    return true;
  }

  private flat(va: VirtAddr, access: AccessKind): true {
    const attributes =
      access !== ACCESS_FETCH ? FLAT_DATA_ATTRIBUTES : (this.control.sctlr & SCTLR_I) !== 0 ? FLAT_FETCH_CACHED : FLAT_FETCH_UNCACHED;
    const t = this.translation;
    t.pa = va >>> 0;
    t.sizeLog2 = 32;
    t.type = attributeType(attributes);
    t.inner = attributeInner(attributes);
    t.outer = attributeOuter(attributes);
    t.shareable = true;
    t.global = true;
    t.readable = true;
    t.writable = true;
    t.executable = true;
    return true;
  }

  private refuse(va: VirtAddr, access: AccessKind, kind: FaultKind): false {
    const w = this.walk;
    const f = this.fault;
    w.fault = kind;
    // IFSR has no domain field.
    f.status = this.control.long ? longStatus(kind, w.level) : shortStatus(kind, w.level, access === ACCESS_FETCH ? 0 : w.domain);
    f.parStatus = parFaultStatus(f.status);
    f.va = va;
    f.descriptorAddress = w.descriptorAddress;
    f.level = w.level;
    return false;
  }

  private resetRegisters(): void {
    const c = this.control;
    c.sctlr = this.sctlrReset;
    c.ttbcr = 0;
    c.ttbr0 = 0;
    c.ttbr0High = 0;
    c.ttbr1 = 0;
    c.ttbr1High = 0;
    c.dacr = 0;
    c.contextidr = 0;
    c.prrr = (this.options.prrrReset ?? 0) >>> 0;
    c.nmrr = (this.options.nmrrReset ?? 0) >>> 0;
    c.par = 0;
    c.parHigh = 0;
    c.derive();
    this.programmed.copy(c);
    this.programmed.derive();
    this.maintenance.setPending([]);
  }
}
