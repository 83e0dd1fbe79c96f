import type { Snapshot, Stateful } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';
import { snapshotData } from '../snapshots.js';
import { ReceiveFilter, type ReceiveFilterState } from './receive-filter.js';
import { FEATURE_ANY_LAYOUT, FEATURE_VERSION_1, type VirtioDevice, type VirtioPort } from './virtio-device.js';
import { Chain } from './virtqueue.js';

/** Feature bits (virtio 1.1, 5.1.3). */
const FEATURE_CTRL_GUEST_OFFLOADS = 2;
const FEATURE_MAC = 5;
const FEATURE_GSO = 6;
const FEATURE_MRG_RXBUF = 15;
const FEATURE_STATUS = 16;
const FEATURE_CTRL_VQ = 17;
const FEATURE_CTRL_RX = 18;
const FEATURE_CTRL_VLAN = 19;
const FEATURE_CTRL_RX_EXTRA = 20;
const FEATURE_GUEST_ANNOUNCE = 21;
const FEATURE_CTRL_MAC_ADDR = 23;

/** Control classes (virtio 1.1, 5.1.6.5). */
const CLASS_RX = 0;
const CLASS_MAC = 1;
const CLASS_VLAN = 2;
const CLASS_ANNOUNCE = 3;
const CLASS_GUEST_OFFLOADS = 5;
const ACK_OK = 0;
const ACK_ERROR = 1;

const QUEUE_RECEIVE = 0;
const QUEUE_TRANSMIT = 1;
const QUEUE_CONTROL = 2;
const QUEUE_SIZE = 256;
/** Control messages are small; a MAC table of 64 addresses is 392 bytes. */
const CONTROL_BYTES_MAX = 65536;

const CONFIG_BYTES = 8;
const STATUS_LINK_UP = 1;

const ETHERNET_HEADER_BYTES = 14;
/** A 64 KiB IP packet with its Ethernet header: what a driver that segments nothing may hand over (GSO). */
export const FRAME_BYTES_MAX = 65536 + ETHERNET_HEADER_BYTES;
/** Frames waiting for receive buffers. */
const PENDING_MAX = 256;

const SCHEMA = 'devices/virtio-net';
const VERSION = 1;

/** The other end of the cable. Frames are Ethernet frames without preamble and check sequence. */
export interface NetBackend extends Stateful {
  /** Where frames for the guest go. Called once, before anything else. The backend gives the array away. */
  connect(receive: (frame: Uint8Array) => void): void;
  /** A frame from the guest, 14 to 65,550 bytes; the backend may keep the array. Must not throw, whatever is in it. */
  send(frame: Uint8Array): void;
  /** Power-on reset of the machine. */
  reset(): void;
}

export interface VirtioNetOptions {
  readonly backend: NetBackend;
  /** Six bytes; default 52:54:00:12:34:56, QEMU's. */
  readonly mac?: Uint8Array;
}

/** Frames since power-on. */
export interface VirtioNetCounters {
  sent: number;
  received: number;
  /** From the guest: too short or too long to be a frame. */
  sendDropped: number;
  /** To the guest: not ready, too many waiting, no room in its buffers. */
  receiveDropped: number;
  /** To the guest: not for it. */
  filtered: number;
}

interface NetSnapshot {
  readonly mac: Uint8Array;
  readonly filter: ReceiveFilterState;
  readonly pending: Uint8Array[];
  readonly counters: VirtioNetCounters;
  readonly backend: Snapshot;
}

/** A network card (virtio 1.1, 5.1) with one pair of queues and a control queue; no checksum or segmentation offload. */
export function virtioNet(options: VirtioNetOptions): VirtioNet {
  return new VirtioNet(options);
}

export class VirtioNet implements VirtioDevice {
  readonly kind = 'net';
  readonly deviceId = 1;
  readonly features = [
    FEATURE_CTRL_GUEST_OFFLOADS,
    FEATURE_MAC,
    FEATURE_MRG_RXBUF,
    FEATURE_STATUS,
    FEATURE_CTRL_VQ,
    FEATURE_CTRL_RX,
    FEATURE_CTRL_VLAN,
    FEATURE_CTRL_RX_EXTRA,
    FEATURE_GUEST_ANNOUNCE,
    FEATURE_CTRL_MAC_ADDR,
  ];
  // GSO promises that frames of any length arrive at the backend, no more.
  readonly legacyFeatures = [FEATURE_ANY_LAYOUT, FEATURE_GSO];
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE];
  readonly configByteLength = CONFIG_BYTES;
  readonly #backend: NetBackend;
  readonly #configuredMac: Uint8Array;
  readonly #mac: Uint8Array;
  readonly #filter: ReceiveFilter;
  readonly #chain = new Chain();
  readonly #header = new Uint8Array(12);
  readonly #ack = new Uint8Array(1);
  #pending: Uint8Array[] = [];
  #counters: VirtioNetCounters = noFrames();
  #port: VirtioPort | undefined;

  constructor(options: VirtioNetOptions) {
    this.#backend = options.backend;
    this.#configuredMac = options.mac?.slice() ?? Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
    if (this.#configuredMac.length !== 6 || (this.#configuredMac[0] & 1) !== 0)
      throw new DeviceError('virtio-net', 'mac is not a unicast address of six bytes');
    this.#mac = this.#configuredMac.slice();
    this.#filter = new ReceiveFilter(this.#mac);
    this.#backend.connect((frame) => this.#receive(frame));
  }

  counters(): Readonly<VirtioNetCounters> {
    return { ...this.#counters };
  }

  attach(port: VirtioPort): void {
    this.#port = port;
  }

  readConfig(offset: number): number {
    if (offset < 6) return this.#mac[offset];
    return offset === 6 ? STATUS_LINK_UP : 0;
  }

  writeConfig(offset: number, size: number, value: number): void {
    const port = this.#port;
    // Before CTRL_MAC_ADDR a legacy driver sets its address here, byte by byte (virtio 1.1, 5.1.4.3).
    if (port !== undefined && offset + size <= 6 && !port.negotiated(FEATURE_VERSION_1) && !port.negotiated(FEATURE_CTRL_MAC_ADDR)) {
      for (let i = 0; i < size; i++) this.#mac[offset + i] = (value >>> (8 * i)) & 0xff;
    } else
      port?.diagnostics.guestError(
        port.name,
        `net: write of ${size} bytes to configuration offset 0x${offset.toString(16)}, which is read-only`,
      );
  }

  ready(): void {
    this.#deliver();
  }

  reset(powerOn: boolean): void {
    this.#mac.set(this.#configuredMac);
    this.#filter.reset();
    this.#pending = [];
    if (!powerOn) return;
    this.#counters = noFrames();
    this.#backend.reset();
  }

  notify(index: number): void {
    if (index === QUEUE_RECEIVE) this.#deliver();
    else if (index === QUEUE_TRANSMIT) this.#transmit();
    else this.#control();
  }

  snapshot(): Snapshot {
    const data: NetSnapshot = {
      mac: this.#mac.slice(),
      filter: this.#filter.state(),
      pending: this.#pending.map((frame) => frame.slice()),
      counters: { ...this.#counters },
      backend: this.#backend.snapshot(),
    };
    return { schema: SCHEMA, version: VERSION, data };
  }

  restore(snapshot: Snapshot): void {
    const data = snapshotData<NetSnapshot>('virtio-net', snapshot, SCHEMA, VERSION);
    this.#backend.restore(data.backend);
    this.#mac.set(data.mac);
    this.#filter.setState(data.filter);
    this.#pending = data.pending.map((frame) => frame.slice());
    this.#counters = { ...data.counters };
  }

  /** `num_buffers` is there with merged buffers, and always for version 1 (virtio 1.1, 5.1.6.1). */
  #headerBytes(port: VirtioPort): number {
    return port.negotiated(FEATURE_MRG_RXBUF) || port.negotiated(FEATURE_VERSION_1) ? 12 : 10;
  }

  #transmit(): void {
    const port = this.#port;
    if (port === undefined) return;
    const queue = port.queue(QUEUE_TRANSMIT);
    const headerBytes = this.#headerBytes(port);
    while (queue.take(this.#chain, FRAME_BYTES_MAX + QUEUE_SIZE)) {
      const chain = this.#chain;
      const frameBytes = chain.readableBytes - headerBytes;
      let frame: Uint8Array | undefined;
      if (frameBytes >= ETHERNET_HEADER_BYTES && frameBytes <= FRAME_BYTES_MAX) {
        frame = new Uint8Array(frameBytes);
        chain.read(port.dma, headerBytes, frame);
      }
      queue.push(chain.head, 0);
      if (frame !== undefined) {
        this.#counters.sent++;
        this.#backend.send(frame);
      } else {
        this.#counters.sendDropped++;
        port.diagnostics.guestError(port.name, `net: frame of ${frameBytes} bytes`);
      }
    }
    queue.awaitNotification();
  }

  #receive(frame: Uint8Array): void {
    if (
      !this.#port?.driverReady() ||
      this.#pending.length >= PENDING_MAX ||
      frame.length < ETHERNET_HEADER_BYTES ||
      frame.length > FRAME_BYTES_MAX
    ) {
      this.#counters.receiveDropped++;
      return;
    }
    if (!this.#filter.accepts(frame)) {
      this.#counters.filtered++;
      return;
    }
    this.#pending.push(frame);
    this.#deliver();
  }

  /** Hands over the waiting frames, as far as there are buffers. */
  #deliver(): void {
    const port = this.#port;
    if (!port?.driverReady()) return;
    const queue = port.queue(QUEUE_RECEIVE);
    const merge = port.negotiated(FEATURE_MRG_RXBUF);
    const headerBytes = this.#headerBytes(port);
    while (this.#pending.length > 0) {
      const frame = this.#pending[0];
      const needed = headerBytes + frame.length;
      // First count the chains, so that a frame is never half delivered; then take them again.
      let taken = 0;
      let room = 0;
      while (room < needed && queue.take(this.#chain, 2 ** 32)) {
        taken++;
        room += this.#chain.writableBytes;
        if (this.#chain.writableBytes < (taken === 1 ? headerBytes : 1)) {
          port.fail('queue 0: receive buffer without room for the header');
          return;
        }
        if (!merge) break;
      }
      queue.untake(taken);
      if (taken === 0 || (merge && room < needed)) {
        // Wakes at the next buffer; several may be needed before the frame fits.
        queue.untake(-taken);
        queue.awaitNotification();
        queue.untake(taken);
        return;
      }
      this.#pending.shift();
      if (room < needed) {
        this.#counters.receiveDropped++;
        port.diagnostics.guestError(port.name, `net: frame of ${frame.length} bytes does not fit a receive buffer of ${room} bytes`);
        continue;
      }
      this.#fillBuffers(port, frame, headerBytes, taken);
    }
  }

  #fillBuffers(port: VirtioPort, frame: Uint8Array, headerBytes: number, buffers: number): void {
    const queue = port.queue(QUEUE_RECEIVE);
    let at = 0;
    for (let i = 0; i < buffers; i++) {
      // Fails only if the driver laid its buffers over its rings, and then the queue has said so.
      if (!queue.take(this.#chain, 2 ** 32)) return;
      let start = 0;
      if (i === 0) {
        this.#header.fill(0);
        this.#header[10] = buffers & 0xff;
        this.#header[11] = buffers >>> 8;
        this.#chain.write(port.dma, 0, this.#header.subarray(0, headerBytes));
        start = headerBytes;
      }
      const written = this.#chain.write(port.dma, start, at === 0 ? frame : frame.subarray(at));
      at += written;
      queue.fill(this.#chain.head, start + written);
    }
    this.#counters.received++;
    queue.publish();
  }

  #control(): void {
    const port = this.#port;
    if (port === undefined) return;
    const queue = port.queue(QUEUE_CONTROL);
    while (queue.take(this.#chain, CONTROL_BYTES_MAX)) {
      const chain = this.#chain;
      if (chain.readableBytes < 2 || chain.writableBytes < 1) {
        port.fail('queue 2: control message without class, command or acknowledgement');
        return;
      }
      const message = new Uint8Array(chain.readableBytes);
      chain.read(port.dma, 0, message);
      this.#ack[0] = this.#command(message[0], message[1], message.subarray(2)) ? ACK_OK : ACK_ERROR;
      if (this.#ack[0] === ACK_ERROR)
        port.diagnostics.guestError(port.name, `net: control class ${message[0]} command ${message[1]} refused`);
      chain.write(port.dma, 0, this.#ack);
      queue.push(chain.head, 1);
    }
    queue.awaitNotification();
  }

  #command(type: number, command: number, data: Uint8Array): boolean {
    switch (type) {
      case CLASS_RX:
        return data.length === 1 && this.#filter.setMode(command, data[0] !== 0);
      case CLASS_MAC:
        if (command === 0) return this.#filter.setTable(data);
        if (command !== 1 || data.length !== 6) return false;
        this.#mac.set(data);
        return true;
      case CLASS_VLAN:
        return data.length === 2 && this.#filter.setVlan(command, data[0] | (data[1] << 8));
      case CLASS_ANNOUNCE:
        // Nothing was ever asked for, so the acknowledgement changes nothing.
        return command === 0;
      case CLASS_GUEST_OFFLOADS:
        // No offload was offered: the empty set is the only subset.
        return command === 0 && data.length === 8 && data.every((byte) => byte === 0);
      default:
        return false;
    }
  }
}

function noFrames(): VirtioNetCounters {
  return { sent: 0, received: 0, sendDropped: 0, receiveDropped: 0, filtered: 0 };
}
