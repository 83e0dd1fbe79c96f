import type { Clock, Device, DmaPort, Timer } from '@tablewalk/machine/contracts';
import type { VirtioDevice } from './virtio-device.js';
import { virtioMmio } from './virtio-mmio.js';

/** RAM at an address, seen as a bus master sees it. */
export class FakeRam implements DmaPort {
  readonly base = 0x40000000;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(byteLength = 4 * 2 ** 20) {
    this.bytes = new Uint8Array(byteLength);
    this.view = new DataView(this.bytes.buffer);
  }

  contains(address: number, byteLength: number): boolean {
    return address >= this.base && address + byteLength <= this.base + this.bytes.length;
  }

  read(address: number, target: Uint8Array): boolean {
    if (!this.contains(address, target.length)) return false;
    target.set(this.bytes.subarray(address - this.base, address - this.base + target.length));
    return true;
  }

  write(address: number, source: Uint8Array): boolean {
    if (!this.contains(address, source.length)) return false;
    this.bytes.set(source, address - this.base);
    return true;
  }

  readU16(address: number): number | undefined {
    return this.contains(address, 2) ? this.view.getUint16(address - this.base, true) : undefined;
  }

  readU32(address: number): number | undefined {
    return this.contains(address, 4) ? this.view.getUint32(address - this.base, true) : undefined;
  }

  writeU16(address: number, value: number): boolean {
    if (!this.contains(address, 2)) return false;
    this.view.setUint16(address - this.base, value, true);
    return true;
  }

  writeU32(address: number, value: number): boolean {
    if (!this.contains(address, 4)) return false;
    this.view.setUint32(address - this.base, value, true);
    return true;
  }

  slice(address: number, byteLength: number): Uint8Array {
    return this.bytes.slice(address - this.base, address - this.base + byteLength);
  }
}

export class FakeClock implements Clock {
  time = 0;
  readonly #timers: { name: string; deadline: number; expire: () => void }[] = [];

  now(): number {
    return this.time;
  }

  timer(name: string, expire: () => void): Timer {
    const timer = {
      name,
      deadline: Infinity,
      expire,
      arm(deadline: number) {
        timer.deadline = Math.ceil(deadline);
      },
      disarm() {
        timer.deadline = Infinity;
      },
    };
    this.#timers.push(timer);
    return timer;
  }

  /** Goes on by `ns`, stopping at every deadline on the way. */
  advance(ns: number): void {
    const end = this.time + ns;
    for (;;) {
      const next = this.#timers.reduce((a, b) => (b.deadline < a.deadline ? b : a), { name: '', deadline: Infinity, expire: () => {} });
      if (next.deadline > end) break;
      this.time = Math.max(this.time, next.deadline);
      next.deadline = Infinity;
      next.expire();
    }
    this.time = end;
  }
}

export interface UsedElement {
  readonly id: number;
  readonly length: number;
}

interface Ring {
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  nextDescriptor: number;
  availableIndex: number;
  usedSeen: number;
}

/** One part of a request: bytes for the device, or room for the device. */
export interface Segment {
  readonly address: number;
  readonly length: number;
  readonly writable: boolean;
}

/** The driver's half: registers, rings and buffers in a fake RAM, with a device behind a slot. */
export class TestDriver {
  readonly ram = new FakeRam();
  readonly clock = new FakeClock();
  readonly errors: string[] = [];
  readonly slot: Device;
  readonly legacy: boolean;
  level = false;
  /** How often the line rose. */
  interrupts = 0;
  #next: number;
  readonly rings: Ring[] = [];

  constructor(device: VirtioDevice | ((clock: Clock) => VirtioDevice) | undefined, legacy: boolean) {
    this.legacy = legacy;
    this.#next = this.ram.base + 0x1000;
    const report = (_component: string, message: string): void => {
      this.errors.push(message);
    };
    const host = { clock: this.clock, diagnostics: { guestError: report, unimplemented: report } };
    const made = typeof device === 'function' ? device(this.clock) : device;
    this.slot = virtioMmio(host, {
      name: 'virtio-mmio@a003e00',
      dma: this.ram,
      legacy,
      interrupt: {
        set: (level) => {
          if (level && !this.level) this.interrupts++;
          this.level = level;
        },
      },
      ...(made === undefined ? {} : { device: made }),
    });
  }

  r(offset: number): number {
    return this.slot.read(offset, 4);
  }

  w(offset: number, value: number): void {
    this.slot.write(offset, 4, value);
  }

  /** Room in RAM. */
  allocate(byteLength: number, align = 16): number {
    const address = Math.ceil(this.#next / align) * align;
    this.#next = address + byteLength;
    if (this.#next > this.ram.base + this.ram.bytes.length) throw new Error('test RAM is full');
    return address;
  }

  offered(): bigint {
    this.w(0x14, 1);
    const high = BigInt(this.r(0x10));
    this.w(0x14, 0);
    return (high << 32n) | BigInt(this.r(0x10));
  }

  /** Reset to DRIVER_OK (virtio 1.1, 3.1.1) with these features (VERSION_1 is added for modern) and these queues set up. */
  start(features: readonly number[], queueSizes: readonly number[]): void {
    this.w(0x70, 0);
    this.w(0x70, 1);
    this.w(0x70, 3);
    const wanted = this.legacy ? features : [...features, 32];
    const bits = wanted.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
    this.w(0x24, 0);
    this.w(0x20, Number(bits & 0xffffffffn));
    if (this.legacy) this.w(0x28, 4096);
    else {
      this.w(0x24, 1);
      this.w(0x20, Number(bits >> 32n));
      this.w(0x70, 11);
    }
    for (const [index, size] of queueSizes.entries()) this.setUpQueue(index, size);
    this.w(0x70, this.legacy ? 7 : 15);
  }

  setUpQueue(index: number, size: number): void {
    this.w(0x30, index);
    this.w(0x38, size);
    const bytes = 16 * size + 2 * (3 + size);
    const descriptors = this.allocate(Math.ceil(bytes / 4096) * 4096 + 6 + 8 * size, 4096);
    const available = descriptors + 16 * size;
    const used = Math.ceil((descriptors + bytes) / 4096) * 4096;
    this.ram.bytes.fill(0, descriptors - this.ram.base, used + 6 + 8 * size - this.ram.base);
    if (this.legacy) {
      this.w(0x3c, 4096);
      this.w(0x40, descriptors / 4096);
    } else {
      for (const [offset, address] of [
        [0x80, descriptors],
        [0x90, available],
        [0xa0, used],
      ]) {
        this.w(offset, address);
        this.w(offset + 4, 0);
      }
      this.w(0x44, 1);
    }
    this.rings[index] = { size, descriptors, available, used, nextDescriptor: 0, availableIndex: 0, usedSeen: 0 };
  }

  bytes(...values: (number | Uint8Array | string)[]): Uint8Array {
    const parts = values.map((v) => (typeof v === 'number' ? Uint8Array.of(v) : typeof v === 'string' ? hex(v) : v));
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  forDevice(bytes: Uint8Array): Segment {
    const address = this.allocate(bytes.length);
    this.ram.write(address, bytes);
    return { address, length: bytes.length, writable: false };
  }

  room(length: number): Segment {
    return { address: this.allocate(length), length, writable: true };
  }

  putDescriptor(address: number, target: number, length: number, flags: number, next: number): void {
    this.ram.writeU32(address, target % 2 ** 32);
    this.ram.writeU32(address + 4, Math.floor(target / 2 ** 32));
    this.ram.writeU32(address + 8, length);
    this.ram.writeU16(address + 12, flags);
    this.ram.writeU16(address + 14, next);
  }

  /** Makes a chain available without a notification. Returns its head. */
  add(index: number, segments: readonly Segment[], indirect = false): number {
    const ring = this.rings[index];
    const head = ring.nextDescriptor % ring.size;
    if (indirect) {
      const table = this.allocate(16 * segments.length);
      for (const [i, s] of segments.entries()) {
        this.putDescriptor(table + 16 * i, s.address, s.length, (i + 1 < segments.length ? 1 : 0) | (s.writable ? 2 : 0), i + 1);
      }
      this.putDescriptor(ring.descriptors + 16 * head, table, 16 * segments.length, 4, 0);
      ring.nextDescriptor++;
    } else {
      for (const [i, s] of segments.entries()) {
        const at = ring.nextDescriptor++ % ring.size;
        const next = ring.nextDescriptor % ring.size;
        this.putDescriptor(ring.descriptors + 16 * at, s.address, s.length, (i + 1 < segments.length ? 1 : 0) | (s.writable ? 2 : 0), next);
      }
    }
    this.offer(index, head);
    return head;
  }

  /** Puts a descriptor number into the available ring. */
  offer(index: number, head: number): void {
    const ring = this.rings[index];
    this.ram.writeU16(ring.available + 4 + 2 * (ring.availableIndex % ring.size), head);
    ring.availableIndex = (ring.availableIndex + 1) & 0xffff;
    this.ram.writeU16(ring.available + 2, ring.availableIndex);
  }

  kick(index: number): void {
    this.w(0x50, index);
  }

  /** What the device finished since the last look; asks to be interrupted by the next (for EVENT_IDX). */
  used(index: number): UsedElement[] {
    const ring = this.rings[index];
    const done: UsedElement[] = [];
    while (ring.usedSeen !== this.ram.readU16(ring.used + 2)) {
      const at = ring.used + 4 + 8 * (ring.usedSeen % ring.size);
      done.push({ id: this.ram.readU32(at) ?? -1, length: this.ram.readU32(at + 4) ?? -1 });
      ring.usedSeen = (ring.usedSeen + 1) & 0xffff;
    }
    this.ram.writeU16(ring.available + 4 + 2 * ring.size, ring.usedSeen);
    return done;
  }

  /** Interrupt status, acknowledged. */
  acknowledge(): number {
    const status = this.r(0x60);
    this.w(0x64, status);
    return status;
  }

  get(segment: Segment): Uint8Array {
    return this.ram.slice(segment.address, segment.length);
  }
}

/** Bytes from hexadecimal; `[n]` is n zero bytes. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '').replace(/\[(\d+)\]/g, (_, count: string) => '00'.repeat(Number(count)));
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** xorshift32: the same "random" numbers on every run. */
export function numbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Faster than a deep comparison of megabytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
