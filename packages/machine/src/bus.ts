import type { AccessSize, Device, Diagnostics, PhysAddr, Snapshot } from './contracts/index.js';

/** A device's part of the address space. */
export interface BusWindow {
  readonly base: PhysAddr;
  readonly end: PhysAddr;
  readonly device: Device;
}

/**
 * The system bus: decodes physical addresses that are not plain memory. An access that nothing decodes sets `aborted`; the CPU takes an external abort.
 */
export class SystemBus {
  /** True after `read` or `write` when nothing answered. */
  aborted = false;
  private windows: BusWindow[] = [];
  private last: BusWindow | undefined;
  private readonly diagnostics: Diagnostics;

  constructor(diagnostics: Diagnostics) {
    this.diagnostics = diagnostics;
  }

  /** Maps `device` at [base, base + byteLength). Overlap with another window throws. */
  map(base: PhysAddr, byteLength: number, device: Device): void {
    const end = base + byteLength;
    const clash = this.windows.find((window) => base < window.end && window.base < end);
    if (clash) throw new Error(`[machine] [bus] ${device.name} overlaps ${clash.device.name} at 0x${base.toString(16)}`);
    this.windows.push({ base, end, device });
    this.windows.sort((a, b) => a.base - b.base);
  }

  /** The device at `pa`, for the monitor and reports. */
  deviceAt(pa: PhysAddr): Device | undefined {
    return this.windowAt(pa)?.device;
  }
  /** Every window in order of address. */
  list(): readonly BusWindow[] {
    return this.windows;
  }

  /** The window around `pa`, which stays as it is: nothing is ever unmapped. */
  windowAt(pa: PhysAddr): BusWindow | undefined {
    const { last } = this;
    if (last && pa >= last.base && pa < last.end) return last;
    let low = 0;
    let high = this.windows.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const window = this.windows[middle]!;
      if (pa < window.base) high = middle - 1;
      else if (pa >= window.end) low = middle + 1;
      else {
        this.last = window;
        return window;
      }
    }
    return undefined;
  }

  /** Unsigned value; 0 with `aborted` set when nothing answers. */
  read(pa: PhysAddr, size: AccessSize): number {
    const window = this.windowAt(pa);
    if (!window) return this.abort('read', pa, size);
    this.aborted = false;
    return window.device.read(pa - window.base, size) >>> 0;
  }

  write(pa: PhysAddr, size: AccessSize, value: number): void {
    const window = this.windowAt(pa);
    if (!window) {
      this.abort('write', pa, size);
      return;
    }
    this.aborted = false;
    window.device.write(pa - window.base, size, value >>> 0);
  }

  private abort(what: string, pa: PhysAddr, size: number): number {
    this.aborted = true;
    this.diagnostics.guestError('bus', `${what} of ${size} byte(s) at 0x${pa.toString(16)}, where nothing is: external abort`);
    return 0;
  }

  reset(): void {
    for (const { device } of this.windows) device.reset();
  }

  /** State of every device by name. A device with several windows is there once. */
  snapshot(): Snapshot {
    const data: Record<string, Snapshot> = {};
    for (const { device } of this.windows) data[device.name] = device.snapshot();
    return { schema: 'machine/bus', version: 1, data };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== 'machine/bus' || snapshot.version !== 1)
      throw new Error(`[machine] [bus] cannot restore ${snapshot.schema} version ${snapshot.version}`);
    const data = snapshot.data as Record<string, Snapshot>;
    const devices = new Set(this.windows.map((window) => window.device));
    for (const device of devices)
      if (data[device.name] === undefined) throw new Error(`[machine] [bus] the snapshot has no ${device.name}`);
    for (const name of Object.keys(data))
      if (![...devices].some((device) => device.name === name)) throw new Error(`[machine] [bus] this board has no ${name}`);
    for (const device of devices) device.restore(data[device.name]!);
  }
}
