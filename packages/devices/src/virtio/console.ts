import type { Snapshot } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';
import { snapshotData } from '../snapshots.js';
import { FEATURE_ANY_LAYOUT, type VirtioDevice, type VirtioPort } from './virtio-device.js';
import { Chain } from './virtqueue.js';

/** Feature bits (virtio 1.1, 5.3.3). */
const FEATURE_MULTIPORT = 1;
const FEATURE_EMERG_WRITE = 2;

/** Control events (virtio 1.1, 5.3.6.2). */
const EVENT_DEVICE_READY = 0;
const EVENT_DEVICE_ADD = 1;
const EVENT_PORT_READY = 3;
const EVENT_CONSOLE_PORT = 4;
const EVENT_PORT_OPEN = 6;
const EVENT_PORT_NAME = 7;

/** Queue layout (virtio 1.1, 5.3.2): port 0, control, then the other ports. */
const CONTROL_RECEIVE = 2;
const CONTROL_TRANSMIT = 3;
const PORTS_MAX = 31;
const QUEUE_SIZE = 128;
const CONFIG_BYTES = 12;
const CONFIG_EMERG_WRITE = 8;

const INPUT_BYTES_MAX = 65536;
/** One output request beyond this is no text that a driver sends; and no more than this goes out before the guest runs again. */
const OUTPUT_BYTES_MAX = 2 ** 20;
const COPY_BYTES = 4096;
/** Control messages waiting for buffers: an add, a type, a name and an open for each port, with room to spare. */
const CONTROL_PENDING_MAX = 8 * PORTS_MAX;

const SCHEMA = 'devices/virtio-console';
const VERSION = 1;

export interface VirtioConsolePort {
  /** Default: true for port 0. A console becomes a `hvc` terminal, another port a character device. */
  readonly console?: boolean;
  /** Name that a multiport driver is told. Up to 64 characters of ASCII. */
  readonly name?: string;
  /** Bytes from the guest; the array is reused after the call. Must not throw. */
  readonly output: (bytes: Readonly<Uint8Array>) => void;
}

export interface VirtioConsoleOptions {
  /** 1 to 31 ports; a driver without MULTIPORT uses the first. */
  readonly ports: readonly VirtioConsolePort[];
}

interface ConsoleSnapshot {
  readonly input: Uint8Array[];
  readonly guestOpen: boolean[];
  readonly controlPending: Uint8Array[];
  readonly portCount: number;
}

/** A console (virtio 1.1, 5.3) with its input side. */
export interface VirtioConsole extends VirtioDevice {
  /** Bytes for the guest. Returns how many were accepted: a port holds up to 64 KiB that the guest has not read. Throws for a port that is not there. */
  input(port: number, bytes: Uint8Array): number;
}

export function virtioConsole(options: VirtioConsoleOptions): VirtioConsole {
  return new Console(options);
}

class Console implements VirtioConsole {
  readonly kind = 'console';
  readonly deviceId = 3;
  readonly features = [FEATURE_MULTIPORT, FEATURE_EMERG_WRITE];
  readonly legacyFeatures = [FEATURE_ANY_LAYOUT];
  readonly queueSizes: readonly number[] = new Array<number>(2 * (PORTS_MAX + 1)).fill(QUEUE_SIZE);
  readonly configByteLength = CONFIG_BYTES;
  readonly #ports: readonly VirtioConsolePort[];
  readonly #chain = new Chain();
  readonly #buffer = new Uint8Array(COPY_BYTES);
  /** Per port: bytes that the guest has not taken. */
  #input: Uint8Array[];
  #guestOpen: boolean[];
  #controlPending: Uint8Array[] = [];
  #port: VirtioPort | undefined;

  constructor(options: VirtioConsoleOptions) {
    this.#ports = options.ports;
    const count = options.ports.length;
    if (count < 1 || count > PORTS_MAX) throw new DeviceError('virtio-console', `${count} ports; 1 to ${PORTS_MAX} are possible`);
    for (const { name = '' } of options.ports) {
      if (!/^[\x20-\x7e]{0,64}$/.test(name)) throw new DeviceError('virtio-console', 'a port name is up to 64 characters of ASCII');
    }
    this.#input = options.ports.map(() => new Uint8Array(0));
    this.#guestOpen = options.ports.map(() => false);
  }

  input(port: number, bytes: Uint8Array): number {
    const waiting = this.#input[port];
    if (waiting === undefined) throw new DeviceError('virtio-console', `no port ${port}`);
    const accepted = Math.min(bytes.length, INPUT_BYTES_MAX - waiting.length);
    const joined = new Uint8Array(waiting.length + accepted);
    joined.set(waiting);
    joined.set(bytes.subarray(0, accepted), waiting.length);
    this.#input[port] = joined;
    this.#deliverInput(port);
    return accepted;
  }

  attach(port: VirtioPort): void {
    this.#port = port;
  }

  /** Columns and rows are 0 (no SIZE feature), `max_nr_ports` is what QEMU says; the rest reads as 0. */
  readConfig(offset: number): number {
    return offset === 4 ? PORTS_MAX : 0;
  }

  writeConfig(offset: number, size: number, value: number): void {
    if (offset === CONFIG_EMERG_WRITE) {
      this.#buffer[0] = value & 0xff;
      this.#ports[0].output(this.#buffer.subarray(0, 1));
    } else
      this.#port?.diagnostics.guestError(
        this.#port.name,
        `console: write of ${size} bytes to configuration offset 0x${offset.toString(16)}, which is read-only`,
      );
  }

  ready(): void {
    for (let i = 0; i < this.#ports.length; i++) this.#deliverInput(i);
  }

  /** A driver's reset keeps the input: whoever types ahead does not know that the driver is being loaded. */
  reset(powerOn: boolean): void {
    this.#guestOpen = this.#ports.map(() => false);
    this.#controlPending = [];
    if (powerOn) this.#input = this.#ports.map(() => new Uint8Array(0));
  }

  notify(index: number): void {
    if (index === CONTROL_RECEIVE) this.#deliverControl();
    else if (index === CONTROL_TRANSMIT) this.#control();
    else {
      const port = index < 2 ? 0 : (index >>> 1) - 1;
      if ((index & 1) === 0) this.#deliverInput(port);
      else this.#transmit(index, port);
    }
  }

  snapshot(): Snapshot {
    const data: ConsoleSnapshot = {
      portCount: this.#ports.length,
      input: this.#input.map((bytes) => bytes.slice()),
      guestOpen: [...this.#guestOpen],
      controlPending: this.#controlPending.map((bytes) => bytes.slice()),
    };
    return { schema: SCHEMA, version: VERSION, data };
  }

  restore(snapshot: Snapshot): void {
    const data = snapshotData<ConsoleSnapshot>('virtio-console', snapshot, SCHEMA, VERSION);
    if (data.portCount !== this.#ports.length)
      throw new DeviceError('virtio-console', `the snapshot has ${data.portCount} ports, this console ${this.#ports.length}`);
    this.#input = data.input.map((bytes) => bytes.slice());
    this.#guestOpen = [...data.guestOpen];
    this.#controlPending = data.controlPending.map((bytes) => bytes.slice());
  }

  #transmit(index: number, portNumber: number): void {
    const port = this.#port;
    if (port === undefined) return;
    const queue = port.queue(index);
    const output = this.#ports[portNumber]?.output;
    let moved = 0;
    while (queue.take(this.#chain, OUTPUT_BYTES_MAX)) {
      const chain = this.#chain;
      if (output === undefined) port.diagnostics.guestError(port.name, `console: output to port ${portNumber}, which does not exist`);
      for (let at = 0; output !== undefined && at < chain.readableBytes; ) {
        const count = chain.read(port.dma, at, this.#buffer);
        output(this.#buffer.subarray(0, count));
        at += count;
      }
      queue.push(chain.head, 0);
      moved += chain.readableBytes;
      if (moved >= OUTPUT_BYTES_MAX) {
        port.resume(index);
        return;
      }
    }
    queue.awaitNotification();
  }

  #deliverInput(portNumber: number): void {
    const port = this.#port;
    if (!port?.driverReady() || portNumber >= this.#ports.length) return;
    if (port.negotiated(FEATURE_MULTIPORT) ? !this.#guestOpen[portNumber] : portNumber !== 0) return;
    const queue = port.queue(portNumber === 0 ? 0 : 2 * portNumber + 2);
    let bytes = this.#input[portNumber];
    while (bytes.length > 0) {
      if (!queue.take(this.#chain, 2 ** 32)) {
        queue.awaitNotification();
        break;
      }
      const written = this.#chain.write(port.dma, 0, bytes);
      bytes = bytes.slice(written);
      queue.push(this.#chain.head, written);
    }
    this.#input[portNumber] = bytes;
  }

  #control(): void {
    const port = this.#port;
    if (port === undefined) return;
    const queue = port.queue(CONTROL_TRANSMIT);
    const message = this.#buffer.subarray(0, 8);
    const view = new DataView(message.buffer, 0, 8);
    while (queue.take(this.#chain, COPY_BYTES)) {
      const complete = this.#chain.read(port.dma, 0, message) === 8;
      const id = view.getUint32(0, true);
      const event = view.getUint16(4, true);
      const value = view.getUint16(6, true);
      queue.push(this.#chain.head, 0);
      if (complete) this.#controlEvent(port, id, event, value);
      else port.diagnostics.guestError(port.name, 'console: control message of less than 8 bytes');
    }
    queue.awaitNotification();
    this.#deliverControl();
  }

  #controlEvent(port: VirtioPort, id: number, event: number, value: number): void {
    if (event === EVENT_DEVICE_READY) {
      if (value === 0) port.diagnostics.guestError(port.name, 'console: the driver could not set the device up');
      else for (let i = 0; i < this.#ports.length; i++) this.#send(i, EVENT_DEVICE_ADD, 1);
      return;
    }
    const options = this.#ports[id];
    if (options === undefined) {
      port.diagnostics.guestError(port.name, `console: control event ${event} for port ${id}, which does not exist`);
      return;
    }
    if (event === EVENT_PORT_READY) {
      if (value === 0) {
        port.diagnostics.guestError(port.name, `console: the driver could not add port ${id}`);
        return;
      }
      if (options.console ?? id === 0) this.#send(id, EVENT_CONSOLE_PORT, 1);
      if (options.name !== undefined) this.#send(id, EVENT_PORT_NAME, 1, options.name);
      // The host's side of a port is always there.
      this.#send(id, EVENT_PORT_OPEN, 1);
    } else if (event === EVENT_PORT_OPEN) {
      this.#guestOpen[id] = value !== 0;
      this.#deliverInput(id);
    } else port.diagnostics.guestError(port.name, `console: control event ${event}`);
  }

  #send(id: number, event: number, value: number, text = ''): void {
    if (this.#controlPending.length >= CONTROL_PENDING_MAX) {
      this.#port?.diagnostics.guestError(
        this.#port.name,
        'console: the driver asks for control messages and gives no buffers; one is dropped',
      );
      return;
    }
    const message = new Uint8Array(8 + text.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, id, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    for (let i = 0; i < text.length; i++) message[8 + i] = text.charCodeAt(i);
    this.#controlPending.push(message);
  }

  #deliverControl(): void {
    const port = this.#port;
    if (port === undefined) return;
    const queue = port.queue(CONTROL_RECEIVE);
    while (this.#controlPending.length > 0) {
      if (!queue.take(this.#chain, 2 ** 32)) {
        queue.awaitNotification();
        return;
      }
      const written = this.#chain.write(port.dma, 0, this.#controlPending[0]);
      this.#controlPending.shift();
      queue.push(this.#chain.head, written);
    }
  }
}
