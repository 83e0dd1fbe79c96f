import type { Diagnostics, DmaPort, Stateful } from '@tablewalk/machine/contracts';
import type { Virtqueue } from './virtqueue.js';

/** Device status bits (virtio 1.1, 2.1). */
export const STATUS_DRIVER_OK = 4;
export const STATUS_FEATURES_OK = 8;
export const STATUS_NEEDS_RESET = 64;

/** Feature bits that belong to no device type (virtio 1.1, 6 and 6.3). */
export const FEATURE_NOTIFY_ON_EMPTY = 24;
/** Legacy: the driver frames messages as it likes; a version 1 device takes any framing anyway. Offered by the device types as QEMU does. */
export const FEATURE_ANY_LAYOUT = 27;
export const FEATURE_INDIRECT_DESC = 28;
export const FEATURE_EVENT_IDX = 29;
export const FEATURE_VERSION_1 = 32;

/** What a device type sees of its transport: its queues, what was negotiated, and its two interrupts. */
export interface VirtioPort {
  /** Instance name, for diagnostics. */
  readonly name: string;
  readonly diagnostics: Diagnostics;
  readonly dma: DmaPort;
  /** The queue with this number. Throws for a number that the device type did not declare. */
  queue(index: number): Virtqueue;
  /** True when the driver accepted this feature bit. */
  negotiated(feature: number): boolean;
  /** True between DRIVER_OK and the next reset or failure. */
  driverReady(): boolean;
  /** The device changed its configuration space: new generation, configuration interrupt. */
  configChanged(): void;
  /** The driver broke the device's protocol: no more work until it resets the device. One line, no newline. */
  fail(message: string): void;
  /** Asks for `notify(queue)` a little later in guest time: a notification may only do a bounded amount of work. */
  resume(queue: number): void;
}

/**
 * One type of virtio device (block, net, ...), independent of how it is attached. The transport owns features, status and rings.
 * Nothing a guest does may make these methods throw.
 */
export interface VirtioDevice extends Stateful {
  /** For diagnostics: `block`, `net`. */
  readonly kind: string;
  /** Device type number (virtio 1.1, 5). */
  readonly deviceId: number;
  /** Feature bits of the device type that are offered over any transport. */
  readonly features: readonly number[];
  /** Feature bits offered to legacy drivers only. */
  readonly legacyFeatures: readonly number[];
  /** One entry a queue: its ring size before the driver chooses one. */
  readonly queueSizes: readonly number[];
  readonly configByteLength: number;
  /** Called once, by the transport. */
  attach(port: VirtioPort): void;
  /** One byte of configuration space; `offset` is within `configByteLength`. */
  readConfig(offset: number): number;
  /** A 1, 2 or 4 byte write inside configuration space. */
  writeConfig(offset: number, size: number, value: number): void;
  /** The driver made buffers available in this queue. */
  notify(queue: number): void;
  /** The driver set DRIVER_OK. */
  ready(): void;
  /** The driver reset the device, or (`powerOn`) the whole machine is reset. */
  reset(powerOn: boolean): void;
}
