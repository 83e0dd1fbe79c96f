import type { Snapshot } from '@tablewalk/machine/contracts';
import { snapshotData } from '../snapshots.js';
import type { EntropySource } from './entropy.js';
import { FEATURE_ANY_LAYOUT, type VirtioDevice, type VirtioPort } from './virtio-device.js';
import { Chain } from './virtqueue.js';

/** Most bytes given for one buffer; a driver takes what it gets (virtio 1.1, 5.4.6.2). */
const REPLY_BYTES_MAX = 4096;
const SCHEMA = 'devices/virtio-rng';
const VERSION = 1;

/** An entropy device (virtio 1.1, 5.4). */
export function virtioRng(options: { readonly entropy: EntropySource }): VirtioDevice {
  const { entropy } = options;
  const chain = new Chain();
  const buffer = new Uint8Array(REPLY_BYTES_MAX);
  let port: VirtioPort | undefined;
  return {
    kind: 'rng',
    deviceId: 4,
    features: [],
    legacyFeatures: [FEATURE_ANY_LAYOUT],
    queueSizes: [8],
    configByteLength: 0,
    attach(given) {
      port = given;
    },
    // There is no configuration space: the transport lets nothing through.
    readConfig: () => 0,
    writeConfig() {},
    ready() {},
    notify(index) {
      if (port === undefined) return;
      const queue = port.queue(index);
      while (queue.take(chain, 2 ** 32)) {
        const reply = buffer.subarray(0, Math.min(chain.writableBytes, REPLY_BYTES_MAX));
        entropy.fill(reply);
        queue.push(chain.head, chain.write(port.dma, 0, reply));
      }
      queue.awaitNotification();
    },
    reset(powerOn) {
      if (powerOn) entropy.reset();
    },
    snapshot(): Snapshot {
      return { schema: SCHEMA, version: VERSION, data: { entropy: entropy.snapshot() } };
    },
    restore(snapshot) {
      entropy.restore(snapshotData<{ entropy: Snapshot }>('virtio-rng', snapshot, SCHEMA, VERSION).entropy);
    },
  };
}
