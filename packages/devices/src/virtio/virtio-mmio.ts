import type { AccessSize, Device, DeviceHost, Diagnostics, DmaPort, InterruptLine, Snapshot, Timer } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';
import { EmptySlot } from './empty-slot.js';
import {
  accessText,
  CONFIG,
  CONFIG_GENERATION,
  DEVICE_FEATURES,
  DEVICE_FEATURES_SEL,
  DEVICE_ID,
  DRIVER_FEATURES,
  DRIVER_FEATURES_SEL,
  GUEST_PAGE_SIZE,
  INTERRUPT_ACK,
  INTERRUPT_STATUS,
  MAGIC,
  MAGIC_VALUE,
  QUEUE_ALIGN,
  QUEUE_DESC_HIGH,
  QUEUE_DESC_LOW,
  QUEUE_DEVICE_HIGH,
  QUEUE_DEVICE_LOW,
  QUEUE_DRIVER_HIGH,
  QUEUE_DRIVER_LOW,
  QUEUE_NOTIFY,
  QUEUE_NUM,
  QUEUE_NUM_MAX,
  QUEUE_PFN,
  QUEUE_READY,
  QUEUE_SEL,
  REGISTER_NAMES,
  SHM_BASE_HIGH,
  SHM_LEN_LOW,
  STATUS,
  VENDOR,
  VENDOR_ID,
  VERSION,
} from './mmio-registers.js';
import {
  checkedSnapshot,
  copyQueue,
  copyRegisters,
  featureWords,
  powerOnRegisters,
  type QueueRegisters,
  transportSnapshot,
  unsetQueue,
} from './mmio-state.js';
import {
  FEATURE_EVENT_IDX,
  FEATURE_INDIRECT_DESC,
  FEATURE_NOTIFY_ON_EMPTY,
  FEATURE_VERSION_1,
  STATUS_DRIVER_OK,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  type VirtioDevice,
  type VirtioPort,
} from './virtio-device.js';
import { QUEUE_SIZE_MAX, Virtqueue, type VirtqueueOwner } from './virtqueue.js';

const INTERRUPT_USED_BUFFER = 1;
const INTERRUPT_CONFIG = 2;

/** Continuation of long work: far enough for the guest to run, near enough not to slow a transfer. */
const RESUME_DELAY_NS = 1000;

/** What a slot needs besides the clock and diagnostics. */
export interface VirtioMmioOptions {
  /** Instance name, for example `virtio-mmio@a003e00`. */
  readonly name: string;
  readonly dma: DmaPort;
  readonly interrupt: InterruptLine;
  /** Left out: an empty slot, which says so with device type 0. */
  readonly device?: VirtioDevice;
  /** Default true, as QEMU's `virt`: interface version 1. False: version 2 (virtio 1.1, 4.2.2). */
  readonly legacy?: boolean;
}

/**
 * One 0x200-byte virtio-mmio window (virtio 1.1, 4.2) with a device behind it, or none. Registers behave as in QEMU 7.2 where the
 * specification leaves a choice; where QEMU is laxer than the specification demands (accepting features that were never offered) the
 * specification wins.
 */
export function virtioMmio(host: DeviceHost, options: VirtioMmioOptions): Device {
  const { name, device, legacy = true } = options;
  return device === undefined ? new EmptySlot(name, host.diagnostics, legacy) : new VirtioMmio(host, options, device, legacy);
}

class VirtioMmio implements Device, VirtioPort, VirtqueueOwner {
  readonly name: string;
  readonly dma: DmaPort;
  readonly diagnostics: Diagnostics;
  readonly #interrupt: InterruptLine;
  readonly #device: VirtioDevice;
  readonly #legacy: boolean;
  readonly #offered: [number, number];
  readonly #queues: Virtqueue[] = [];
  readonly #queueRegisters: QueueRegisters[] = [];
  readonly #clock: DeviceHost['clock'];
  readonly #timer: Timer;
  #registers = powerOnRegisters();

  constructor(host: DeviceHost, options: VirtioMmioOptions, device: VirtioDevice, legacy: boolean) {
    this.name = options.name;
    this.dma = options.dma;
    this.diagnostics = host.diagnostics;
    this.#interrupt = options.interrupt;
    this.#device = device;
    this.#legacy = legacy;
    this.#clock = host.clock;
    this.#timer = host.clock.timer(`${options.name} work`, () => this.#resumed());
    const common = [FEATURE_INDIRECT_DESC, FEATURE_EVENT_IDX];
    this.#offered = featureWords(
      this.#legacy
        ? [...common, FEATURE_NOTIFY_ON_EMPTY, ...device.features, ...device.legacyFeatures]
        : [...common, FEATURE_VERSION_1, ...device.features],
    );
    for (const [index, size] of device.queueSizes.entries()) {
      this.#queues.push(new Virtqueue(index, size, this));
      this.#queueRegisters.push(unsetQueue());
    }
    device.attach(this);
  }

  // ---- Device

  read(offset: number, size: AccessSize): number {
    if (offset >= CONFIG) return this.#readConfig(offset - CONFIG, size);
    if (size !== 4 || (offset & 3) !== 0) return this.#badAccess('read', offset, size);
    const r = this.#registers;
    const queue = this.#queueRegisters[r.queueSel];
    switch (offset) {
      case MAGIC_VALUE:
        return MAGIC;
      case VERSION:
        return this.#legacy ? 1 : 2;
      case DEVICE_ID:
        return this.#device.deviceId;
      case VENDOR_ID:
        return VENDOR;
      case DEVICE_FEATURES:
        return this.#offered[r.deviceFeaturesSel] ?? 0;
      case QUEUE_NUM_MAX:
        return queue === undefined ? 0 : QUEUE_SIZE_MAX;
      case QUEUE_PFN:
        return this.#legacy ? (queue?.pfn ?? 0) : this.#badAccess('read', offset, size);
      case QUEUE_READY:
        return this.#legacy ? this.#badAccess('read', offset, size) : Number(this.#queues[r.queueSel]?.ready ?? false);
      case INTERRUPT_STATUS:
        return r.interruptStatus;
      case STATUS:
        return r.status;
      case CONFIG_GENERATION:
        return this.#legacy ? this.#badAccess('read', offset, size) : r.configGeneration;
      default:
        // No shared memory region: a length (and base) of all ones says so (virtio 1.2, 4.2.2).
        if (offset >= SHM_LEN_LOW && offset <= SHM_BASE_HIGH) return 0xffffffff;
        return this.#badAccess('read', offset, size);
    }
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (offset >= CONFIG) {
      const device = this.#device;
      if (offset - CONFIG + size > device.configByteLength) this.#badAccess('write', offset, size);
      else device.writeConfig(offset - CONFIG, size, value);
      return;
    }
    if (size !== 4 || (offset & 3) !== 0) {
      this.#badAccess('write', offset, size);
      return;
    }
    this.#writeRegister(offset, value >>> 0);
  }

  reset(): void {
    this.#reset(true);
  }

  snapshot(): Snapshot {
    return transportSnapshot({
      legacy: this.#legacy,
      deviceId: this.#device.deviceId,
      registers: copyRegisters(this.#registers),
      queues: this.#queues.map((queue, index) => ({
        registers: copyQueue(this.#queueRegisters[index]),
        ring: queue.state(),
      })),
      resumeDeadline: this.#timer.deadline,
      device: this.#device.snapshot(),
    });
  }

  restore(snapshot: Snapshot): void {
    const data = checkedSnapshot(this.name, snapshot, {
      legacy: this.#legacy,
      deviceId: this.#device.deviceId,
      queues: this.#queues.length,
    });
    // First what may still refuse.
    if (data.device !== undefined) this.#device.restore(data.device);
    this.#registers = copyRegisters(data.registers);
    for (const [index, queue] of data.queues.entries()) {
      this.#queueRegisters[index] = copyQueue(queue.registers);
      this.#queues[index].setState(queue.ring);
    }
    if (data.resumeDeadline === Infinity) this.#timer.disarm();
    else this.#timer.arm(data.resumeDeadline);
    this.#updateLine();
  }

  // ---- VirtioPort, VirtqueueOwner

  queue(index: number): Virtqueue {
    const queue = this.#queues[index];
    if (queue === undefined) throw new DeviceError(this.name, `no queue ${index}`);
    return queue;
  }

  negotiated(feature: number): boolean {
    return ((this.#registers.negotiated[feature >>> 5] >>> (feature & 31)) & 1) !== 0;
  }

  driverReady(): boolean {
    return (this.#registers.status & STATUS_DRIVER_OK) !== 0 && !this.#registers.failed;
  }

  configChanged(): void {
    const r = this.#registers;
    r.configGeneration = (r.configGeneration + 1) >>> 0;
    if ((r.status & STATUS_DRIVER_OK) === 0) return;
    r.interruptStatus |= INTERRUPT_CONFIG;
    this.#updateLine();
  }

  fail(message: string): void {
    const r = this.#registers;
    if (r.failed) return;
    r.failed = true;
    r.resumeQueues = [];
    this.#timer.disarm();
    this.#report(`${this.#device.kind}: ${message}; the device stops until it is reset`);
    // Only a version 1 driver knows the bit (virtio 1.1, 2.1.1).
    if (!this.negotiated(FEATURE_VERSION_1)) return;
    r.status |= STATUS_NEEDS_RESET;
    this.configChanged();
  }

  failed(): boolean {
    return this.#registers.failed;
  }

  resume(queue: number): void {
    const { resumeQueues } = this.#registers;
    if (!resumeQueues.includes(queue)) resumeQueues.push(queue);
    if (this.#timer.deadline === Infinity) this.#timer.arm(this.#clock.now() + RESUME_DELAY_NS);
  }

  negotiatedIndirect(): boolean {
    return this.negotiated(FEATURE_INDIRECT_DESC);
  }

  negotiatedEventIndex(): boolean {
    return this.negotiated(FEATURE_EVENT_IDX);
  }

  negotiatedNotifyOnEmpty(): boolean {
    return this.#legacy && this.negotiated(FEATURE_NOTIFY_ON_EMPTY);
  }

  usedBuffer(): void {
    this.#registers.interruptStatus |= INTERRUPT_USED_BUFFER;
    this.#updateLine();
  }

  // ---- registers

  #readConfig(offset: number, size: AccessSize): number {
    const device = this.#device;
    if (offset + size > device.configByteLength) {
      // All ones, as QEMU answers.
      this.#badAccess('read', CONFIG + offset, size);
      return size === 4 ? 0xffffffff : 2 ** (8 * size) - 1;
    }
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (device.readConfig(offset + i) & 0xff);
    return value;
  }

  #writeRegister(offset: number, value: number): void {
    const r = this.#registers;
    switch (offset) {
      case DEVICE_FEATURES_SEL:
        r.deviceFeaturesSel = value;
        return;
      case DRIVER_FEATURES_SEL:
        r.driverFeaturesSel = value;
        return;
      case DRIVER_FEATURES:
        this.#writeDriverFeatures(value);
        return;
      case QUEUE_SEL:
        r.queueSel = value;
        return;
      case QUEUE_NOTIFY:
        this.#notify(value);
        return;
      case INTERRUPT_ACK:
        r.interruptStatus &= ~value;
        this.#updateLine();
        return;
      case STATUS:
        this.#writeStatus(value & 0xff);
        return;
      case GUEST_PAGE_SIZE:
        if (!this.#legacy) break;
        if (value === 0 || (value & (value - 1)) !== 0) this.#report(`GuestPageSize ${value} is not a power of two`);
        else r.pageShift = 31 - Math.clz32(value);
        return;
      case QUEUE_NUM:
      case QUEUE_ALIGN:
      case QUEUE_PFN:
      case QUEUE_READY:
      case QUEUE_DESC_LOW:
      case QUEUE_DESC_HIGH:
      case QUEUE_DRIVER_LOW:
      case QUEUE_DRIVER_HIGH:
      case QUEUE_DEVICE_LOW:
      case QUEUE_DEVICE_HIGH:
        if (!this.#writeQueueRegister(offset, value)) break;
        return;
      default:
    }
    this.#badAccess('write', offset, 4);
  }

  /** False when this interface version has no such register. */
  #writeQueueRegister(offset: number, value: number): boolean {
    const legacyRegister = offset === QUEUE_ALIGN || offset === QUEUE_PFN;
    if (offset !== QUEUE_NUM && legacyRegister !== this.#legacy) return false;
    const { queueSel, pageShift } = this.#registers;
    const queue = this.#queues[queueSel];
    const registers = this.#queueRegisters[queueSel];
    if (queue === undefined) {
      this.#report(`${REGISTER_NAMES.get(offset)} written for queue ${queueSel}, which does not exist`);
      return true;
    }
    switch (offset) {
      case QUEUE_NUM:
        if (queue.ready || value === 0 || value > QUEUE_SIZE_MAX || (value & (value - 1)) !== 0) {
          this.#report(`QueueNum ${value} for queue ${queueSel}: ${queue.ready ? 'it is in use' : 'not a power of two up to 1024'}`);
        } else queue.size = value;
        break;
      case QUEUE_ALIGN:
        if (value === 0 || (value & (value - 1)) !== 0) this.#report(`QueueAlign ${value} is not a power of two`);
        else registers.align = value;
        break;
      case QUEUE_PFN: {
        registers.pfn = value;
        if (value === 0) {
          queue.stop();
          break;
        }
        // One area holds all three parts (virtio 1.1, 2.6.2).
        const descriptors = value * 2 ** pageShift;
        const available = descriptors + 16 * queue.size;
        const align = registers.align === 0 ? 4096 : registers.align;
        queue.start(descriptors, available, Math.ceil((available + 2 * (3 + queue.size)) / align) * align);
        break;
      }
      case QUEUE_READY: {
        const a = registers.addresses;
        if ((value & 1) === 0) queue.stop();
        else if (!queue.ready) queue.start(a[1] * 2 ** 32 + a[0], a[3] * 2 ** 32 + a[2], a[5] * 2 ** 32 + a[4]);
        break;
      }
      default: {
        // 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4
        const part = (((offset - QUEUE_DESC_LOW) >>> 4) << 1) + ((offset >>> 2) & 1);
        if (queue.ready) this.#report(`${REGISTER_NAMES.get(offset)} written while queue ${queueSel} is ready`);
        registers.addresses[part] = value;
      }
    }
    return true;
  }

  #writeDriverFeatures(value: number): void {
    const r = this.#registers;
    const words = this.#legacy ? 1 : 2;
    if (r.driverFeaturesSel >= words) {
      // Linux writes a zero to a legacy device's second word.
      if (value !== 0)
        this.#report(`DriverFeatures[${r.driverFeaturesSel}] = 0x${value.toString(16)}: there are ${32 * words} feature bits`);
      return;
    }
    r.driverFeatures[r.driverFeaturesSel] = value;
    // Legacy has no FEATURES_OK, so features count as they are written (virtio 1.1, 3.1.2).
    if (this.#legacy) r.negotiated = [(value & this.#offered[0]) >>> 0, 0];
  }

  #writeStatus(value: number): void {
    const r = this.#registers;
    if (value === 0) {
      this.#reset(false);
      return;
    }
    let status = value | (r.status & STATUS_NEEDS_RESET);
    if (!this.#legacy && (status & STATUS_FEATURES_OK & ~r.status) !== 0) {
      const [low, high] = r.driverFeatures;
      if ((low & ~this.#offered[0]) !== 0 || (high & ~this.#offered[1]) !== 0) {
        // The driver reads Status back and sees the refusal (virtio 1.1, 2.2.2 and 3.1.1).
        this.#report(`driver features 0x${high.toString(16)}:${low.toString(16).padStart(8, '0')} include some that are not offered`);
        status &= ~STATUS_FEATURES_OK;
      } else r.negotiated = [low, high];
    }
    const becameReady = (status & ~r.status & STATUS_DRIVER_OK) !== 0;
    r.status = status;
    if (!becameReady || r.failed) return;
    this.#device.ready();
    if (this.#legacy) return;
    // Notifications that came too early were not served (virtio 1.1, 2.1.2): serve them now.
    for (const queue of this.#queues) if (queue.ready && !r.failed) this.#device.notify(queue.index);
  }

  #notify(index: number): void {
    const queue = this.#queues[index];
    if (queue === undefined || !queue.ready) {
      this.#report(`QueueNotify for queue ${index}, which ${queue === undefined ? 'does not exist' : 'is not set up'}`);
      return;
    }
    // Legacy drivers may notify before DRIVER_OK, and some do (virtio 1.1, 3.1.2).
    if (this.#registers.failed || (!this.#legacy && !this.driverReady())) return;
    this.#device.notify(index);
  }

  #resumed(): void {
    const queues = this.#registers.resumeQueues;
    this.#registers.resumeQueues = [];
    for (const index of queues) {
      if (!this.#registers.failed && this.#queues[index].ready) this.#device.notify(index);
    }
  }

  /** A reset by the driver keeps the selectors and the legacy page size, as QEMU does. */
  #reset(powerOn: boolean): void {
    const old = this.#registers;
    this.#registers = powerOnRegisters();
    if (!powerOn) {
      this.#registers.deviceFeaturesSel = old.deviceFeaturesSel;
      this.#registers.driverFeaturesSel = old.driverFeaturesSel;
      this.#registers.queueSel = old.queueSel;
      this.#registers.pageShift = old.pageShift;
    }
    this.#timer.disarm();
    for (const [index, queue] of this.#queues.entries()) {
      queue.reset();
      this.#queueRegisters[index] = unsetQueue();
    }
    this.#device.reset(powerOn);
    this.#updateLine();
  }

  #updateLine(): void {
    this.#interrupt.set(this.#registers.interruptStatus !== 0);
  }

  #report(message: string): void {
    this.diagnostics.guestError(this.name, message);
  }

  /** Reports; the value to read is 0. */
  #badAccess(direction: 'read' | 'write', offset: number, size: number): number {
    this.#report(accessText(direction, offset, size));
    return 0;
  }
}
