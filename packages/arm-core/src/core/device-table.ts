import { beside } from '@tablewalk/engine';
import type { AccessSize, Device, SystemBus } from '@tablewalk/machine';

/** Loads and stores have slots of their own: drivers ask for a register and write another, in turn. */
const SLOTS = 32;
const { IS_STORE, IS_PRIVILEGED } = beside;

/** What of a page is one device's: offsets [first, end) from the page. */
export interface DevicePart {
  readonly first: number;
  readonly end: number;
  /** Of the page from the beginning of the device's window. */
  readonly offset: number;
  readonly device: Device;
  /** The device's. A call of them by name at one place would have to find out each time which device it is. */
  readonly read: (offset: number, size: AccessSize) => number;
  readonly write: (offset: number, size: AccessSize, value: number) => void;
}

const kindOf = (write: boolean, privileged: boolean): number => (write ? IS_STORE : 0) | (privileged ? IS_PRIVILEGED : 0);
const slotOf = (va: number, kind: number): number => ((va >>> 11) & (SLOTS - 2)) | (kind & IS_STORE);
const tagOf = (va: number, kind: number): number => (va & ~0xfff) | kind;

/**
 * Pages of VA that are no memory, for one core: physical addresses behind them, and the devices that were found there. Like the fast table a subset of what the
 * memory system would answer.
 */
export class DeviceTable {
  /** By slot: the page's VA with what was asked for in its low bits (engine/wasm/beside-memory.ts), or -1. */
  private readonly tags = new Int32Array(SLOTS).fill(-1);
  /** Physical addresses of the pages. */
  private readonly pages = new Float64Array(SLOTS);
  private readonly parts = new Array<DevicePart | undefined>(SLOTS).fill(undefined);
  private isEmpty = true;

  /** Physical address of `va` where an access of this kind was let through, or -1. */
  find(va: number, write: boolean, privileged: boolean): number {
    const kind = kindOf(write, privileged);
    const slot = slotOf(va, kind);
    return this.tags[slot] === tagOf(va, kind) ? this.pages[slot]! + (va & 0xfff) : -1;
  }

  /** The device that was found last in the page where `find` would find something, for an access of this kind; other offsets may be another's. */
  partAt(va: number, kind: number): DevicePart | undefined {
    const slot = slotOf(va, kind);
    return this.tags[slot] === tagOf(va, kind) ? this.parts[slot] : undefined;
  }

  set(va: number, write: boolean, privileged: boolean, pa: number): void {
    const kind = kindOf(write, privileged);
    const slot = slotOf(va, kind);
    this.tags[slot] = tagOf(va, kind);
    this.pages[slot] = pa - (va & 0xfff);
    this.parts[slot] = undefined;
    this.isEmpty = false;
  }

  /** Looks up the device at `va`, for {@link partAt}. */
  enter(va: number, kind: number, bus: SystemBus): void {
    const slot = slotOf(va, kind);
    if (this.tags[slot] !== tagOf(va, kind)) return;
    const page = this.pages[slot]!;
    const window = bus.windowAt(page + (va & 0xfff));
    if (window === undefined) return;
    const { base, end, device } = window;
    // Small integers only, so that whoever uses them needs to know no other numbers.
    const offset = (page - base) | 0;
    if (offset !== page - base) return;
    const { read, write } = device;
    this.parts[slot] = { first: Math.max(-offset, 0) | 0, end: Math.min(end - page, 4096) | 0, offset, device, read, write };
  }

  drop(): void {
    if (this.isEmpty) return;
    this.tags.fill(-1);
    this.isEmpty = true;
  }
}
