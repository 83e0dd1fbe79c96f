import type { Snapshot, Stateful } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';
import { snapshotData } from '../snapshots.js';

/**
 * What is behind a disk. Offsets and lengths are bytes, always within `byteLength`. A method that throws fails the guest's request with an
 * I/O error. A storage that is also `Stateful` takes part in snapshots; one that is not (a file written in place) does not.
 */
export interface BlockStorage extends Partial<Stateful> {
  readonly byteLength: number;
  read(offset: number, target: Uint8Array): void;
  write(offset: number, source: Uint8Array): void;
  /** Makes earlier writes durable. */
  flush(): void;
  /** Optional: zeroes a range without carrying the zeroes. */
  zero?(offset: number, byteLength: number): void;
}

/** What a copy-on-write storage reads where nothing was written. Never changed. */
export interface BlockImage {
  readonly byteLength: number;
  read(offset: number, target: Uint8Array): void;
}

const SECTOR_BYTES = 512;
const BLOCK_BYTES = 65536;
const SCHEMA = 'devices/overlay-storage';
const VERSION = 1;

interface OverlaySnapshot {
  readonly byteLength: number;
  /** Written blocks by number; null is a block of zeroes. */
  readonly blocks: [number, Uint8Array | null][];
}

/** A read-only image over bytes in memory. */
export function memoryImage(bytes: Uint8Array): BlockImage {
  return {
    byteLength: bytes.length,
    read: (offset, target) => {
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
}

/**
 * A disk whose writes stay in memory, over `image` (left out: zeroes) which is never changed. `byteLength` defaults to the image's and is
 * rounded up to whole 512-byte sectors. Memory grows with what the guest writes, in 64 KiB blocks, up to the size of the disk.
 */
export function overlayStorage(options: { readonly image?: BlockImage; readonly byteLength?: number }): Required<BlockStorage> {
  const { image } = options;
  const wanted = options.byteLength ?? image?.byteLength ?? 0;
  if (!Number.isSafeInteger(wanted) || wanted <= 0) throw new DeviceError('overlay-storage', `byteLength is ${wanted}`);
  const byteLength = Math.ceil(wanted / SECTOR_BYTES) * SECTOR_BYTES;
  const imageBytes = Math.min(image?.byteLength ?? 0, byteLength);
  let blocks = new Map<number, Uint8Array | null>();

  const readImage = (offset: number, target: Uint8Array): void => {
    const count = Math.max(0, Math.min(target.length, imageBytes - offset));
    if (count > 0) image?.read(offset, target.subarray(0, count));
    target.fill(0, count);
  };
  const check = (offset: number, length: number): void => {
    if (!(offset >= 0) || offset + length > byteLength)
      throw new DeviceError('overlay-storage', `[${offset}, +${length}) is outside ${byteLength} bytes`);
  };
  /** Calls back for each block that the range touches: block number, start in the block, start in the range, count. */
  const forBlocks = (offset: number, length: number, visit: (block: number, inBlock: number, at: number, count: number) => void): void => {
    check(offset, length);
    for (let at = 0; at < length; ) {
      const block = Math.floor((offset + at) / BLOCK_BYTES);
      const inBlock = (offset + at) % BLOCK_BYTES;
      const count = Math.min(BLOCK_BYTES - inBlock, length - at);
      visit(block, inBlock, at, count);
      at += count;
    }
  };
  const writable = (block: number): Uint8Array => {
    const present = blocks.get(block);
    if (present instanceof Uint8Array) return present;
    const bytes = new Uint8Array(BLOCK_BYTES);
    if (present === undefined) readImage(block * BLOCK_BYTES, bytes);
    blocks.set(block, bytes);
    return bytes;
  };

  return {
    byteLength,
    read(offset, target) {
      forBlocks(offset, target.length, (block, inBlock, at, count) => {
        const part = target.subarray(at, at + count);
        const bytes = blocks.get(block);
        if (bytes === undefined) readImage(offset + at, part);
        else if (bytes === null) part.fill(0);
        else part.set(bytes.subarray(inBlock, inBlock + count));
      });
    },
    write(offset, source) {
      forBlocks(offset, source.length, (block, inBlock, at, count) => {
        writable(block).set(source.subarray(at, at + count), inBlock);
      });
    },
    zero(offset, length) {
      forBlocks(offset, length, (block, inBlock, _at, count) => {
        if (count === BLOCK_BYTES) blocks.set(block, null);
        else writable(block).fill(0, inBlock, inBlock + count);
      });
    },
    flush() {},
    snapshot() {
      const data: OverlaySnapshot = {
        byteLength,
        blocks: [...blocks].map(([block, bytes]) => [block, bytes === null ? null : bytes.slice()]),
      };
      return { schema: SCHEMA, version: VERSION, data };
    },
    restore(snapshot: Snapshot) {
      const data = snapshotData<OverlaySnapshot>('overlay-storage', snapshot, SCHEMA, VERSION);
      if (data.byteLength !== byteLength)
        throw new DeviceError('overlay-storage', `the snapshot is of a disk of ${data.byteLength} bytes, this one has ${byteLength}`);
      blocks = new Map(data.blocks.map(([block, bytes]) => [block, bytes === null ? null : bytes.slice()]));
    },
  };
}
