import type { HierarchyTlbOptions, TlbArrayOptions } from '@tablewalk/mmu';
import { ReferenceReplacement, Xorshift } from './reference-replacement.js';

/** A translation as an object. */
export interface Translation {
  readonly va: number;
  readonly sizeLog2: number;
  /** Size of what it is a piece of. */
  readonly wholeLog2: number;
  readonly asid: number;
  readonly global: boolean;
  readonly pa: number;
  readonly descriptor: number;
  readonly locked: boolean;
}

export type Side = 'instruction' | 'data';

const page = (va: number, sizeLog2: number): number => Math.floor(va / 2 ** sizeLog2);
const matches = (t: Translation, va: number, asid: number): boolean =>
  page(va, t.sizeLog2) === page(t.va, t.sizeLog2) && (t.global || t.asid === asid);
const sameSpace = (a: Translation, b: Translation): boolean => a.asid === b.asid && a.global === b.global;
const sameKey = (a: Translation, b: Translation): boolean => a.va === b.va && a.sizeLog2 === b.sizeLog2 && sameSpace(a, b);

/** One array: a list of ways for each set. */
class ReferenceArray {
  readonly sets: (Translation | null)[][];
  readonly lockable: number;
  hits = 0;
  misses = 0;
  evictions = 0;
  private readonly replacement: ReferenceReplacement[];
  private last: { set: number; way: number } | null = null;
  /** A walk cache answers with the smallest, whoever answered last. */
  private readonly nearest: boolean;

  constructor(options: TlbArrayOptions, nearest = false) {
    this.nearest = nearest;
    const ways = options.ways ?? options.entries;
    const generator = new Xorshift(options.seed ?? 1);
    this.lockable = options.lockable ?? 0;
    this.sets = Array.from({ length: options.entries / ways }, () => Array.from({ length: ways }, () => null));
    this.replacement = this.sets.map(() => new ReferenceReplacement(options.replacement ?? 'round-robin', ways, generator));
  }

  setFor(va: number, sizeLog2: number): number {
    return page(va, sizeLog2) % this.sets.length;
  }

  /** Who answered last answers again; or else the smallest size, the lowest way. With one set the lowest way of any size. */
  find(va: number, asid: number): { set: number; way: number } | null {
    if (this.last !== null && !this.nearest) {
      const held = this.sets[this.last.set][this.last.way];
      if (held !== null && matches(held, va, asid)) return this.last;
    }
    const sizes = this.sets.length === 1 && !this.nearest ? [null] : [12, 16, 20, 21, 24, 30];
    for (const size of sizes) {
      const set = size === null ? 0 : this.setFor(va, size);
      const way = this.sets[set].findIndex((held) => held !== null && (size === null || held.sizeLog2 === size) && matches(held, va, asid));
      if (way >= 0) {
        this.last = { set, way };
        return this.last;
      }
    }
    return null;
  }

  used(at: { set: number; way: number }): void {
    this.hits++;
    if (!this.sets[at.set][at.way]?.locked) this.replacement[at.set].hit(at.way);
  }

  /** Removes the entry that `t` replaces or makes room for it, puts it in, and returns what had to go. */
  put(t: Translation): Translation | null {
    const set = this.setFor(t.va, t.sizeLog2);
    const ways = this.sets[set];
    let way = ways.findIndex((held) => held !== null && sameKey(held, t));
    if (way < 0) way = ways.indexOf(null);
    if (way < 0) {
      way = this.replacement[set].victim((candidate) => !ways[candidate]?.locked);
      this.evictions++;
    }
    const gone = ways[way];
    ways[way] = t;
    this.replacement[set].filled(way);
    return gone;
  }

  take(unwanted: (t: Translation) => boolean): Translation[] {
    const gone: Translation[] = [];
    for (const ways of this.sets) {
      for (const [way, held] of ways.entries()) {
        if (held === null || !unwanted(held)) continue;
        gone.push(held);
        ways[way] = null;
      }
    }
    return gone;
  }

  all(): Translation[] {
    return this.sets.flat().filter((held) => held !== null);
  }
}

/**
 * A TLB of levels, written to be read: what `hierarchyTlb` says in its documentation, over lists of objects. Reports are not modelled: the kit
 * proves them from what is held.
 */
export class ReferenceTlb {
  private readonly micro: Record<Side, ReferenceArray | null>;
  private readonly main: Record<Side, ReferenceArray>;
  private readonly lockdown: (Translation | null)[];
  private readonly microPageLog2: number;
  private readonly flushMicro: boolean;
  private readonly missed: Record<Side, number | null> = { instruction: null, data: null };
  private lockdownLast = -1;
  private readonly walks: ReferenceArray | null;

  constructor(options: HierarchyTlbOptions) {
    const made = (array: TlbArrayOptions | undefined): ReferenceArray | null => (array === undefined ? null : new ReferenceArray(array));
    this.micro = { instruction: made(options.microInstruction), data: made(options.microData) };
    if ('instruction' in options.main) {
      this.main = { instruction: new ReferenceArray(options.main.instruction), data: new ReferenceArray(options.main.data) };
    } else {
      const unified = new ReferenceArray(options.main);
      this.main = { instruction: unified, data: unified };
    }
    this.walks = options.walkCache === undefined ? null : new ReferenceArray(options.walkCache, true);
    this.lockdown = Array.from({ length: options.lockdown ?? 0 }, () => null);
    this.microPageLog2 = options.microPageLog2 ?? 30;
    this.flushMicro = options.flushMicro ?? false;
  }

  lookup(va: number, asid: number, side: Side): Translation | null {
    const micro = this.micro[side];
    const near = micro?.find(va, asid) ?? null;
    if (micro !== null && near !== null) {
      micro.used(near);
      return micro.sets[near.set][near.way];
    }
    if (micro !== null) micro.misses++;
    const main = this.main[side];
    const answersAgain = this.lockdown[this.lockdownLast] ?? null;
    const index =
      answersAgain !== null && matches(answersAgain, va, asid)
        ? this.lockdownLast
        : this.lockdown.findIndex((held) => held !== null && matches(held, va, asid));
    let answer: Translation | null = null;
    if (index >= 0) {
      this.lockdownLast = index;
      answer = this.lockdown[index];
    } else {
      const at = main.find(va, asid);
      if (at !== null) {
        main.used(at);
        answer = main.sets[at.set][at.way];
      }
    }
    if (answer === null) {
      main.misses++;
      this.missed[side] = va;
      return null;
    }
    return micro === null ? answer : this.copyUp(micro, va, answer);
  }

  insert(t: Translation, side: Side): void {
    const main = this.main[side];
    const same = this.lockdown.findIndex((held) => held !== null && sameKey(held, t));
    if (same >= 0) this.lockdown[same] = null;
    const free = this.lockdown.indexOf(null);
    if (t.locked && free >= 0) {
      main.take((held) => sameKey(held, t));
      this.lockdown[free] = t;
    } else {
      main.take((held) => sameKey(held, t));
      const set = main.sets[main.setFor(t.va, t.sizeLog2)];
      const room = set.filter((held) => held?.locked).length < main.lockable;
      main.put({ ...t, locked: t.locked && room });
    }
    const micro = this.micro[side];
    const missed = this.missed[side];
    this.missed[side] = null;
    if (micro === null) return;
    if (t.sizeLog2 <= this.microPageLog2) this.copyUp(micro, t.va, t);
    else if (missed !== null && page(missed, t.sizeLog2) === page(t.va, t.sizeLog2)) this.copyUp(micro, missed, t);
  }

  invalidateAll(sides: readonly Side[]): void {
    this.take(sides, (held) => !held.locked);
    this.walks?.take(() => true);
  }

  invalidateMva(va: number, asid: number, sides: readonly Side[]): void {
    this.take(sides, (held) => page(va, held.wholeLog2) === page(held.va, held.wholeLog2) && (held.global || held.asid === asid));
    this.walks?.take((held) => page(va, held.sizeLog2) === page(held.va, held.sizeLog2) && held.asid === asid);
  }

  invalidateMvaAllAsid(va: number, sides: readonly Side[]): void {
    this.take(sides, (held) => page(va, held.wholeLog2) === page(held.va, held.wholeLog2) && !held.locked);
    this.walks?.take((held) => page(va, held.sizeLog2) === page(held.va, held.sizeLog2));
  }

  invalidateAsid(asid: number, sides: readonly Side[]): void {
    this.take(sides, (held) => !held.global && held.asid === asid);
    this.walks?.take((held) => held.asid === asid);
  }

  evictOne(random: number): boolean {
    const candidates = this.all().filter((held) => !held.locked);
    const tables = this.walks?.all() ?? [];
    const chosen = [...candidates, ...tables][random % (candidates.length + tables.length)];
    if (chosen === undefined) return false;
    if (tables.includes(chosen)) this.walks?.take((held) => held === chosen);
    else {
      const ofIt = (held: Translation): boolean =>
        sameSpace(held, chosen) &&
        held.descriptor === chosen.descriptor &&
        page(held.va, chosen.wholeLog2) === page(chosen.va, chosen.wholeLog2);
      this.remove(['instruction', 'data'], (held) => ofIt(held) && !held.locked);
    }
    return true;
  }

  lookupTable(va: number, asid: number): Translation | null {
    const at = this.walks?.find(va, asid) ?? null;
    if (at === null || this.walks === null) return null;
    this.walks.used(at);
    return this.walks.sets[at.set][at.way];
  }

  insertTable(t: Translation): void {
    this.walks?.put(t);
  }

  /** All entries: micro instruction, micro data, main (or its halves), lockdown. */
  all(): Translation[] {
    const mains = this.main.instruction === this.main.data ? [this.main.data] : [this.main.instruction, this.main.data];
    return [
      ...[this.micro.instruction, this.micro.data, ...mains].flatMap((array) => array?.all() ?? []),
      ...this.lockdown.filter((held) => held !== null),
    ];
  }

  misses(side: Side): number {
    return this.main[side].misses;
  }
  microMisses(side: Side): number {
    return this.micro[side]?.misses ?? 0;
  }

  private take(sides: readonly Side[], unwanted: (t: Translation) => boolean): void {
    this.remove(sides, unwanted);
    if (!this.flushMicro) return;
    for (const side of this.reached(sides)) this.micro[side]?.take(() => true);
  }

  /** A unified TLB takes every operation as one for both sides. */
  private reached(sides: readonly Side[]): readonly Side[] {
    return this.main.instruction === this.main.data ? ['instruction', 'data'] : sides;
  }

  private remove(sides: readonly Side[], unwanted: (t: Translation) => boolean): void {
    for (const side of this.reached(sides)) {
      this.micro[side]?.take(unwanted);
      this.main[side].take(unwanted);
    }
    for (const [i, held] of this.lockdown.entries()) if (held !== null && unwanted(held)) this.lockdown[i] = null;
  }

  private copyUp(micro: ReferenceArray, va: number, whole: Translation): Translation {
    let piece: Translation = { ...whole, locked: false };
    if (whole.sizeLog2 > this.microPageLog2) {
      const first = page(va, this.microPageLog2) * 2 ** this.microPageLog2;
      piece = { ...piece, va: first, pa: whole.pa + (first - whole.va), sizeLog2: this.microPageLog2 };
    }
    micro.put(piece);
    return piece;
  }
}

/** The TLB that forgets nothing: a list in which the last takes the place of one that is removed. */
export class ReferenceRetainForever {
  private readonly list: Translation[] = [];
  private readonly bound: number;
  private turn = 0;
  misses = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  lookup(va: number, asid: number): Translation | null {
    // The smallest first, and of one size the tagged one.
    const found = this.list
      .filter((t) => matches(t, va, asid))
      .sort((a, b) => a.sizeLog2 - b.sizeLog2 || Number(a.global) - Number(b.global));
    if (found.length === 0) this.misses++;
    return found[0] ?? null;
  }

  insert(t: Translation): void {
    const same = this.list.findIndex(
      (held) => held.va === t.va && held.sizeLog2 === t.sizeLog2 && held.global === t.global && (t.global || held.asid === t.asid),
    );
    if (same >= 0) this.remove(same);
    if (this.list.length < this.bound) this.list.push(t);
    else {
      this.list[this.turn] = t;
      this.turn = (this.turn + 1) % this.bound;
    }
  }

  invalidateAll(): void {
    this.list.length = 0;
    this.turn = 0;
  }

  /** By address the smallest goes first, the tagged before the global, by ASID; everything else from the end of the list. */
  invalidateMva(va: number, asid: number | null): void {
    const covered = this.list
      .filter((t) => page(va, t.sizeLog2) === page(t.va, t.sizeLog2) && (t.global || asid === null || t.asid === asid))
      .sort((a, b) => a.sizeLog2 - b.sizeLog2 || Number(a.global) - Number(b.global) || a.asid - b.asid);
    for (const t of covered) this.remove(this.list.indexOf(t));
  }

  invalidateAsid(asid: number): void {
    for (let i = this.list.length - 1; i >= 0; i--) if (!this.list[i].global && this.list[i].asid === asid) this.remove(i);
  }

  evictOne(random: number): boolean {
    if (this.list.length === 0) return false;
    this.remove(random % this.list.length);
    return true;
  }

  all(): Translation[] {
    return [...this.list];
  }

  private remove(index: number): void {
    const last = this.list.pop() as Translation;
    if (index < this.list.length) this.list[index] = last;
  }
}
