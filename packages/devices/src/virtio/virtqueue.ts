import type { DmaPort } from '@tablewalk/machine/contracts';

/** Largest ring, and largest number of segments in one chain. QEMU's limit, and what QueueNumMax says. */
export const QUEUE_SIZE_MAX = 1024;

const DESC_NEXT = 1;
const DESC_WRITE = 2;
const DESC_INDIRECT = 4;
const AVAIL_NO_INTERRUPT = 1;
/** Addresses from here on cannot be RAM (40 bits at most), and would lose bits in a double. */
const ADDRESS_LIMIT = 2 ** 48;

/** One descriptor chain, flattened: the segments that the device reads, then those it writes. Reused from request to request. */
export class Chain {
  /** Index of the first descriptor: what the used ring reports. */
  head = 0;
  segmentCount = 0;
  readableBytes = 0;
  writableBytes = 0;
  readonly addresses = new Float64Array(QUEUE_SIZE_MAX);
  readonly lengths = new Float64Array(QUEUE_SIZE_MAX);
  /** Segments before this one are readable, the rest writable. */
  firstWritable = 0;

  /** Copies `target.length` bytes out of the readable part, from `offset`. The number of bytes that were there. */
  read(dma: DmaPort, offset: number, target: Uint8Array): number {
    return this.#copy(dma, 0, this.firstWritable, offset, target, false);
  }

  /** Copies into the writable part, from `offset`. The number of bytes that found room. */
  write(dma: DmaPort, offset: number, source: Uint8Array): number {
    return this.#copy(dma, this.firstWritable, this.segmentCount, offset, source, true);
  }

  #copy(dma: DmaPort, from: number, to: number, offset: number, bytes: Uint8Array, write: boolean): number {
    let done = 0;
    let skip = offset;
    for (let i = from; i < to && done < bytes.length; i++) {
      const length = this.lengths[i];
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const count = Math.min(length - skip, bytes.length - done);
      const part = count === bytes.length ? bytes : bytes.subarray(done, done + count);
      // The whole segment was checked when the chain was taken, so neither can fail.
      if (write) dma.write(this.addresses[i] + skip, part);
      else dma.read(this.addresses[i] + skip, part);
      done += count;
      skip = 0;
    }
    return done;
  }
}

/** What a queue needs of the transport. */
export interface VirtqueueOwner {
  readonly dma: DmaPort;
  negotiatedIndirect(): boolean;
  negotiatedEventIndex(): boolean;
  negotiatedNotifyOnEmpty(): boolean;
  /** Used-buffer interrupt. */
  usedBuffer(): void;
  /** The ring is broken: the device stops until it is reset. */
  fail(message: string): void;
  failed(): boolean;
}

/** State of a {@link Virtqueue}. Addresses are physical; the indexes are 16-bit and run freely. */
export interface VirtqueueState {
  size: number;
  ready: boolean;
  descriptors: number;
  available: number;
  used: number;
  nextAvailable: number;
  nextUsed: number;
  signalledUsed: number;
  signalled: boolean;
}

/**
 * A split virtqueue, device side (virtio 1.1, 2.6). Every number that comes from guest memory is checked before use, and the work for one
 * chain is bounded by {@link QUEUE_SIZE_MAX} segments. Misuse by the driver ends in `owner.fail`, never in an exception.
 */
export class Virtqueue {
  readonly index: number;
  readonly defaultSize: number;
  readonly #owner: VirtqueueOwner;
  readonly #bytes = new Uint8Array(16);
  readonly #view = new DataView(this.#bytes.buffer);

  /** Number of ring entries, a power of two. */
  size: number;
  /** True when the addresses are valid and the driver enabled the queue. */
  ready = false;
  descriptors = 0;
  available = 0;
  used = 0;
  #nextAvailable = 0;
  #nextUsed = 0;
  #filled = 0;
  #signalledUsed = 0;
  #signalled = false;

  constructor(index: number, defaultSize: number, owner: VirtqueueOwner) {
    this.index = index;
    this.defaultSize = defaultSize;
    this.size = defaultSize;
    this.#owner = owner;
  }

  reset(): void {
    this.setState({
      size: this.defaultSize,
      ready: false,
      descriptors: 0,
      available: 0,
      used: 0,
      nextAvailable: 0,
      nextUsed: 0,
      signalledUsed: 0,
      signalled: false,
    });
  }

  /** Starts from empty rings at these addresses; the device's indexes start at 0 again. */
  start(descriptors: number, available: number, used: number): void {
    const { size } = this;
    this.reset();
    this.size = size;
    this.descriptors = descriptors;
    this.available = available;
    this.used = used;
    this.ready = true;
  }

  /** The ring stops; the driver owns its memory again. */
  stop(): void {
    const { size } = this;
    this.reset();
    this.size = size;
  }

  state(): VirtqueueState {
    return {
      size: this.size,
      ready: this.ready,
      descriptors: this.descriptors,
      available: this.available,
      used: this.used,
      nextAvailable: this.#nextAvailable,
      nextUsed: this.#nextUsed,
      signalledUsed: this.#signalledUsed,
      signalled: this.#signalled,
    };
  }

  setState(state: VirtqueueState): void {
    this.size = state.size;
    this.ready = state.ready;
    this.descriptors = state.descriptors;
    this.available = state.available;
    this.used = state.used;
    this.#nextAvailable = state.nextAvailable;
    this.#nextUsed = state.nextUsed;
    this.#signalledUsed = state.signalledUsed;
    this.#signalled = state.signalled;
    this.#filled = 0;
  }

  /**
   * Takes the next available chain. False when there is none, when the queue is not set up, or when the driver broke it.
   * `byteLimit` is the most that one chain may hold in either direction.
   */
  take(chain: Chain, byteLimit: number): boolean {
    const waiting = this.#waiting();
    if (waiting === 0) return false;
    const slot = this.#nextAvailable & (this.size - 1);
    const head = this.#owner.dma.readU16(this.available + 4 + 2 * slot);
    if (head === undefined) return this.#fail('available ring is outside RAM');
    if (head >= this.size) return this.#fail(`available ring names descriptor ${head} of ${this.size}`);
    if (!this.#walk(chain, head, byteLimit)) return false;
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return true;
  }

  /** Gives back the last `count` chains taken, unused. */
  untake(count: number): void {
    this.#nextAvailable = (this.#nextAvailable - count) & 0xffff;
  }

  /** Notes that a chain is finished with `written` bytes; the driver does not see it before {@link publish}. */
  fill(head: number, written: number): void {
    const slot = (this.#nextUsed + this.#filled) & (this.size - 1);
    this.#view.setUint32(0, head, true);
    this.#view.setUint32(4, written, true);
    if (!this.#owner.dma.write(this.used + 4 + 8 * slot, this.#bytes.subarray(0, 8))) {
      this.#fail('used ring is outside RAM');
      return;
    }
    this.#filled++;
  }

  /** Shows the filled chains to the driver, and interrupts if it wants to know. */
  publish(): void {
    if (this.#filled === 0 || this.#owner.failed()) {
      this.#filled = 0;
      return;
    }
    this.#nextUsed = (this.#nextUsed + this.#filled) & 0xffff;
    this.#filled = 0;
    if (!this.#owner.dma.writeU16(this.used + 2, this.#nextUsed)) {
      this.#fail('used ring is outside RAM');
      return;
    }
    if (this.#wantsInterrupt()) this.#owner.usedBuffer();
  }

  /** One chain finished: {@link fill} and {@link publish}. */
  push(head: number, written: number): void {
    this.fill(head, written);
    this.publish();
  }

  /** The device found the queue empty and wants to hear of the next buffer (virtio 1.1, 2.6.10). */
  awaitNotification(): void {
    if (!this.ready || this.#owner.failed() || !this.#owner.negotiatedEventIndex()) return;
    if (!this.#owner.dma.writeU16(this.used + 4 + 8 * this.size, this.#nextAvailable)) this.#fail('used ring is outside RAM');
  }

  /** Number of chains made available and not taken; 0 as well when the driver broke the queue. */
  #waiting(): number {
    if (!this.ready || this.#owner.failed()) return 0;
    const index = this.#owner.dma.readU16(this.available + 2);
    if (index === undefined) {
      this.#fail('available ring is outside RAM');
      return 0;
    }
    const waiting = (index - this.#nextAvailable) & 0xffff;
    if (waiting > this.size) {
      this.#fail(`available index went from ${this.#nextAvailable} to ${index} in a ring of ${this.size}`);
      return 0;
    }
    return waiting;
  }

  #walk(chain: Chain, head: number, byteLimit: number): boolean {
    const { dma } = this.#owner;
    let table = this.descriptors;
    let tableSize = this.size;
    let indirect = false;
    let index = head;
    let steps = 0;
    chain.head = head;
    chain.segmentCount = 0;
    chain.firstWritable = 0;
    chain.readableBytes = 0;
    chain.writableBytes = 0;
    for (;;) {
      // A table has no more descriptors than entries, unless it loops.
      if (steps++ >= tableSize) return this.#fail('descriptors form a loop');
      if (!dma.read(table + 16 * index, this.#bytes)) return this.#fail('descriptor table is outside RAM');
      const address = this.#view.getUint32(4, true) * 2 ** 32 + this.#view.getUint32(0, true);
      const length = this.#view.getUint32(8, true);
      const flags = this.#view.getUint16(12, true);
      const next = this.#view.getUint16(14, true);
      if ((flags & DESC_INDIRECT) !== 0) {
        if (!this.#owner.negotiatedIndirect()) return this.#fail('indirect descriptor that was not negotiated');
        if (indirect) return this.#fail('indirect descriptor inside an indirect table');
        if (length === 0 || length % 16 !== 0) return this.#fail(`indirect table of ${length} bytes`);
        if (address >= ADDRESS_LIMIT || !dma.contains(address, length)) return this.#fail('indirect table is outside RAM');
        indirect = true;
        table = address;
        tableSize = length / 16;
        index = 0;
        steps = 0;
        continue;
      }
      if (!this.#addSegment(chain, address, length, (flags & DESC_WRITE) !== 0, byteLimit)) return false;
      if ((flags & DESC_NEXT) === 0) return true;
      if (next >= tableSize) return this.#fail(`descriptor points to ${next} of ${tableSize}`);
      index = next;
    }
  }

  #addSegment(chain: Chain, address: number, length: number, writable: boolean, byteLimit: number): boolean {
    const count = chain.segmentCount;
    if (count >= QUEUE_SIZE_MAX) return this.#fail(`chain of more than ${QUEUE_SIZE_MAX} descriptors`);
    if (length === 0) return this.#fail('descriptor of zero bytes');
    if (address >= ADDRESS_LIMIT || !this.#owner.dma.contains(address, length)) {
      return this.#fail(`buffer 0x${address.toString(16)} of ${length} bytes is outside RAM`);
    }
    if (writable) chain.writableBytes += length;
    else {
      if (chain.firstWritable !== count) return this.#fail('readable descriptor after a writable one');
      chain.firstWritable = count + 1;
      chain.readableBytes += length;
    }
    if (chain.readableBytes > byteLimit || chain.writableBytes > byteLimit) return this.#fail(`chain of more than ${byteLimit} bytes`);
    chain.addresses[count] = address;
    chain.lengths[count] = length;
    chain.segmentCount = count + 1;
    return true;
  }

  #wantsInterrupt(): boolean {
    const { dma } = this.#owner;
    // Legacy: an empty ring interrupts whatever the driver's flags say (virtio 1.1, 6.3).
    if (this.#owner.negotiatedNotifyOnEmpty() && dma.readU16(this.available + 2) === this.#nextAvailable) return true;
    if (!this.#owner.negotiatedEventIndex()) return ((dma.readU16(this.available) ?? 0) & AVAIL_NO_INTERRUPT) === 0;
    const usedEvent = dma.readU16(this.available + 4 + 2 * this.size);
    if (usedEvent === undefined) return !this.#fail('available ring is outside RAM');
    const before = this.#signalledUsed;
    const known = this.#signalled;
    this.#signalledUsed = this.#nextUsed;
    this.#signalled = true;
    // Crossed `used_event` since the last look (virtio 1.1, 2.6.7.2).
    return !known || ((this.#nextUsed - usedEvent - 1) & 0xffff) < ((this.#nextUsed - before) & 0xffff);
  }

  /** Always false, for `return`. */
  #fail(message: string): false {
    this.#owner.fail(`queue ${this.index}: ${message}`);
    return false;
  }
}
