import type { AccessSize, Device, DeviceHost, InterruptLine, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf, sizeMask } from '../access.js';
import { DeviceError } from '../device-error.js';
import { requireLength, snapshotData } from '../snapshots.js';
import {
  acknowledge,
  acknowledgeGroup1,
  deactivate,
  endOfInterrupt,
  highestPending,
  highestPendingGroup1,
  recomputeRunningPriority,
} from './cpu-interface.js';
import { readDistributor, writeDistributor } from './distributor.js';
import { BANKED_COUNT, type CoreOutputs, CTLR_EOI_MODE, GicState, IDLE_PRIORITY, SGI_COUNT } from './gic-state.js';

const DISTRIBUTOR_SCHEMA = 'devices/gicv2-distributor';
const CPU_INTERFACE_SCHEMA = 'devices/gicv2-cpu-interface';
const VERSION = 1;

/** GICC_IIDR: architecture version 2, ARM's JEP106 code. */
const GICC_IIDR = 0x0002_043b;
/** EnableGrp0/1, AckCtl, FIQEn, CBPR, EOImode: the bypass bits are not implemented. */
const GICC_CTLR_WRITABLE = 0x1f | CTLR_EOI_MODE;

/** What the controller drives of one core. */
export type Gicv2CoreOutputs = CoreOutputs;

export interface Gicv2Options {
  /** Prefix of the two devices' names; default `gic`. */
  readonly name?: string;
  readonly host: DeviceHost;
  /** One entry for each of 1 to 8 cores. */
  readonly cores: readonly Gicv2CoreOutputs[];
  /** INTIDs including SGIs and PPIs, a multiple of 32 from 32 to 992; default 288, as on `virt`. */
  readonly intidCount?: number;
}

/** A GICv2 (IHI 0048B.b) without Security and Virtualization Extensions, all 256 priorities, all INTIDs below `intidCount` present. */
export interface Gicv2 {
  /** 4 KiB window of the distributor. Its snapshot also holds the levels of the input wires. */
  readonly distributor: Device;
  /** 8 KiB window of the CPU interface. */
  readonly cpuInterface: Device;
  /** Input wire of the SPI with this INTID (32 and up). Throws {@link DeviceError} for an INTID that is none. */
  line(intid: number): InterruptLine;
  /** Input wire of a core's PPI (INTID 16 to 31). */
  privateLine(core: number, intid: number): InterruptLine;
  /** Says which core makes the accesses that follow: registers of SGIs, PPIs and the CPU interface are banked. Default core 0. */
  selectCore(core: number): void;
}

class InputLine implements InterruptLine {
  private readonly gic: GicState;
  private readonly core: number;
  private readonly intid: number;

  constructor(gic: GicState, core: number, intid: number) {
    this.gic = gic;
    this.core = core;
    this.intid = intid;
  }

  set(level: boolean): void {
    this.gic.setLevel(this.core, this.intid, level);
  }
}

interface DistributorState {
  ctlr: number;
  enabled: Uint32Array;
  latched: Uint32Array;
  level: Uint32Array;
  active: Uint32Array;
  edge: Uint32Array;
  group1: Uint32Array;
  priority: Uint8Array;
  targets: Uint8Array;
  sgiSources: Uint8Array;
}

interface CpuInterfaceState {
  ctlr: Uint16Array;
  priorityMask: Uint8Array;
  bpr: Uint8Array;
  abpr: Uint8Array;
  runningPriority: Uint16Array;
  apr: Uint32Array;
  nsapr: Uint32Array;
}

abstract class GicWindow {
  readonly name: string;
  core = 0;
  protected readonly gic: GicState;
  protected readonly host: DeviceHost;

  constructor(name: string, gic: GicState, host: DeviceHost) {
    this.name = name;
    this.gic = gic;
    this.host = host;
  }

  /** Power-on reset of the whole controller; the two windows share it. */
  reset(): void {
    this.gic.reset();
  }

  protected complain(what: string, offset: number, size: number): void {
    this.host.diagnostics.guestError(this.name, `${what} of ${size} bytes at ${hexOffset(offset)}: no such register`);
  }
}

class Distributor extends GicWindow implements Device {
  read(offset: number, size: AccessSize): number {
    const word = readDistributor(this.gic, this.core, offset & ~3);
    if (word === undefined) {
      this.complain('read', offset, size);
      return 0;
    }
    return laneOf(word, offset, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    const shift = (offset & 3) << 3;
    const mask = size === 4 ? -1 : sizeMask(size) << shift;
    if (!writeDistributor(this.gic, this.core, offset & ~3, value << shift, mask)) this.complain('write', offset, size);
  }

  snapshot(): Snapshot<DistributorState> {
    const gic = this.gic;
    return {
      schema: DISTRIBUTOR_SCHEMA,
      version: VERSION,
      data: {
        ctlr: gic.distributorCtlr,
        enabled: gic.enabled.slice(),
        latched: gic.latched.slice(),
        level: gic.level.slice(),
        active: gic.active.slice(),
        edge: gic.edge.slice(),
        group1: gic.group1.slice(),
        priority: gic.priority.slice(),
        targets: gic.targets.slice(),
        sgiSources: gic.sgiSources.slice(),
      },
    };
  }

  restore(snapshot: Snapshot): void {
    const gic = this.gic;
    const state = snapshotData<DistributorState>(this.name, snapshot, DISTRIBUTOR_SCHEMA, VERSION);
    const maps = ['enabled', 'latched', 'level', 'active', 'edge', 'group1', 'priority', 'targets', 'sgiSources'] as const;
    for (const map of maps) requireLength(this.name, map, state[map], gic[map].length);
    for (const map of maps) gic[map].set(state[map]);
    gic.distributorCtlr = state.ctlr & 3;
    gic.rebuildTargets();
    gic.updateAll();
  }
}

class CpuInterface extends GicWindow implements Device {
  read(offset: number, size: AccessSize): number {
    if (offset === 0x0c && size === 4) return acknowledge(this.gic, this.core);
    const gic = this.gic;
    const core = this.core;
    switch (offset & ~3) {
      case 0x00:
        return laneOf(gic.cpuCtlr[core], offset, size);
      case 0x04:
        return laneOf(gic.priorityMask[core], offset, size);
      case 0x08:
        return laneOf(gic.bpr[core], offset, size);
      case 0x0c:
        return laneOf(acknowledge(gic, core), offset, size);
      case 0x14: // idle is one beyond the 8 bits that the register has
        return laneOf(Math.min(gic.runningPriority[core], 0xff), offset, size);
      case 0x18:
        return laneOf(highestPending(gic, core), offset, size);
      case 0x1c:
        return laneOf(gic.abpr[core], offset, size);
      case 0x20:
        return laneOf(acknowledgeGroup1(gic, core), offset, size);
      case 0x28:
        return laneOf(highestPendingGroup1(gic, core), offset, size);
      case 0xd0:
      case 0xd4:
      case 0xd8:
      case 0xdc:
        return laneOf(gic.apr[core * 4 + ((offset >> 2) & 3)], offset, size);
      case 0xe0:
      case 0xe4:
      case 0xe8:
      case 0xec:
        return laneOf(gic.nsapr[core * 4 + ((offset >> 2) & 3)], offset, size);
      case 0xfc:
        return laneOf(GICC_IIDR, offset, size);
      default:
        this.complain('read', offset, size);
        return 0;
    }
  }

  write(offset: number, size: AccessSize, value: number): void {
    const gic = this.gic;
    const core = this.core;
    switch (offset) {
      case 0x00:
        gic.cpuCtlr[core] = value & GICC_CTLR_WRITABLE;
        break;
      case 0x04:
        gic.priorityMask[core] = value;
        break;
      case 0x08:
        gic.bpr[core] = value & 7;
        break;
      case 0x10:
        this.end(value, false);
        return;
      case 0x1c:
        // The smallest binary point of Group 1 is one above Group 0's (IHI 0048B.b, 4.4.9).
        gic.abpr[core] = Math.max(1, value & 7);
        break;
      case 0x24:
        this.end(value, true);
        return;
      case 0xd0:
      case 0xd4:
      case 0xd8:
      case 0xdc:
        gic.apr[core * 4 + ((offset >> 2) & 3)] = value;
        recomputeRunningPriority(gic, core);
        break;
      case 0xe0:
      case 0xe4:
      case 0xe8:
      case 0xec:
        gic.nsapr[core * 4 + ((offset >> 2) & 3)] = value;
        recomputeRunningPriority(gic, core);
        break;
      case 0x1000:
        if (!deactivate(gic, core, value)) {
          this.host.diagnostics.guestError(
            this.name,
            `GICC_DIR write of ${value & 0x3ff} with EOImode 0 or for an INTID that does not exist`,
          );
        }
        return;
      default:
        this.complain('write', offset, size);
        return;
    }
    gic.update(core);
  }

  private end(value: number, group1Only: boolean): void {
    if (!endOfInterrupt(this.gic, this.core, value, group1Only)) {
      this.host.diagnostics.guestError(this.name, `end of interrupt ${value & 0x3ff}, which is not active on core ${this.core}`);
    }
  }

  snapshot(): Snapshot<CpuInterfaceState> {
    const gic = this.gic;
    return {
      schema: CPU_INTERFACE_SCHEMA,
      version: VERSION,
      data: {
        ctlr: gic.cpuCtlr.slice(),
        priorityMask: gic.priorityMask.slice(),
        bpr: gic.bpr.slice(),
        abpr: gic.abpr.slice(),
        runningPriority: gic.runningPriority.slice(),
        apr: gic.apr.slice(),
        nsapr: gic.nsapr.slice(),
      },
    };
  }

  restore(snapshot: Snapshot): void {
    const gic = this.gic;
    const state = snapshotData<CpuInterfaceState>(this.name, snapshot, CPU_INTERFACE_SCHEMA, VERSION);
    const maps = ['priorityMask', 'bpr', 'abpr', 'runningPriority', 'apr', 'nsapr'] as const;
    requireLength(this.name, 'ctlr', state.ctlr, gic.coreCount);
    for (const map of maps) requireLength(this.name, map, state[map], gic[map].length);
    if (state.runningPriority.some((priority) => priority > IDLE_PRIORITY))
      throw new DeviceError(this.name, 'the snapshot has an impossible running priority');
    for (const map of maps) gic[map].set(state[map]);
    for (let core = 0; core < gic.coreCount; core++) {
      gic.cpuCtlr[core] = state.ctlr[core] & GICC_CTLR_WRITABLE;
      gic.bpr[core] &= 7;
      gic.abpr[core] = Math.max(1, gic.abpr[core] & 7);
    }
    gic.updateAll();
  }
}

/** Makes the controller. The windows' accesses are 8, 16 or 32 bits wide; anything that is no register goes to the diagnostics and reads 0. */
export function gicv2(options: Gicv2Options): Gicv2 {
  const name = options.name ?? 'gic';
  const gic = new GicState(name, options.intidCount ?? 288, options.cores);
  const distributor = new Distributor(`${name}-distributor`, gic, options.host);
  const cpuInterface = new CpuInterface(`${name}-cpu-interface`, gic, options.host);
  return {
    distributor,
    cpuInterface,
    line(intid: number): InterruptLine {
      if (!Number.isInteger(intid) || intid < BANKED_COUNT || intid >= gic.intidCount) {
        throw new DeviceError(name, `INTID ${intid} is not an SPI: they are 32 to ${gic.intidCount - 1}`);
      }
      return new InputLine(gic, 0, intid);
    },
    privateLine(core: number, intid: number): InterruptLine {
      if (!Number.isInteger(intid) || intid < SGI_COUNT || intid >= BANKED_COUNT)
        throw new DeviceError(name, `INTID ${intid} is not a PPI: they are 16 to 31`);
      if (!Number.isInteger(core) || core < 0 || core >= gic.coreCount) throw new DeviceError(name, `there is no core ${core}`);
      return new InputLine(gic, core, intid);
    },
    selectCore(core: number): void {
      if (!Number.isInteger(core) || core < 0 || core >= gic.coreCount) throw new DeviceError(name, `there is no core ${core}`);
      distributor.core = cpuInterface.core = core;
    },
  };
}
