import type { AccessSize, Device, DeviceHost, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf, sizeMask } from './access.js';
import { DeviceError } from './device-error.js';
import { snapshotData } from './snapshots.js';

const ECAM_SCHEMA = 'devices/pcie-ecam';
const WINDOW_SCHEMA = 'devices/pcie-window';
const VERSION = 1;

/** Bytes of configuration space that a conventional function has; QEMU's host bridge has no extended space. */
const CONFIG_BYTES = 256;

export interface PcieEcamOptions {
  /** For example `pcie-ecam@4010000000`. */
  readonly name: string;
  readonly host: DeviceHost;
  /** Size of the window: 1 MiB a bus. */
  readonly byteLength: number;
}

export interface PcieWindowOptions {
  /** For example `pcie-mmio@10000000`. */
  readonly name: string;
  readonly host: DeviceHost;
}

/**
 * Configuration header of the host bridge at 00:00.0: vendor 0x1B36, device 0x0008 (QEMU's generic PCIe host), class 0x060000, subsystem
 * 0x1AF4:0x1100.
 */
function resetConfig(): Uint8Array {
  const config = new Uint8Array(CONFIG_BYTES);
  config.set([0x36, 0x1b, 0x08, 0x00], 0x00);
  config.set([0x00, 0x00, 0x00, 0x06], 0x08);
  config.set([0xf4, 0x1a, 0x00, 0x11], 0x2c);
  return config;
}

/** Writable bits, as probed on QEMU: command, cache line, interrupt line, and everything behind the header. */
function writableBits(): Uint8Array {
  const mask = new Uint8Array(CONFIG_BYTES).fill(0xff, 0x40);
  mask.set([0x07, 0x05], 0x04);
  mask[0x0c] = 0xff;
  mask[0x3c] = 0xff;
  return mask;
}

/**
 * The ECAM window of a PCIe host whose root bus holds nothing but the host bridge (PCI Express Base Specification 3.0, 7.2.2):
 *
 *     27      20 19    15 14    12 11           0
 *     |  bus    | device | function | register   |
 *
 * A function that does not exist reads as all ones and ignores writes: that is how enumeration finds out, so it is no error of the guest.
 */
export function pcieEcam(options: PcieEcamOptions): Device {
  const { name, byteLength } = options;
  if (!Number.isInteger(byteLength / 0x10_0000) || byteLength <= 0 || byteLength > 0x1000_0000) {
    throw new DeviceError(name, `an ECAM window of ${byteLength} bytes is not 1 to 256 buses of 1 MiB`);
  }
  const mask = writableBits();
  let config = resetConfig();
  return {
    name,
    read(offset: number, size: AccessSize): number {
      if (offset >= CONFIG_BYTES) return sizeMask(size);
      let value = 0;
      for (let n = 0; n < size; n++) value |= (config[offset + n] ?? 0xff) << (n * 8);
      return value >>> 0;
    },
    write(offset: number, size: AccessSize, value: number): void {
      for (let n = 0; n < size && offset + n < CONFIG_BYTES; n++) {
        const writable = mask[offset + n];
        config[offset + n] = (config[offset + n] & ~writable) | ((value >>> (n * 8)) & writable);
      }
    },
    reset(): void {
      config = resetConfig();
    },
    snapshot(): Snapshot<{ config: Uint8Array }> {
      return { schema: ECAM_SCHEMA, version: VERSION, data: { config: config.slice() } };
    },
    restore(snapshot: Snapshot): void {
      const state = snapshotData<{ config: Uint8Array }>(name, snapshot, ECAM_SCHEMA, VERSION);
      if (state.config.length !== CONFIG_BYTES)
        throw new DeviceError(name, `the snapshot has ${state.config.length} bytes of configuration space`);
      config = state.config.slice();
    },
  };
}

/**
 * A memory or I/O window of the host with no device behind it. Nobody claims the access, which the host bridge ends with a master abort: reads give
 * all ones, writes are lost (PCI Local Bus Specification 3.0, 3.3.3.1). Reported as unimplemented, since a guest only gets here when it expects a
 * device.
 */
export function pcieWindow(options: PcieWindowOptions): Device {
  const { name, host } = options;
  return {
    name,
    read(offset: number, size: AccessSize): number {
      host.diagnostics.unimplemented(name, `read of ${size} bytes at ${hexOffset(offset)}: master abort, all ones`);
      return laneOf(0xffff_ffff, offset, size);
    },
    write(offset: number, size: AccessSize, value: number): void {
      host.diagnostics.unimplemented(
        name,
        `write of 0x${(value >>> 0).toString(16)} (${size} bytes) at ${hexOffset(offset)}: master abort`,
      );
    },
    reset(): void {},
    snapshot(): Snapshot {
      return { schema: WINDOW_SCHEMA, version: VERSION, data: {} };
    },
    restore(snapshot: Snapshot): void {
      snapshotData(name, snapshot, WINDOW_SCHEMA, VERSION);
    },
  };
}
