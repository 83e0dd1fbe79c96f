import { type HierarchyTlbOptions, TLB_ENTRY_LOCKED, TLB_ENTRY_VALID, type Tlb, type TlbSide } from '@tablewalk/mmu';
import { Random } from '../support/random.js';
import { ReferenceRetainForever, ReferenceTlb, type Side, type Translation } from './reference-tlb.js';

const SIZES = [12, 12, 12, 16, 20, 21, 24] as const;
const deaf = { evicted: () => {} };

function read(arena: Uint32Array, o: number): Omit<Translation, 'descriptor'> & { descriptor: number } {
  const tag = arena[o + 1];
  return {
    va: arena[o],
    sizeLog2: tag & 0xff,
    wholeLog2: (tag >>> 19) & 0x3f || tag & 0xff,
    asid: (tag >>> 8) & 0xff,
    global: (tag & 0x10000) !== 0,
    pa: arena[o + 2] + arena[o + 3] * 2 ** 32,
    descriptor: arena[o + 6],
    locked: (tag & TLB_ENTRY_LOCKED) !== 0,
  };
}

function write(entry: Uint32Array, t: Translation): Uint32Array {
  entry[0] = t.va;
  entry[1] = (TLB_ENTRY_VALID | t.sizeLog2 | (t.asid << 8) | (t.global ? 0x10000 : 0) | (t.locked ? TLB_ENTRY_LOCKED : 0)) >>> 0;
  entry[2] = t.pa % 2 ** 32;
  entry[3] = Math.floor(t.pa / 2 ** 32);
  entry[4] = 3;
  entry[5] = 0x16;
  entry[6] = t.descriptor;
  return entry;
}

/** What both a `ReferenceTlb` and a `ReferenceRetainForever` do, in the words of the former. */
interface Reference {
  lookup(va: number, asid: number, side: Side): Translation | null;
  insert(t: Translation, side: Side): void;
  invalidateAll(sides: readonly Side[]): void;
  invalidateMva(va: number, asid: number, sides: readonly Side[]): void;
  invalidateMvaAllAsid(va: number, sides: readonly Side[]): void;
  invalidateAsid(asid: number, sides: readonly Side[]): void;
  evictOne(random: number): boolean;
  lookupTable?(va: number, asid: number): Translation | null;
  insertTable?(t: Translation): void;
  all(): Translation[];
}

export function referenceFor(options: HierarchyTlbOptions | { readonly bound: number }): Reference {
  if ('main' in options) return new ReferenceTlb(options);
  const forever = new ReferenceRetainForever(options.bound);
  return {
    lookup: (va, asid) => forever.lookup(va, asid),
    insert: (t) => forever.insert({ ...t, locked: false }),
    invalidateAll: () => forever.invalidateAll(),
    invalidateMva: (va, asid) => forever.invalidateMva(va, asid),
    invalidateMvaAllAsid: (va) => forever.invalidateMva(va, null),
    invalidateAsid: (asid) => forever.invalidateAsid(asid),
    evictOne: (random) => forever.evictOne(random),
    all: () => forever.all(),
  };
}

/**
 * Gives a model and its reference the same random work and compares every answer, and all entries now and then. Mappings of one VA conflict, are global
 * here and tagged there, change without maintenance: whatever a guest does to a TLB. Returns the number of look-ups; throws at the first difference.
 */
export function compareTlb(tlb: Tlb, reference: Reference, seed: number, lookups: number, span: number): { lookups: number; hits: number } {
  const random = new Random(seed);
  const entry = new Uint32Array(8);
  let done = 0;
  let hits = 0;
  let generation = 0;
  let text = '';
  const differ = (what: string, ours: unknown, theirs: unknown): never => {
    throw new Error(`look-up ${done} (${text}): ${what} is ${JSON.stringify(ours)}, the reference's ${JSON.stringify(theirs)}`);
  };
  const compareAll = (): void => {
    const ours = JSON.stringify([...tlb.entries()].map((o) => read(tlb.arena, o)));
    const theirs = JSON.stringify(reference.all());
    if (ours !== theirs) differ('entries', ours, theirs);
  };
  const mapping = (va: number, asid: number): Translation => {
    const sizeLog2 = SIZES[random.below(SIZES.length)];
    const first = Math.floor(va / 2 ** sizeLog2) * 2 ** sizeLog2;
    generation = (generation + 1) % 0x100000;
    const pa = Math.floor(((generation * 0x1000 + (generation % 7 === 0 ? 2 ** 35 : 0)) % 2 ** 40) / 2 ** sizeLog2) * 2 ** sizeLog2;
    return {
      va: first,
      sizeLog2,
      wholeLog2: sizeLog2,
      asid,
      global: random.below(4) === 0,
      pa,
      descriptor: generation * 4,
      locked: random.below(40) === 0,
    };
  };
  while (done < lookups) {
    // Pages near each other, so that large mappings are met again, and a few that are not.
    const va = (random.below(8) === 0 ? random.u32() : random.below(span) * 0x1000 + 0x40000000) >>> 0;
    const asid = random.below(3) * 5;
    const choice = random.below(1000);
    if (choice < 970) {
      done++;
      const fetch = random.below(3) === 0;
      const side: Side = fetch ? 'instruction' : 'data';
      text = `${side} ${va.toString(16)} asid ${asid}`;
      const o = tlb.lookup(va, asid, fetch, deaf);
      const theirs = reference.lookup(va, asid, side);
      if (o >= 0 && theirs !== null) {
        hits++;
        const { arena } = tlb;
        if (arena[o] !== theirs.va || (arena[o + 1] & 0xff) !== theirs.sizeLog2 || arena[o + 2] + arena[o + 3] * 2 ** 32 !== theirs.pa) {
          differ('translation', read(arena, o), theirs);
        }
      } else if (o >= 0 || theirs !== null) differ('translation', o < 0 ? null : read(tlb.arena, o), theirs);
      else {
        const t = mapping(va, asid);
        tlb.insert(write(entry, t), fetch, deaf);
        reference.insert(t, side);
      }
    } else if (choice < 994) {
      const side = (random.below(3) + 1) as TlbSide;
      const sides: Side[] = [...(side & 1 ? (['instruction'] as const) : []), ...(side & 2 ? (['data'] as const) : [])];
      const page = (va & 0xfffff000) >>> 0;
      text = `maintenance ${choice} of ${page.toString(16)} asid ${asid} side ${side}`;
      if (choice < 988) {
        tlb.invalidateMva(page, asid, side, deaf);
        reference.invalidateMva(page, asid, sides);
      } else if (choice < 991) {
        tlb.invalidateMvaAllAsid(page, side, deaf);
        reference.invalidateMvaAllAsid(page, sides);
      } else if (choice < 993) {
        tlb.invalidateAsid(asid, side, deaf);
        reference.invalidateAsid(asid, sides);
      } else if (random.below(8) === 0) {
        tlb.invalidateAll(side, deaf);
        reference.invalidateAll(sides);
      }
    } else if (choice < 996) {
      const word = random.u32();
      text = `evictOne ${word}`;
      const [ours, theirs] = [tlb.evictOne(word, deaf), reference.evictOne(word)];
      if (ours !== theirs) differ('whether something went', ours, theirs);
    } else if (tlb.walks !== undefined && reference.lookupTable !== undefined) {
      text = `table of ${va.toString(16)} asid ${asid}`;
      const o = tlb.walks.lookup(va, asid);
      const theirs = reference.lookupTable(va, asid);
      if (o < 0 !== (theirs === null) || (o >= 0 && tlb.walks.arena[o + 2] !== theirs?.pa)) differ('table', o, theirs);
      if (o < 0) {
        const sizeLog2 = [20, 21, 30][random.below(3)];
        const first = Math.floor(va / 2 ** sizeLog2) * 2 ** sizeLog2;
        const t: Translation = {
          va: first,
          sizeLog2,
          wholeLog2: sizeLog2,
          asid,
          global: false,
          pa: random.below(0x100000) * 0x400,
          descriptor: 0,
          locked: false,
        };
        tlb.walks.insert(write(entry, t));
        reference.insertTable?.(t);
      }
    }
    if (done % 1024 === 0) compareAll();
  }
  compareAll();
  return { lookups: done, hits };
}
