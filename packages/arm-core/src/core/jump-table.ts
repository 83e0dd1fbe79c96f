import type { RegionEntry } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { KEY_PRIVILEGED } from './decode-mode.js';

/** Words of a suspended entry: where it was, then its words. */
const SUSPENDED_STRIDE = 1 + layout.JUMP_STRIDE;

/** Slots that have been in use since the list was last emptied, each once. */
class SlotList {
  readonly slots = new Int32Array(layout.JUMP_ENTRIES);
  count = 0;
  private readonly listed = new Uint8Array(layout.JUMP_ENTRIES);

  add(slot: number): void {
    if (this.listed[slot] === 1) return;
    this.listed[slot] = 1;
    this.slots[this.count++] = slot;
  }
  clear(): void {
    for (let i = 0; i < this.count; i++) this.listed[this.slots[i]!] = 0;
    this.count = 0;
  }
}

/**
 * The jump table in the state (layout.ts): where running regions find one another by VA and decode mode. Every entry is of a page that was fetched and not
 * forgotten since.
 */
export class JumpTable {
  private readonly words: Int32Array;
  /** Slots that privileged and unprivileged code have used. */
  private readonly privileged = new SlotList();
  private readonly unprivileged = new SlotList();
  private readonly lists = [this.privileged, this.unprivileged] as const;
  /** Entries in use by page, so that invalidations of data cost nothing here: pages with equal low bits share a count. */
  private readonly perPage = new Uint16Array(4096);
  private readonly suspended = new Int32Array(SUSPENDED_STRIDE * layout.JUMP_ENTRIES);
  private suspendedCount = 0;
  /**
   * Unprivileged code may not run, and its entries are in the table yet: privileged code has other decode modes and does not find them. As a rule it may run
   * again before any tries to, which comes to {@link set} first.
   */
  private unprivilegedRests = false;

  constructor(words: Int32Array) {
    this.words = words;
    this.words.fill(layout.JUMP_INVALID, layout.JUMP_TABLE / 4, layout.JUMP_TABLE / 4 + layout.JUMP_ENTRIES * layout.JUMP_STRIDE);
  }

  /** Lets running regions find the entry for VA `pc` in decode mode `key`. */
  set(pc: number, key: number, entry: RegionEntry): void {
    if (this.unprivilegedRests && (key & KEY_PRIVILEGED) === 0) this.setAside();
    const { words: R } = this;
    const slot = (pc >>> 2) & (layout.JUMP_ENTRIES - 1);
    const at = (layout.JUMP_TABLE >>> 2) + slot * layout.JUMP_STRIDE;
    const isThere = R[at + layout.JUMP_PC] === pc && R[at + layout.JUMP_MODE] === key;
    if (isThere && R[at + layout.JUMP_FUNCTION] === entry.region.slot && R[at + layout.JUMP_ENTRY] === entry.number) return;
    this.put(slot, pc, key, entry.region.slot, entry.number);
  }

  private put(slot: number, pc: number, key: number, index: number, number: number): void {
    const R = this.words;
    const at = (layout.JUMP_TABLE >>> 2) + slot * layout.JUMP_STRIDE;
    this.invalidate(at);
    this.perPage[(pc >>> 12) & 0xfff]!++;
    R[at + layout.JUMP_PC] = pc;
    R[at + layout.JUMP_MODE] = key;
    R[at + layout.JUMP_FUNCTION] = index;
    R[at + layout.JUMP_ENTRY] = number;
    this.lists[key & KEY_PRIVILEGED ? 0 : 1].add(slot);
  }

  private invalidate(at: number): void {
    const pc = this.words[at + layout.JUMP_PC]!;
    if (pc === layout.JUMP_INVALID) return;
    this.perPage[(pc >>> 12) & 0xfff]!--;
    this.words[at + layout.JUMP_PC] = layout.JUMP_INVALID;
  }

  /** VAs may mean something else from now on. */
  clear(): void {
    for (const list of this.lists) {
      for (let i = 0; i < list.count; i++) this.invalidate((layout.JUMP_TABLE >>> 2) + list.slots[i]! * layout.JUMP_STRIDE);
      list.clear();
    }
    this.suspendedCount = 0;
    this.unprivilegedRests = false;
  }

  /** The same for VAs from `low` on. */
  drop(low: number, size: number): void {
    const S = this.suspended;
    for (let i = this.suspendedCount - 1; i >= 0; i--)
      if ((S[i * SUSPENDED_STRIDE + 1 + layout.JUMP_PC]! - low) >>> 0 < size) this.forgetSuspended(i);
    if (size === 4096 && this.perPage[(low >>> 12) & 0xfff] === 0) return;
    for (const { slots, count } of this.lists) {
      for (let i = 0; i < count; i++) {
        const at = (layout.JUMP_TABLE >>> 2) + slots[i]! * layout.JUMP_STRIDE;
        if ((this.words[at + layout.JUMP_PC]! - low) >>> 0 < size) this.invalidate(at);
      }
    }
  }

  /** The function is no more. */
  dropFunction(index: number): void {
    const S = this.suspended;
    for (let i = this.suspendedCount - 1; i >= 0; i--)
      if (S[i * SUSPENDED_STRIDE + 1 + layout.JUMP_FUNCTION] === index) this.forgetSuspended(i);
    for (const { slots, count } of this.lists) {
      for (let i = 0; i < count; i++) {
        const at = (layout.JUMP_TABLE >>> 2) + slots[i]! * layout.JUMP_STRIDE;
        if (this.words[at + layout.JUMP_FUNCTION] === index) this.invalidate(at);
      }
    }
  }

  /** Unprivileged code may not run, until {@link resume}. */
  suspend(): void {
    this.suspendedCount = 0;
    this.unprivilegedRests = true;
  }

  private setAside(): void {
    const { words: R, suspended: S, unprivileged } = this;
    this.unprivilegedRests = false;
    for (let i = 0; i < unprivileged.count; i++) {
      const slot = unprivileged.slots[i]!;
      const at = (layout.JUMP_TABLE >>> 2) + slot * layout.JUMP_STRIDE;
      // Privileged code may have it by now.
      if (R[at + layout.JUMP_PC] === layout.JUMP_INVALID || R[at + layout.JUMP_MODE]! & KEY_PRIVILEGED) continue;
      const to = this.suspendedCount++ * SUSPENDED_STRIDE;
      S[to] = slot;
      for (let k = 0; k < layout.JUMP_STRIDE; k++) S[to + 1 + k] = R[at + k]!;
      this.invalidate(at);
    }
    unprivileged.clear();
  }

  resume(): void {
    const { words: R, suspended: S } = this;
    this.unprivilegedRests = false;
    for (let i = 0; i < this.suspendedCount; i++) {
      const from = i * SUSPENDED_STRIDE + 1;
      const slot = S[from - 1]!;
      if (R[(layout.JUMP_TABLE >>> 2) + slot * layout.JUMP_STRIDE + layout.JUMP_PC] !== layout.JUMP_INVALID) continue;
      this.put(slot, S[from + layout.JUMP_PC]!, S[from + layout.JUMP_MODE]!, S[from + layout.JUMP_FUNCTION]!, S[from + layout.JUMP_ENTRY]!);
    }
    this.suspendedCount = 0;
  }

  private forgetSuspended(i: number): void {
    const last = --this.suspendedCount * SUSPENDED_STRIDE;
    this.suspended.copyWithin(i * SUSPENDED_STRIDE, last, last + SUSPENDED_STRIDE);
  }
}
