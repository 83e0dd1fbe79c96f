import type { Snapshot } from '@tablewalk/machine/contracts';
import { DeviceError } from './device-error.js';

/**
 * The data of a snapshot, once it is certain that this component wrote it in this version. Throws {@link DeviceError} before anything has
 * changed: a device never guesses at a foreign state.
 */
export function snapshotData<Data>(component: string, snapshot: Snapshot, schema: string, version: number): Data {
  if (snapshot.schema !== schema) {
    throw new DeviceError(component, `cannot restore a snapshot of '${snapshot.schema}': '${schema}' is expected`);
  }
  if (snapshot.version !== version) {
    throw new DeviceError(component, `cannot restore version ${snapshot.version} of '${schema}': version ${version} is expected`);
  }
  if (typeof snapshot.data !== 'object' || snapshot.data === null)
    throw new DeviceError(component, `the snapshot of '${schema}' has no data`);
  return snapshot.data as Data;
}

/** Throws {@link DeviceError} when an array of a snapshot is not as long as this instance needs (another number of cores, another size). */
export function requireLength(component: string, field: string, actual: { readonly length: number }, expected: number): void {
  if (actual.length !== expected)
    throw new DeviceError(component, `the snapshot's ${field} has ${actual.length} entries instead of ${expected}`);
}
