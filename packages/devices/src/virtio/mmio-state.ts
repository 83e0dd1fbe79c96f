import type { Snapshot } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';
import { snapshotData } from '../snapshots.js';
import type { VirtqueueState } from './virtqueue.js';

const SCHEMA = 'devices/virtio-mmio';
const SNAPSHOT_VERSION = 1;

/** Registers of a slot that are not a queue's. */
export interface TransportRegisters {
  status: number;
  interruptStatus: number;
  deviceFeaturesSel: number;
  driverFeaturesSel: number;
  /** What the driver wrote; takes effect with FEATURES_OK (modern) or at once (legacy). */
  driverFeatures: [number, number];
  negotiated: [number, number];
  queueSel: number;
  pageShift: number;
  configGeneration: number;
  failed: boolean;
  /** Queues whose work goes on when the timer expires, in order. */
  resumeQueues: number[];
}

/** Registers of one queue, as the driver wrote them. */
export interface QueueRegisters {
  align: number;
  pfn: number;
  /** Descriptor area, driver area, device area: low and high words as written. */
  addresses: number[];
}

export function unsetQueue(): QueueRegisters {
  return { align: 0, pfn: 0, addresses: [0, 0, 0, 0, 0, 0] };
}

export function copyQueue(registers: QueueRegisters): QueueRegisters {
  return { ...registers, addresses: [...registers.addresses] };
}

export interface TransportSnapshot {
  readonly legacy: boolean;
  readonly deviceId: number;
  readonly registers: TransportRegisters;
  readonly queues: { registers: QueueRegisters; ring: VirtqueueState }[];
  readonly resumeDeadline: number;
  readonly device: Snapshot | undefined;
}

export const transportSnapshot = (data: TransportSnapshot): Snapshot => ({ schema: SCHEMA, version: SNAPSHOT_VERSION, data });

/** @throws DeviceError when the snapshot is of another kind of slot. */
export function checkedSnapshot(
  name: string,
  snapshot: Snapshot,
  slot: { readonly legacy: boolean; readonly deviceId: number; readonly queues: number },
): TransportSnapshot {
  const data = snapshotData<TransportSnapshot>(name, snapshot, SCHEMA, SNAPSHOT_VERSION);
  if (data.legacy !== slot.legacy || data.deviceId !== slot.deviceId || data.queues.length !== slot.queues) {
    throw new DeviceError(name, 'the snapshot is of another kind of slot (device type, queues or legacy interface differ)');
  }
  return data;
}

export function powerOnRegisters(): TransportRegisters {
  return {
    status: 0,
    interruptStatus: 0,
    deviceFeaturesSel: 0,
    driverFeaturesSel: 0,
    driverFeatures: [0, 0],
    negotiated: [0, 0],
    queueSel: 0,
    pageShift: 0,
    configGeneration: 0,
    failed: false,
    resumeQueues: [],
  };
}

/** Feature numbers as the two words that a driver reads. */
export function featureWords(features: readonly number[]): [number, number] {
  const words: [number, number] = [0, 0];
  for (const feature of features) words[feature >>> 5] = (words[feature >>> 5] | (1 << (feature & 31))) >>> 0;
  return words;
}

export function copyRegisters(r: TransportRegisters): TransportRegisters {
  return { ...r, driverFeatures: [...r.driverFeatures], negotiated: [...r.negotiated], resumeQueues: [...r.resumeQueues] };
}
