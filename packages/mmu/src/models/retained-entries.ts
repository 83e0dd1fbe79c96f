import { TLB_ENTRY_GLOBAL, TLB_ENTRY_WORDS } from '../contracts/tlb.js';

const KEY = 0xff | 0xff00 | TLB_ENTRY_GLOBAL;
/** Stands for the address space of global entries. */
const GLOBAL_SPACE = 256;
const FIRST_CAPACITY = 256;

export interface RetainedState {
  readonly words: Uint32Array;
  readonly next: number;
}

/**
 * Entries that are kept until they are told to go, in an arena that grows by doubling. Entries lie without gaps from 0, in the order in which they
 * came until one is removed, whose place the last one takes. At the bound the places are given up in turn.
 *
 * Found by a hash of address space, page number and size, chained; a look-up tries each size that is held, the smallest first, tagged before global.
 */
export class RetainedEntries {
  arena: Uint32Array = new Uint32Array(FIRST_CAPACITY * TLB_ENTRY_WORDS);
  count = 0;
  private readonly bound: number;
  private heads = new Int32Array(FIRST_CAPACITY * 2).fill(-1);
  private links = new Int32Array(FIRST_CAPACITY);
  /** Entries held by address space and by size. */
  private readonly spaceCounts = new Uint32Array(GLOBAL_SPACE + 1);
  private readonly sizeCounts = new Uint32Array(32);
  private sizes = 0;
  /** Index of the entry to be given up next when the bound is reached. */
  private next = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  find(va: number, asid: number): number {
    for (let sizes = this.sizes; sizes !== 0; sizes &= sizes - 1) {
      const size = 31 - Math.clz32(sizes & -sizes);
      let index = this.findIn(asid, va >>> size, size);
      if (index < 0) index = this.findIn(GLOBAL_SPACE, va >>> size, size);
      if (index >= 0) return index * TLB_ENTRY_WORDS;
    }
    return -1;
  }

  /** Offset of the entry with this first VA and this size, ASID and globality, or -1. */
  same(va: number, tag: number): number {
    const size = tag & 31;
    for (let i = this.heads[this.hash(spaceOf(tag), va >>> size, size)]; i >= 0; i = this.links[i]) {
      const o = i * TLB_ENTRY_WORDS;
      if (this.arena[o] === va && ((this.arena[o + 1] ^ tag) & KEY) === 0) return o;
    }
    return -1;
  }

  /** Offset of the entry that an insertion would give up, or -1 while there is room. */
  victim(): number {
    return this.count < this.bound ? -1 : this.next * TLB_ENTRY_WORDS;
  }

  insert(entry: Readonly<Uint32Array>, tag: number): void {
    if (this.count * TLB_ENTRY_WORDS === this.arena.length) this.grow();
    const o = this.count * TLB_ENTRY_WORDS;
    this.arena.set(entry, o);
    this.arena[o + 1] = tag;
    this.link(this.count++);
  }

  /** Over a victim: the place stays, and the turn goes on. */
  replace(entry: Readonly<Uint32Array>, tag: number): void {
    const index = this.next;
    this.unlink(index);
    this.arena.set(entry, index * TLB_ENTRY_WORDS);
    this.arena[index * TLB_ENTRY_WORDS + 1] = tag;
    this.link(index);
    this.next = index + 1 === this.bound ? 0 : index + 1;
  }

  remove(offset: number): void {
    const index = offset / TLB_ENTRY_WORDS;
    this.unlink(index);
    const last = --this.count;
    const o = last * TLB_ENTRY_WORDS;
    if (index !== last) {
      this.unlink(last);
      this.arena.copyWithin(offset, o, o + TLB_ENTRY_WORDS);
      this.link(index);
    }
    this.arena[o + 1] = 0;
  }

  /** Removes entries that match: by `va` (-1: any) and by `asid` (-1: any); a global one matches any ASID if `globals`. */
  invalidate(va: number, asid: number, globals: boolean, removed: ((arena: Uint32Array, offset: number) => void) | null): void {
    if (va >= 0) {
      for (let sizes = this.sizes; sizes !== 0; sizes &= sizes - 1) {
        const size = 31 - Math.clz32(sizes & -sizes);
        if (asid >= 0) this.removeAt(asid, va, size, removed);
        else for (let space = 0; space < GLOBAL_SPACE; space++) if (this.spaceCounts[space] > 0) this.removeAt(space, va, size, removed);
        if (globals) this.removeAt(GLOBAL_SPACE, va, size, removed);
      }
      return;
    }
    if (asid >= 0 && this.spaceCounts[asid] === 0) return;
    // From the end: what `remove` moves into a place was looked at already.
    for (let o = (this.count - 1) * TLB_ENTRY_WORDS; o >= 0; o -= TLB_ENTRY_WORDS) {
      const tag = this.arena[o + 1];
      if ((tag & TLB_ENTRY_GLOBAL) !== 0 ? !globals : asid >= 0 && ((tag >>> 8) & 0xff) !== asid) continue;
      removed?.(this.arena, o);
      this.remove(o);
    }
  }

  clear(): void {
    this.arena.fill(0, 0, this.count * TLB_ENTRY_WORDS);
    this.count = 0;
    this.heads.fill(-1);
    this.spaceCounts.fill(0);
    this.sizeCounts.fill(0);
    this.sizes = 0;
    this.next = 0;
  }

  *entries(): Iterable<number> {
    for (let i = 0; i < this.count; i++) yield i * TLB_ENTRY_WORDS;
  }

  snapshot(): RetainedState {
    return { words: this.arena.slice(0, this.count * TLB_ENTRY_WORDS), next: this.next };
  }

  restore(state: RetainedState): void {
    this.clear();
    while (this.arena.length < state.words.length) this.grow();
    this.arena.set(state.words);
    const count = state.words.length / TLB_ENTRY_WORDS;
    // Chains in the order in which they would be walked do not matter: no two entries have one key.
    for (this.count = 0; this.count < count; this.count++) this.link(this.count);
    this.next = state.next;
  }

  private findIn(space: number, page: number, size: number): number {
    if (this.spaceCounts[space] === 0) return -1;
    for (let i = this.heads[this.hash(space, page, size)]; i >= 0; i = this.links[i]) {
      const tag = this.arena[i * TLB_ENTRY_WORDS + 1];
      if (this.arena[i * TLB_ENTRY_WORDS] >>> size === page && (tag & 0xff) === size && spaceOf(tag) === space) return i;
    }
    return -1;
  }

  private removeAt(space: number, va: number, size: number, removed: ((arena: Uint32Array, offset: number) => void) | null): void {
    const index = this.findIn(space, va >>> size, size);
    if (index < 0) return;
    removed?.(this.arena, index * TLB_ENTRY_WORDS);
    this.remove(index * TLB_ENTRY_WORDS);
  }

  private hash(space: number, page: number, size: number): number {
    let h = Math.imul(page, 0x9e3779b1) ^ Math.imul(space, 0x85ebca6b) ^ Math.imul(size, 0xc2b2ae35);
    h ^= h >>> 15;
    return h & (this.heads.length - 1);
  }

  private link(index: number): void {
    const o = index * TLB_ENTRY_WORDS;
    const tag = this.arena[o + 1];
    const size = tag & 31;
    const h = this.hash(spaceOf(tag), this.arena[o] >>> size, size);
    this.links[index] = this.heads[h];
    this.heads[h] = index;
    this.spaceCounts[spaceOf(tag)]++;
    this.sizeCounts[size]++;
    this.sizes |= 1 << size;
  }

  private unlink(index: number): void {
    const o = index * TLB_ENTRY_WORDS;
    const tag = this.arena[o + 1];
    const size = tag & 31;
    const h = this.hash(spaceOf(tag), this.arena[o] >>> size, size);
    if (this.heads[h] === index) this.heads[h] = this.links[index];
    else {
      let i = this.heads[h];
      while (this.links[i] !== index) i = this.links[i];
      this.links[i] = this.links[index];
    }
    this.spaceCounts[spaceOf(tag)]--;
    if (--this.sizeCounts[size] === 0) this.sizes &= ~(1 << size);
  }

  private grow(): void {
    const capacity = Math.min(this.bound, (this.arena.length / TLB_ENTRY_WORDS) * 2);
    const arena = new Uint32Array(capacity * TLB_ENTRY_WORDS);
    arena.set(this.arena);
    this.arena = arena;
    this.heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2))).fill(-1);
    this.links = new Int32Array(capacity);
    this.spaceCounts.fill(0);
    this.sizeCounts.fill(0);
    this.sizes = 0;
    for (let i = 0; i < this.count; i++) this.link(i);
  }
}

function spaceOf(tag: number): number {
  return (tag & TLB_ENTRY_GLOBAL) !== 0 ? GLOBAL_SPACE : (tag >>> 8) & 0xff;
}
