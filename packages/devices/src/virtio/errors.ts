import type { Snapshot } from '@tablewalk/machine/contracts';

/** The embedder misused a virtio component. What a guest does never throws. */
export class VirtioError extends Error {
  constructor(component: string, message: string, options?: ErrorOptions) {
    super(`[devices] [${component}] ${message}`, options);
    this.name = 'VirtioError';
  }
}

/** The data of a snapshot that `schema` and `version` wrote. Throws {@link VirtioError} for any other. */
export function snapshotData<Data>(component: string, snapshot: Snapshot, schema: string, version: number): Data {
  if (snapshot.schema !== schema || snapshot.version !== version) {
    throw new VirtioError(
      component,
      `cannot restore ${snapshot.schema} version ${snapshot.version}: expected ${schema} version ${version}`,
    );
  }
  return snapshot.data as Data;
}
