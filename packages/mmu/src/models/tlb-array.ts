import type { TlbHits } from '../contracts/hits.js';
import { TLB_ENTRY_GLOBAL, TLB_ENTRY_LOCKED, TLB_ENTRY_VALID, TLB_ENTRY_WHOLE_SHIFT, TLB_ENTRY_WORDS } from '../contracts/tlb.js';
import { MmuError } from '../mmu-error.js';
import { integerIn, powerOfTwoIn } from './geometry.js';
import { Replacement, type ReplacementPolicy, type ReplacementState } from './replacement.js';

/** One structure of entries: a micro-TLB, a main TLB, a walk cache. */
export interface TlbArrayOptions {
  /** How many translations it holds: 1 to 65,536. */
  readonly entries: number;
  /** Entries that one address may be in. Default: all of them (fully associative). `entries / ways` is a power of two. */
  readonly ways?: number;
  /** Default `round-robin`. */
  readonly replacement?: ReplacementPolicy;
  /** Seed of `random`, 32 bits, unsigned. Default 1. */
  readonly seed?: number;
  /** How many entries of each set may be locked: fewer than `ways`. Default 0. */
  readonly lockable?: number;
}

export interface TlbArrayState {
  readonly replacement: ReplacementState;
  readonly last: number;
}

const ADDRESS_SPACE = 0xff00 | TLB_ENTRY_GLOBAL;
const KEY = 0xff | ADDRESS_SPACE;
/** A power of two, several times what a fully associative array has as a rule. */
const PLACES = 1024;

const placeOf = (va: number, size: number): number => {
  const page = va >>> size;
  return (page ^ (page >>> 10)) & (PLACES - 1);
};

/** log2 of the size of the mapping that the entry is or is a piece of. */
export function wholeSizeLog2(tag: number): number {
  const whole = (tag >>> TLB_ENTRY_WHOLE_SHIFT) & 0x3f;
  return whole !== 0 ? whole : tag & 0xff;
}

/**
 * A set-associative array of entries, part of an arena that it may share. The set of an entry is its page number, in units of its own size:
 * a look-up tries each size that is held, the smallest first. With one set there is nothing to try, and the lowest way wins. The entry
 * that answered last answers again if it can: that is what makes a look-up cheap, and where two entries conflict it is as good as any rule.
 */
export class TlbArray implements TlbHits {
  readonly label: string;
  readonly options: TlbArrayOptions;
  readonly base: number;
  readonly end: number;
  hits = 0;
  misses = 0;
  evictions = 0;
  readonly listeners: ((va: number, sizeLog2: number) => void)[] = [];

  private readonly arena: Uint32Array;
  private readonly replacement: Replacement;
  private readonly setMask: number;
  private readonly ways: number;
  private readonly lockable: number;
  /** The smallest match wins: tables of a lower level are nearer to the end of a walk. */
  private readonly nearest: boolean;
  /** Entries held by log2 of their size, and a bit for each size of which there are any. */
  private readonly sizeCounts = new Uint32Array(32);
  private sizes = 0;
  private last = -1;
  /**
   * Of a fully associative array: how many entries there are, and how many for each page number in units of their own size, as far as {@link PLACES} tell them
   * apart. Most look-ups that miss, and most entries that are new, are so at once.
   */
  private held = 0;
  private readonly places: Uint16Array | null;
  /** Where the last entry was filled in, for {@link entryAt} alone: it is asked then. */
  private newest = -1;

  constructor(model: string, label: string, options: TlbArrayOptions, arena: Uint32Array, base: number, nearest = false) {
    this.label = label;
    this.options = options;
    this.arena = arena;
    this.base = base;
    const { sets, ways } = arrayGeometry(model, label, options);
    this.end = base + sets * ways * TLB_ENTRY_WORDS;
    this.ways = ways;
    this.setMask = sets - 1;
    this.nearest = nearest;
    this.places = sets === 1 && !nearest ? new Uint16Array(PLACES) : null;
    this.lockable = integerIn(model, `the number of lockable entries (${label})`, options.lockable ?? 0, 0, ways - 1);
    this.replacement = new Replacement(model, options.replacement ?? 'round-robin', sets, ways, options.seed ?? 1);
  }

  /** A hit changes counters and which entry answered last, and nothing else. */
  get countsHitsAlone(): boolean {
    return this.replacement.hitsChange === 'nothing' && !this.nearest;
  }

  /** There is an entry at this offset, if any (else -1), and it translates `va`. */
  private answers(offset: number, va: number, asid: number): boolean {
    if (offset < 0) return false;
    const tag = this.arena[offset + 1] | 0;
    const isMine = (tag & TLB_ENTRY_GLOBAL) !== 0 || ((tag >>> 8) & 0xff) === asid;
    return tag < 0 && (this.arena[offset] ^ va) >>> (tag & 31) === 0 && isMine;
  }

  /** How many entries of any address space may cover `va`: more than there are, perhaps. */
  private atMost(places: Uint16Array, va: number): number {
    let count = 0;
    for (let sizes = this.sizes; sizes !== 0; sizes &= sizes - 1) count += places[placeOf(va, 31 - Math.clz32(sizes & -sizes))];
    return count;
  }

  entryAt(va: number, asid: number): number {
    const { arena, base, places } = this;
    if (places !== null) {
      const most = this.atMost(places, va);
      if (most === 0) return -1;
      if (most === 1) {
        if (this.answers(this.newest, va, asid)) return this.indexOf(this.newest);
        if (this.answers(this.last, va, asid)) return this.indexOf(this.last);
      }
    }
    const stride = this.ways * TLB_ENTRY_WORDS;
    let found = -1;
    for (let sizes = this.sizes; sizes !== 0; sizes &= sizes - 1) {
      const size = 31 - Math.clz32(sizes & -sizes);
      const first = base + ((va >>> size) & this.setMask) * stride;
      for (let o = first; o < first + stride; o += TLB_ENTRY_WORDS) {
        const tag = arena[o + 1];
        if ((tag | 0) >= 0 || (tag & 0xff) !== size || (arena[o] ^ va) >>> size !== 0) continue;
        if ((tag & TLB_ENTRY_GLOBAL) === 0 && ((tag >>> 8) & 0xff) !== asid) continue;
        if (found >= 0) return -1;
        found = o;
      }
    }
    return found < 0 ? -1 : this.indexOf(found);
  }

  /** The entry at an offset, counted from the first. Said to be whole, so that nothing is divided with a fraction. */
  private indexOf(offset: number): number {
    return ((offset - this.base) / TLB_ENTRY_WORDS) | 0;
  }

  hit(count: number, last: number): void {
    this.hits += count;
    this.last = this.base + last * TLB_ENTRY_WORDS;
  }

  private tell(offset: number): void {
    const { listeners } = this;
    for (let i = 0; i < listeners.length; i++) listeners[i](this.arena[offset], this.arena[offset + 1] & 31);
  }

  get policy(): ReplacementPolicy {
    return this.replacement.policy;
  }

  /** Offset of the entry that translates `va`, or -1. Changes nothing but which entry answered last. */
  find(va: number, asid: number): number {
    const arena = this.arena;
    const asidBits = asid << 8;
    if (this.last >= 0 && !this.nearest) {
      const tag = arena[this.last + 1] | 0;
      if (
        tag < 0 &&
        (arena[this.last] ^ va) >>> (tag & 31) === 0 &&
        ((tag & TLB_ENTRY_GLOBAL) !== 0 || ((tag ^ asidBits) & 0xff00) === 0)
      ) {
        return this.last;
      }
    }
    if (this.places !== null) {
      if (this.atMost(this.places, va) === 0) return -1;
      for (let o = this.base; o < this.end; o += TLB_ENTRY_WORDS) {
        const tag = arena[o + 1] | 0;
        if (tag < 0 && (arena[o] ^ va) >>> (tag & 31) === 0 && ((tag & TLB_ENTRY_GLOBAL) !== 0 || ((tag ^ asidBits) & 0xff00) === 0)) {
          this.last = o;
          return o;
        }
      }
      return -1;
    }
    const stride = this.ways * TLB_ENTRY_WORDS;
    for (let sizes = this.sizes; sizes !== 0; sizes &= sizes - 1) {
      const size = 31 - Math.clz32(sizes & -sizes);
      const first = this.base + ((va >>> size) & this.setMask) * stride;
      for (let o = first; o < first + stride; o += TLB_ENTRY_WORDS) {
        const tag = arena[o + 1] | 0;
        if (
          tag < 0 &&
          (tag & 0xff) === size &&
          (arena[o] ^ va) >>> size === 0 &&
          ((tag & TLB_ENTRY_GLOBAL) !== 0 || ((tag ^ asidBits) & 0xff00) === 0)
        ) {
          this.last = o;
          return o;
        }
      }
    }
    return -1;
  }

  /** The entry was used. */
  touch(offset: number): void {
    if ((this.arena[offset + 1] & TLB_ENTRY_LOCKED) !== 0 || this.replacement.hitsChange === 'nothing') return;
    const index = this.indexOf(offset);
    const set = (index / this.ways) | 0;
    this.replacement.touch(set, index - set * this.ways);
  }

  /** Offset of the entry with this first VA and this size, ASID and globality in `tag`, or -1. */
  same(va: number, tag: number): number {
    const first = this.setOf(va, tag);
    for (let o = first; o < first + this.ways * TLB_ENTRY_WORDS; o += TLB_ENTRY_WORDS) {
      const held = this.arena[o + 1];
      if ((held | 0) < 0 && this.arena[o] === va && ((held ^ tag) & KEY) === 0) return o;
    }
    return -1;
  }

  /** Where an entry goes: over the one that it replaces, into an empty way, or over a victim, in that order. */
  place(va: number, tag: number): number {
    const { arena, places } = this;
    const first = this.setOf(va, tag);
    const stride = this.ways * TLB_ENTRY_WORDS;
    let empty = -1;
    const isNew = places !== null && this.held === this.ways && places[placeOf(va, tag & 31)] === 0;
    if (!isNew)
      for (let o = first; o < first + stride; o += TLB_ENTRY_WORDS) {
        const held = arena[o + 1];
        if ((held | 0) >= 0) {
          if (empty < 0) empty = o;
        } else if (arena[o] === va && ((held ^ tag) & KEY) === 0) return o;
      }
    if (empty >= 0) return empty;
    let way = this.replacement.victim((first - this.base) / stride);
    // At least one way of the set is not locked.
    while ((this.arena[first + way * TLB_ENTRY_WORDS + 1] & TLB_ENTRY_LOCKED) !== 0) way = way + 1 === this.ways ? 0 : way + 1;
    return first + way * TLB_ENTRY_WORDS;
  }

  /** True if the valid entry at `offset` has this first VA, size, ASID and globality: what takes its place replaces it and evicts nothing. */
  isSame(offset: number, va: number, tag: number): boolean {
    return this.arena[offset] === va && ((this.arena[offset + 1] ^ tag) & KEY) === 0;
  }

  /** True if one more entry of this set may be locked. */
  canLock(va: number, tag: number): boolean {
    if (this.lockable === 0) return false;
    const first = this.setOf(va, tag);
    let locked = 0;
    for (let o = first; o < first + this.ways * TLB_ENTRY_WORDS; o += TLB_ENTRY_WORDS) {
      if ((this.arena[o + 1] | 0) < 0 && (this.arena[o + 1] & TLB_ENTRY_LOCKED) !== 0) locked++;
    }
    return locked < this.lockable;
  }

  /** An empty way of any set in which all may be locked, or -1. */
  empty(): number {
    for (let o = this.base; o < this.end; o += TLB_ENTRY_WORDS) if ((this.arena[o + 1] | 0) >= 0) return o;
    return -1;
  }

  /** After the eight words were written at `offset`, which was empty. */
  filled(offset: number): void {
    const tag = this.arena[offset + 1];
    const size = tag & 31;
    this.count(this.arena[offset], size);
    this.newest = offset;
    const index = this.indexOf(offset);
    const set = (index / this.ways) | 0;
    const way = index - set * this.ways;
    this.replacement.filled(set, way);
    if ((tag & TLB_ENTRY_LOCKED) !== 0) this.replacement.pin(set, way);
    if (this.listeners.length > 0) this.tell(offset);
  }

  private count(va: number, size: number): void {
    this.sizeCounts[size]++;
    this.sizes |= 1 << size;
    this.held++;
    if (this.places !== null) this.places[placeOf(va, size)]++;
  }

  clear(offset: number): void {
    const size = this.arena[offset + 1] & 31;
    this.held--;
    if (this.places !== null) this.places[placeOf(this.arena[offset], size)]--;
    if (--this.sizeCounts[size] === 0) this.sizes &= ~(1 << size);
    if (this.listeners.length > 0) this.tell(offset);
    this.arena[offset + 1] = 0;
  }

  /** True if another entry than `offset` (of any array of the arena) gives the translation that it gives, to the same address spaces. */
  gives(offset: number): boolean {
    const arena = this.arena;
    const va = arena[offset];
    const tag = arena[offset + 1];
    const stride = this.ways * TLB_ENTRY_WORDS;
    for (let sizes = this.sizes; sizes !== 0; sizes &= sizes - 1) {
      const size = 31 - Math.clz32(sizes & -sizes);
      if (size < (tag & 0xff)) continue;
      const first = this.base + ((va >>> size) & this.setMask) * stride;
      for (let o = first; o < first + stride; o += TLB_ENTRY_WORDS) {
        const held = arena[o + 1];
        if (
          o !== offset &&
          (held | 0) < 0 &&
          (held & 0xff) === size &&
          ((held ^ tag) & ADDRESS_SPACE) === 0 &&
          (arena[o] ^ va) >>> size === 0 &&
          (arena[o + 2] | (va - arena[o])) >>> 0 === arena[offset + 2] &&
          arena[o + 3] === arena[offset + 3] &&
          arena[o + 4] === arena[offset + 4] &&
          arena[o + 5] === arena[offset + 5] &&
          arena[o + 6] === arena[offset + 6] &&
          arena[o + 7] === arena[offset + 7]
        ) {
          return true;
        }
      }
    }
    return false;
  }

  reset(): void {
    this.replacement.reset();
    this.last = -1;
    this.resetStats();
  }

  resetStats(): void {
    this.hits = 0;
    this.misses = 0;
    this.evictions = 0;
  }

  snapshot(): TlbArrayState {
    return { replacement: this.replacement.snapshot(), last: this.last };
  }

  /** After the arena was restored. */
  restore(state: TlbArrayState): void {
    this.replacement.restore(state.replacement);
    this.last = state.last;
    this.sizeCounts.fill(0);
    this.sizes = 0;
    this.held = 0;
    this.places?.fill(0);
    for (let o = this.base; o < this.end; o += TLB_ENTRY_WORDS) {
      const tag = this.arena[o + 1];
      if ((tag & TLB_ENTRY_VALID) !== 0) this.count(this.arena[o], tag & 31);
    }
  }

  private setOf(va: number, tag: number): number {
    return this.base + ((va >>> (tag & 31)) & this.setMask) * this.ways * TLB_ENTRY_WORDS;
  }
}

export function arrayGeometry(model: string, label: string, options: TlbArrayOptions): { sets: number; ways: number } {
  const entries = integerIn(model, `the number of entries (${label})`, options.entries, 1, 65536);
  const ways = integerIn(model, `the number of ways (${label})`, options.ways ?? entries, 1, entries);
  if (entries % ways !== 0) throw new MmuError(model, `${entries} entries do not divide into ${ways} ways (${label})`);
  const sets = powerOfTwoIn(model, `the number of sets (${label})`, entries / ways, 1, 65536);
  return { sets, ways };
}
