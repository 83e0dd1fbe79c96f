import type { Snapshot } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';
import { snapshotData } from '../snapshots.js';
import type { BlockStorage } from './block-storage.js';
import type { VirtioDevice, VirtioPort } from './virtio-device.js';
import { Chain } from './virtqueue.js';

/** Feature bits (virtio 1.1, 5.2.3). */
const FEATURE_SEG_MAX = 2;
const FEATURE_GEOMETRY = 4;
const FEATURE_RO = 5;
const FEATURE_BLK_SIZE = 6;
const FEATURE_FLUSH = 9;
const FEATURE_TOPOLOGY = 10;
const FEATURE_CONFIG_WCE = 11;
const FEATURE_DISCARD = 13;
const FEATURE_WRITE_ZEROES = 14;

/** Request types and results (virtio 1.1, 5.2.6). */
const TYPE_IN = 0;
const TYPE_OUT = 1;
const TYPE_FLUSH = 4;
const TYPE_GET_ID = 8;
const TYPE_DISCARD = 11;
const TYPE_WRITE_ZEROES = 13;
const RESULT_OK = 0;
const RESULT_IOERR = 1;
const RESULT_UNSUPP = 2;

const SECTOR_BYTES = 512;
const QUEUE_SIZE = 256;
const HEADER_BYTES = 16;
const ID_BYTES = 20;
const CONFIG_BYTES = 60;
const CONFIG_WRITEBACK = 32;
/** Most sectors in one discard or write-zeroes request: 2 GiB less one sector, QEMU's figure. */
const ZERO_SECTORS_MAX = 0x3fffff;
/** One request may not hold up the host for ever; firmware does read whole files in one request. */
const REQUEST_BYTES_MAX = 2 ** 30;
/** Bytes moved in one notification before the guest runs again. */
const NOTIFY_BYTES_MAX = 16 * 2 ** 20;
const COPY_BYTES = 65536;

const SCHEMA = 'devices/virtio-block';
const VERSION = 1;

export interface VirtioBlockOptions {
  /** At least one sector; what is beyond the last whole 512-byte sector is not visible. */
  readonly storage: BlockStorage;
  /** Default false. */
  readonly readOnly?: boolean;
  /** What GET_ID answers: up to 20 characters of ASCII. Default empty. */
  readonly serial?: string;
}

interface BlockSnapshot {
  readonly capacity: number;
  readonly writeback: number;
  readonly storage: Snapshot | undefined;
}

/** A disk (virtio 1.1, 5.2). Requests complete in the notification that brings them. */
export function virtioBlock(options: VirtioBlockOptions): VirtioDevice {
  return new VirtioBlock(options);
}

class VirtioBlock implements VirtioDevice {
  readonly kind = 'block';
  readonly deviceId = 2;
  readonly features: readonly number[];
  readonly legacyFeatures = [];
  readonly queueSizes = [QUEUE_SIZE];
  readonly configByteLength = CONFIG_BYTES;
  readonly #storage: BlockStorage;
  readonly #readOnly: boolean;
  readonly #id = new Uint8Array(ID_BYTES);
  readonly #capacity: number;
  readonly #config = new Uint8Array(CONFIG_BYTES);
  readonly #chain = new Chain();
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #buffer = new Uint8Array(COPY_BYTES);
  #port: VirtioPort | undefined;

  constructor(options: VirtioBlockOptions) {
    this.#storage = options.storage;
    this.#readOnly = options.readOnly ?? false;
    this.#capacity = Math.floor(options.storage.byteLength / SECTOR_BYTES);
    if (!(this.#capacity >= 1))
      throw new DeviceError('virtio-block', `storage of ${options.storage.byteLength} bytes is less than a sector`);
    const serial = options.serial ?? '';
    if (serial.length > ID_BYTES || !/^[\x20-\x7e]*$/.test(serial))
      throw new DeviceError('virtio-block', 'serial is not up to 20 characters of ASCII');
    for (let i = 0; i < serial.length; i++) this.#id[i] = serial.charCodeAt(i);
    this.features = [
      FEATURE_SEG_MAX,
      FEATURE_GEOMETRY,
      FEATURE_BLK_SIZE,
      FEATURE_FLUSH,
      FEATURE_TOPOLOGY,
      FEATURE_CONFIG_WCE,
      FEATURE_DISCARD,
      FEATURE_WRITE_ZEROES,
      ...(this.#readOnly ? [FEATURE_RO] : []),
    ];
    this.#fillConfig();
  }

  attach(port: VirtioPort): void {
    this.#port = port;
  }

  readConfig(offset: number): number {
    return this.#config[offset];
  }

  writeConfig(offset: number, size: number, value: number): void {
    // `writeback` is the one field that a driver may write (virtio 1.1, 5.2.4).
    if (offset === CONFIG_WRITEBACK && size === 1 && this.#port?.negotiated(FEATURE_CONFIG_WCE)) this.#config[CONFIG_WRITEBACK] = value & 1;
    else
      this.#port?.diagnostics.guestError(
        this.#port.name,
        `block: write of ${size} bytes to configuration offset 0x${offset.toString(16)}, which is read-only`,
      );
  }

  ready(): void {}

  reset(): void {
    this.#config[CONFIG_WRITEBACK] = 1;
  }

  notify(index: number): void {
    const port = this.#port;
    if (port === undefined) return;
    const queue = port.queue(index);
    let moved = 0;
    while (queue.take(this.#chain, REQUEST_BYTES_MAX + 2 * SECTOR_BYTES)) {
      const chain = this.#chain;
      if (chain.readableBytes < HEADER_BYTES || chain.writableBytes < 1) {
        port.fail(`queue ${index}: block request without header or status byte`);
        return;
      }
      const result = this.#request(port, chain);
      this.#buffer[0] = result;
      // The status is the last writable byte, however the message is framed (virtio 1.1, 5.2.6).
      chain.write(port.dma, chain.writableBytes - 1, this.#buffer.subarray(0, 1));
      queue.push(chain.head, chain.writableBytes);
      moved += chain.readableBytes + chain.writableBytes;
      if (moved >= NOTIFY_BYTES_MAX) {
        port.resume(index);
        return;
      }
    }
    queue.awaitNotification();
  }

  snapshot(): Snapshot {
    const data: BlockSnapshot = {
      capacity: this.#capacity,
      writeback: this.#config[CONFIG_WRITEBACK],
      storage: this.#storage.snapshot?.(),
    };
    return { schema: SCHEMA, version: VERSION, data };
  }

  restore(snapshot: Snapshot): void {
    const data = snapshotData<BlockSnapshot>('virtio-block', snapshot, SCHEMA, VERSION);
    if (data.capacity !== this.#capacity)
      throw new DeviceError('virtio-block', `the snapshot is of a disk of ${data.capacity} sectors, this one has ${this.#capacity}`);
    if ((data.storage !== undefined) !== (this.#storage.restore !== undefined)) {
      throw new DeviceError('virtio-block', 'the snapshot and the storage do not agree on whether the disk contents are part of it');
    }
    if (data.storage !== undefined) this.#storage.restore?.(data.storage);
    this.#config[CONFIG_WRITEBACK] = data.writeback;
  }

  #request(port: VirtioPort, chain: Chain): number {
    chain.read(port.dma, 0, this.#header);
    const type = this.#headerView.getUint32(0, true);
    const sector = this.#headerView.getUint32(12, true) * 2 ** 32 + this.#headerView.getUint32(8, true);
    try {
      switch (type) {
        case TYPE_IN:
          return this.#in(port, chain, sector);
        case TYPE_OUT:
          return this.#out(port, chain, sector);
        case TYPE_FLUSH:
          this.#storage.flush();
          return RESULT_OK;
        case TYPE_GET_ID:
          chain.write(port.dma, 0, this.#id.subarray(0, Math.min(ID_BYTES, chain.writableBytes - 1)));
          return RESULT_OK;
        case TYPE_DISCARD:
        case TYPE_WRITE_ZEROES:
          return this.#zero(port, chain, type);
        default:
          port.diagnostics.guestError(port.name, `block: request type ${type} is not supported`);
          return RESULT_UNSUPP;
      }
    } catch (error) {
      // The host's storage failed: for the guest that is a bad disk, not the end of the machine.
      port.diagnostics.guestError(port.name, `block: storage failed: ${error instanceof Error ? error.message : String(error)}`);
      return RESULT_IOERR;
    }
  }

  #inRange(port: VirtioPort, what: string, sector: number, byteLength: number): boolean {
    const fine = byteLength % SECTOR_BYTES === 0 && byteLength <= REQUEST_BYTES_MAX && sector + byteLength / SECTOR_BYTES <= this.#capacity;
    if (!fine) port.diagnostics.guestError(port.name, `block: ${what} of ${byteLength} bytes at sector ${sector} of ${this.#capacity}`);
    return fine;
  }

  #in(port: VirtioPort, chain: Chain, sector: number): number {
    const byteLength = chain.writableBytes - 1;
    if (!this.#inRange(port, 'read', sector, byteLength)) return RESULT_IOERR;
    for (let at = 0; at < byteLength; at += COPY_BYTES) {
      const part = byteLength - at >= COPY_BYTES ? this.#buffer : this.#buffer.subarray(0, byteLength - at);
      this.#storage.read(sector * SECTOR_BYTES + at, part);
      chain.write(port.dma, at, part);
    }
    return RESULT_OK;
  }

  #out(port: VirtioPort, chain: Chain, sector: number): number {
    const byteLength = chain.readableBytes - HEADER_BYTES;
    if (!this.#inRange(port, 'write', sector, byteLength)) return RESULT_IOERR;
    if (this.#readOnly) {
      port.diagnostics.guestError(port.name, `block: write at sector ${sector} of a read-only disk`);
      return RESULT_IOERR;
    }
    for (let at = 0; at < byteLength; at += COPY_BYTES) {
      const part = byteLength - at >= COPY_BYTES ? this.#buffer : this.#buffer.subarray(0, byteLength - at);
      chain.read(port.dma, HEADER_BYTES + at, part);
      this.#storage.write(sector * SECTOR_BYTES + at, part);
    }
    if (this.#config[CONFIG_WRITEBACK] === 0) this.#storage.flush();
    return RESULT_OK;
  }

  /** Discard zeroes when the storage can do that cheaply, and is ignored otherwise: what a discarded sector reads is unspecified. */
  #zero(port: VirtioPort, chain: Chain, type: number): number {
    if (this.#readOnly) return RESULT_IOERR;
    // Configuration space announces one segment a request.
    if (chain.readableBytes !== HEADER_BYTES + 16) return RESULT_UNSUPP;
    chain.read(port.dma, HEADER_BYTES, this.#header);
    const sector = this.#headerView.getUint32(4, true) * 2 ** 32 + this.#headerView.getUint32(0, true);
    const count = this.#headerView.getUint32(8, true);
    const flags = this.#headerView.getUint32(12, true);
    // Bit 0 is `unmap`, which only write-zeroes has (virtio 1.1, 5.2.6.2).
    if ((flags & ~(type === TYPE_WRITE_ZEROES ? 1 : 0)) !== 0) return RESULT_UNSUPP;
    if (count > ZERO_SECTORS_MAX || sector + count > this.#capacity) {
      port.diagnostics.guestError(
        port.name,
        `block: ${type === TYPE_DISCARD ? 'discard' : 'write zeroes'} of ${count} sectors at ${sector} of ${this.#capacity}`,
      );
      return RESULT_IOERR;
    }
    const end = (sector + count) * SECTOR_BYTES;
    if (this.#storage.zero !== undefined) this.#storage.zero(sector * SECTOR_BYTES, count * SECTOR_BYTES);
    else if (type === TYPE_WRITE_ZEROES) {
      this.#buffer.fill(0);
      for (let at = sector * SECTOR_BYTES; at < end; at += COPY_BYTES)
        this.#storage.write(at, this.#buffer.subarray(0, Math.min(COPY_BYTES, end - at)));
    }
    if (type === TYPE_WRITE_ZEROES && this.#config[CONFIG_WRITEBACK] === 0) this.#storage.flush();
    return RESULT_OK;
  }

  /** struct virtio_blk_config (virtio 1.1, 5.2.4). */
  #fillConfig(): void {
    const view = new DataView(this.#config.buffer);
    const capacity = this.#capacity;
    view.setUint32(0, capacity >>> 0, true);
    view.setUint32(4, Math.floor(capacity / 2 ** 32), true);
    view.setUint32(12, QUEUE_SIZE - 2, true); // seg_max: a ring less header and status
    const heads = 16;
    const sectors = 63;
    view.setUint16(16, Math.min(16383, Math.max(2, Math.floor(capacity / (heads * sectors)))), true);
    view.setUint8(18, heads);
    view.setUint8(19, sectors);
    view.setUint32(20, SECTOR_BYTES, true); // blk_size
    view.setUint8(CONFIG_WRITEBACK, 1);
    view.setUint16(34, 1, true); // num_queues
    view.setUint32(36, ZERO_SECTORS_MAX, true); // max_discard_sectors
    view.setUint32(40, 1, true); // max_discard_seg
    view.setUint32(44, 1, true); // discard_sector_alignment
    view.setUint32(48, ZERO_SECTORS_MAX, true); // max_write_zeroes_sectors
    view.setUint32(52, 1, true); // max_write_zeroes_seg
    view.setUint8(56, 1); // write_zeroes_may_unmap
  }
}
