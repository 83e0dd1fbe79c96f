import type { AccessSize, Device, Diagnostics, Snapshot } from '@tablewalk/machine/contracts';
import { accessText, MAGIC, MAGIC_VALUE, VENDOR, VENDOR_ID, VERSION } from './mmio-registers.js';
import { checkedSnapshot, powerOnRegisters, transportSnapshot } from './mmio-state.js';

/** A window without a device, which says so with device type 0 (virtio 1.1, 4.2.2). Its snapshot has the shape of any slot's. */
export class EmptySlot implements Device {
  readonly name: string;
  readonly #diagnostics: Diagnostics;
  readonly #legacy: boolean;

  constructor(name: string, diagnostics: Diagnostics, legacy: boolean) {
    this.name = name;
    this.#diagnostics = diagnostics;
    this.#legacy = legacy;
  }

  read(offset: number, size: AccessSize): number {
    const word = offset & ~3;
    const value = word === MAGIC_VALUE ? MAGIC : word === VERSION ? (this.#legacy ? 1 : 2) : word === VENDOR_ID ? VENDOR : 0;
    if (offset > VENDOR_ID + 3) this.#report('read', offset, size);
    const shifted = value >>> (8 * (offset & 3));
    return size === 4 ? shifted : shifted & (size === 2 ? 0xffff : 0xff);
  }

  /** Ignored, as QEMU's empty slots do; a driver that writes to one has not looked at the device type. */
  write(offset: number, size: AccessSize): void {
    this.#report('write', offset, size);
  }

  reset(): void {}

  snapshot(): Snapshot {
    return transportSnapshot({
      legacy: this.#legacy,
      deviceId: 0,
      registers: powerOnRegisters(),
      queues: [],
      resumeDeadline: Infinity,
      device: undefined,
    });
  }

  restore(snapshot: Snapshot): void {
    checkedSnapshot(this.name, snapshot, { legacy: this.#legacy, deviceId: 0, queues: 0 });
  }

  #report(direction: 'read' | 'write', offset: number, size: AccessSize): void {
    this.#diagnostics.guestError(this.name, `${accessText(direction, offset, size)} of an empty slot`);
  }
}
