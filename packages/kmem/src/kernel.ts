import type { PageAllocator, PageDescriptors } from '@tablewalk/alloc/guest';
import type { Snapshot, VirtAddr } from '@tablewalk/machine';
import { BootLog, TITLES } from './boot/boot-log.js';
import type { BootRecord } from './boot/early.js';
import { EarlyBoot, earlySites } from './boot/early.js';
import { fdtSites } from './boot/fdt-memory.js';
import { identitySites, removeIdentity } from './boot/identity.js';
import { factSites } from './core-facts.js';
import type { Costs } from './costs.js';
import { CostCounter } from './costs.js';
import { GuestAbort } from './guest-abort.js';
import { wordSites } from './guest-words.js';
import { hardwareWalkSites } from './hardware-walk.js';
import type { KernelProgram } from './image/program.js';
import { kernelProgram } from './image/program.js';
import { routine } from './image/sites.js';
import * as traps from './image/traps.js';
import type { KernelOptions } from './kernel-options.js';
import type { AllocatorPictures, OpenKernel } from './kernel-parts.js';
import { KernelParts } from './kernel-parts.js';
import type { KernelTables } from './kernel-tables.js';
import { tableSites } from './kernel-tables.js';
import { KmemError } from './kmem-error.js';
import type { KernelLayout } from './layout.js';
import { kernelLayout, physicalToLinear } from './layout.js';
import type { KernelMachine } from './machine.js';
import type { Maintenance } from './maintenance.js';
import { maintenance, maintenanceSites } from './maintenance.js';
import { poisonSites } from './poison.js';
import { directMap } from './policies/direct-map.js';
import type { KernelMemory, MemoryPolicy } from './policies/policy.js';
import type { KernelPort } from './port.js';
import { CpuPort } from './port.js';
import { userSites } from './user/address-space.js';
import type { Asids } from './user/asids.js';
import type { ProgramTable } from './user/program-table.js';
import { programSites } from './user/programs.js';
import type { Vmalloc, VmallocState } from './vmalloc.js';

const consoleSites = routine('console', { put: 'store8' });

/** Everything that the kernel's text holds. */
const SITES = [
  factSites,
  fdtSites,
  earlySites,
  identitySites,
  maintenanceSites,
  tableSites,
  ...Object.values(wordSites),
  userSites,
  programSites,
  hardwareWalkSites,
  consoleSites,
  poisonSites,
];

const SCHEMA = 'kmem/kernel';
const VERSION = 2;

interface KernelState {
  readonly machine: Snapshot;
  readonly boot: BootRecord;
  readonly memory: unknown;
  readonly vmalloc: VmallocState;
  readonly programs: unknown;
  readonly uart: VirtAddr;
}

/**
 * A small kernel's memory management, from start-up code to programs. It is an image for a machine, and the host routines that the image traps into:
 *
 * ```ts
 * const kernel = new Kernel();
 * const machine = new VirtMachine({ kernel: kernel.image, hypervisorCall: kernel.hypervisorCall });
 * kernel.attach(machine);
 * kernel.boot();
 * ```
 */
export class Kernel {
  readonly layout: KernelLayout;
  readonly program: KernelProgram;
  readonly policy: MemoryPolicy;
  private readonly options: KernelOptions;
  private readonly parts: KernelParts;
  private attached:
    | { readonly machine: KernelMachine; readonly port: CpuPort; readonly costs: CostCounter; readonly log: BootLog }
    | undefined;
  private opened: OpenKernel | undefined;
  private record: BootRecord | undefined;
  private uart: VirtAddr = 0;
  /** The guest waits in TRAP_NEXT. */
  private parked = false;

  constructor(options: KernelOptions = {}) {
    this.options = options;
    this.layout = kernelLayout(options);
    this.policy = options.policy ?? directMap();
    this.parts = new KernelParts(options, this.policy, this.layout);
    this.program = kernelProgram({
      layout: this.layout,
      ttbcrN: this.layout.ttbcrN,
      sites: [...SITES, ...(options.sites ?? [])],
      ...(options.internals?.source && { editSource: options.internals.source }),
    });
  }

  /** What to give to the machine as `kernel`: the raw image where that is loaded at the right address, an ELF file otherwise. */
  get image(): Uint8Array {
    return this.layout.loadAddress === this.layout.ramBase + 0x10000 ? this.program.bytes : this.program.elf();
  }

  /** The machine's handler of HVC. */
  readonly hypervisorCall = (immediate: number): boolean => {
    if (immediate < traps.TRAP_INIT2 || immediate > traps.TRAP_SYSCALL || this.attached === undefined) return false;
    this.attached.port.trapped(immediate);
    return true;
  };

  attach(machine: KernelMachine): void {
    if (this.attached !== undefined) throw new KmemError('kernel', 'is attached to a machine already');
    const costs = new CostCounter(machine);
    const log = new BootLog(() => machine.instructions);
    machine.observe([costs.observer, log.observer, ...(this.options.observers ?? [])]);
    this.attached = { machine, port: new CpuPort(machine, this.program), costs, log };
  }

  private get guest(): NonNullable<typeof this.attached> {
    if (this.attached === undefined) throw new KmemError('kernel', 'has no machine: attach one first');
    return this.attached;
  }
  private get open(): OpenKernel {
    if (this.opened === undefined) throw new KmemError('kernel', 'has not booted');
    return this.opened;
  }

  /** Where things are, after boot. */
  get bootRecord(): BootRecord {
    if (this.record === undefined) throw new KmemError('kernel', 'has not booted');
    return this.record;
  }
  get bootLog(): BootLog {
    return this.guest.log;
  }
  get machine(): KernelMachine {
    return this.guest.machine;
  }
  get port(): KernelPort {
    return this.guest.port;
  }
  get costs(): Costs {
    return this.guest.costs.now();
  }
  get maintenance(): Maintenance {
    return this.open.maintenance;
  }
  get tables(): KernelTables {
    return this.open.tables;
  }
  get memory(): KernelMemory {
    return this.open.memory;
  }
  get kernalloc(): PageAllocator {
    return this.open.kernalloc;
  }
  get kernVirtAllocator(): PageAllocator {
    return this.open.virtual;
  }
  get vmm(): PageAllocator | undefined {
    return this.open.vmm;
  }
  get vmalloc(): Vmalloc {
    return this.open.vmalloc;
  }
  get descriptors(): PageDescriptors {
    return this.open.descriptors;
  }
  get asids(): Asids {
    return this.open.asids;
  }
  get programs(): ProgramTable {
    return this.open.programs;
  }

  // ---- boot

  /** Runs start-up to its end. @throws {GuestAbort} the guest took an exception; {@link KmemError} it cannot boot on this machine */
  boot(): void {
    const { port, log, machine } = this.guest;
    if (this.opened !== undefined) throw new KmemError('kernel', 'has booted already');
    log.begin(TITLES[0]);
    this.expect(traps.TRAP_INIT2);
    log.begin(TITLES[1]);
    const [runsAt, deviceTree] = [machine.cpu.core.words[0]! >>> 0, machine.cpu.core.words[1]! >>> 0];
    this.record = port.routine(
      () =>
        new EarlyBoot({
          program: this.program,
          port,
          log,
          runsAt,
          deviceTree,
          ramBytes: this.options.ramBytes ?? 128 * 2 ** 20,
          map: this.policy.earlyMap,
          metadata: (firstPage, pageCount) => this.parts.metadata(firstPage, pageCount),
          ...(this.options.internals?.facts && { facts: this.options.internals.facts }),
        }).run(),
      ({ userTable, firstLevel, facts }) => [userTable | facts.walkAttributes, firstLevel | facts.walkAttributes],
    );
    log.begin(TITLES[2]);
    this.expect(traps.TRAP_REMOVE_IDENTITY);
    log.begin(TITLES[4]);
    const running = Math.floor(this.layout.loadAddress / 0x100000);
    const { record } = this;
    port.routine(() => {
      if (running * 0x100000 >= this.layout.split) log.note('the identity address is the direct map’s own: there is nothing to remove');
      else removeIdentity(port, this.makeMaintenance(record), physicalToLinear(this.layout, record.userTable) + 4 * running);
    });
    this.expect(traps.TRAP_INIT_ALLOCATORS);
    log.begin(TITLES[5]);
    this.opened = port.routine(() => this.openKernel('create'));
    this.expect(traps.TRAP_NEXT);
    this.parked = true;
    log.begin(TITLES[6]);
    this.call(() => this.openUart());
    log.end();
  }

  private expect(trap: number): void {
    const found = this.guest.port.runToTrap();
    if (found === trap) return;
    if (found === traps.TRAP_OOPS) throw this.guest.port.oops();
    throw new KmemError('boot', found === undefined ? 'the machine ended during start-up' : `unexpected trap 0x${found.toString(16)}`);
  }

  private makeMaintenance(record: BootRecord): Maintenance {
    const { port } = this.guest;
    const correct = maintenance(port, record.facts);
    return this.options.internals?.maintenance?.(correct, port, record.facts) ?? correct;
  }

  /**
   * The allocators as they are in guest memory now, for reports: read from outside, so that looking costs the guest nothing and changes nothing. What
   * is answered is a picture, and old as soon as the guest runs.
   */
  inspect(): AllocatorPictures {
    return this.parts.inspect(this.machine, this.bootRecord);
  }

  /** In a host routine. */
  private openKernel(how: 'create' | 'attach'): OpenKernel {
    const { port, log } = this.guest;
    const boot = this.bootRecord;
    return this.parts.open(how, { port, log, boot, maintenance: this.makeMaintenance(boot), put: (code) => this.putCharacter(code) });
  }

  private openUart(): void {
    const address = this.options.uart === undefined ? 0x09000000 : this.options.uart;
    if (address === null) return;
    const va = this.vmalloc.mapPhysical(address, 1);
    if (va === undefined) throw new KmemError('boot', 'kern_virt_allocator has no page for the UART');
    this.uart = va;
    this.print(
      `kmem: ${this.policy.name}, linked at 0x${this.layout.linkAddress.toString(16)}, loaded at 0x${this.layout.loadAddress.toString(16)}\r\n`,
    );
  }

  private putCharacter(code: number): void {
    if (this.uart !== 0) this.port.store(consoleSites.put, this.uart, code & 0xff);
  }

  /** Prints on the UART, byte by byte. In a host routine. */
  print(text: string): void {
    for (let n = 0; n < text.length; n++) this.putCharacter(text.charCodeAt(n));
  }

  // ---- running

  /**
   * Runs a host routine in the kernel, which must have booted and have nothing else to do.
   *
   * @throws {GuestAbort} what the routine did made the guest take an exception; the kernel can be called again
   */
  call<Result>(body: (kernel: Kernel) => Result): Result {
    if (!this.parked) throw new KmemError('kernel', this.opened === undefined ? 'has not booted' : 'is running');
    try {
      return this.guest.port.routine(() => body(this));
    } catch (error) {
      if (error instanceof GuestAbort) this.recover(error);
      throw error;
    }
  }

  /** After an exception the kernel drops its stack and asks what comes next, unless nothing of it works any more. */
  private recover(abort: GuestAbort): void {
    this.parked = false;
    if (abort.report.kind === 'locked-up' || abort.report.kind === 'runaway') return;
    this.park();
  }

  private park(): void {
    const trap = this.guest.port.runToTrap();
    this.parked = trap === traps.TRAP_NEXT;
  }

  /**
   * Runs a program until it exits, yields or is killed. Faults and system calls are host routines.
   *
   * @throws {GuestAbort} the kernel itself took an exception
   */
  run(id: number, limit = 50_000_000): void {
    if (!this.parked) throw new KmemError('kernel', 'is not waiting for work');
    const { port, machine } = this.guest;
    const R = machine.cpu.core.words;
    const { programs } = this.open;
    const end = machine.instructions + limit;
    try {
      port.routine(
        () => programs.resume(id),
        ({ task, ttbr0, asid }) => [traps.NEXT_RESUME, task, ttbr0, asid],
      );
      this.parked = false;
      for (;;) {
        const trap = port.runToTrap(Math.max(1, end - machine.instructions));
        if (trap === traps.TRAP_NEXT) {
          this.parked = true;
          return;
        }
        if (trap === traps.TRAP_OOPS) throw port.oops();
        if (trap === traps.TRAP_FAULT) {
          const report = { kind: R[0]!, status: R[1]! >>> 0, address: R[2]! >>> 0, frame: R[3]! >>> 0 };
          port.routine(
            () => programs.fault(report),
            (goOn) => [goOn ? 0 : 1],
          );
        } else if (trap === traps.TRAP_SYSCALL) {
          const frame = R[3]! >>> 0;
          port.routine(
            () => programs.systemCall(frame),
            (goOn) => [goOn ? 0 : 1],
          );
        } else throw new KmemError('kernel', 'the machine ended while a program ran');
      }
    } catch (error) {
      if (error instanceof GuestAbort) this.recover(error);
      throw error;
    }
  }

  /** Powers the machine off through PSCI. */
  powerOff(): void {
    if (!this.parked) throw new KmemError('kernel', 'is not waiting for work');
    const { port, machine } = this.guest;
    port.routine(
      () => {},
      () => [traps.NEXT_POWER_OFF],
    );
    this.parked = false;
    machine.runFor(1000);
  }

  // ---- state

  /** Machine and kernel between two host routines. Structured-cloneable. */
  snapshot(): Snapshot<KernelState> {
    if (!this.parked) throw new KmemError('snapshot', 'a host routine or a program is running: the kernel has no state of its own to save');
    const { memory, vmalloc, programs } = this.open;
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        machine: this.machine.snapshot(),
        boot: this.bootRecord,
        memory: memory.state(),
        vmalloc: vmalloc.state(),
        programs: programs.state(),
        uart: this.uart,
      },
    };
  }

  /** Takes up what a kernel of the same options was, on a machine of the same options. */
  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION)
      throw new KmemError('snapshot', `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    const data = snapshot.data as KernelState;
    const { machine, port } = this.guest;
    machine.restore(data.machine);
    this.record = data.boot;
    this.uart = data.uart;
    this.parked = true;
    // Taking up an allocator reads its words: the CPU executes that, and is then put back to where it was.
    this.opened = port.routine(() => {
      const opened = this.openKernel('attach');
      opened.memory.restore(data.memory);
      opened.vmalloc.restore(data.vmalloc);
      opened.programs.restore(data.programs);
      return opened;
    });
    machine.restore(data.machine);
  }
}
