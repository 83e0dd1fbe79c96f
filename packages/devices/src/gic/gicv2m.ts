import type { AccessSize, Device, DeviceHost, InterruptLine, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf } from '../access.js';
import { DeviceError } from '../device-error.js';
import { snapshotData } from '../snapshots.js';

const SCHEMA = 'devices/gicv2m';
const VERSION = 1;
/** Product 0x51 in bits 31:20 is QEMU's, which is what `virt` shows. */
const MSI_IIDR = 0x0510_0000;

export interface Gicv2mOptions {
  /** Default `gicv2m`. */
  readonly name?: string;
  readonly host: DeviceHost;
  /** INTID of the first SPI that messages may raise; default 80, as on `virt`. */
  readonly firstIntid?: number;
  /** Those SPIs' input wires, in order: `virt` has 64. */
  readonly lines: readonly InterruptLine[];
}

/** GICv2m frame (Server Base System Architecture, ARM-DEN-0029, appendix on GICv2m): turns a write of an INTID into an SPI. 4 KiB. */
export type Gicv2mFrame = Device;

/** Makes the frame. It has no state of its own: a message is an edge on a wire. */
export function gicv2mFrame(options: Gicv2mOptions): Gicv2mFrame {
  const name = options.name ?? 'gicv2m';
  const { host, lines } = options;
  const firstIntid = options.firstIntid ?? 80;
  if (firstIntid < 32 || firstIntid + lines.length > SPECIAL_LIMIT)
    throw new DeviceError(name, `${lines.length} SPIs do not fit from INTID ${firstIntid}`);
  return {
    name,
    read(offset: number, size: AccessSize): number {
      const register = offset & ~3;
      if (register === 0x008) return laneOf((firstIntid << 16) | lines.length, offset, size);
      if (register === 0xfcc) return laneOf(MSI_IIDR, offset, size);
      if (register >= 0xfd0 && register < 0x1000) return 0; // identification registers, all zero on QEMU too
      host.diagnostics.guestError(name, `read of ${size} bytes at ${hexOffset(offset)}: no such register`);
      return 0;
    },
    write(offset: number, size: AccessSize, value: number): void {
      if (offset !== 0x040) {
        host.diagnostics.guestError(name, `write of ${size} bytes at ${hexOffset(offset)}: no such register`);
        return;
      }
      const line = lines[(value & 0x3ff) - firstIntid];
      if (line === undefined) {
        host.diagnostics.guestError(name, `MSI_SETSPI_NS of INTID ${value & 0x3ff}, which is not the frame's`);
        return;
      }
      line.set(true);
      line.set(false);
    },
    reset(): void {},
    snapshot(): Snapshot {
      return { schema: SCHEMA, version: VERSION, data: {} };
    },
    restore(snapshot: Snapshot): void {
      snapshotData(name, snapshot, SCHEMA, VERSION);
    },
  };
}

/** SPIs end here: higher INTIDs are special (IHI 0048B.b, 2.2.1). */
const SPECIAL_LIMIT = 1020;
