import { TLB_ENTRY_GLOBAL, TLB_ENTRY_VALID, TLB_ENTRY_WORDS, type Tlb, type TlbEvictionSink, type TlbSide } from '../contracts/tlb.js';
import { check, hex, Random } from './conformance.js';

/** A mapping of the invented tables that a trace translates through. */
export interface Mapping {
  readonly va: number;
  readonly sizeLog2: number;
  readonly asid: number;
  readonly global: boolean;
  readonly pa: number;
  readonly descriptor: number;
}

export function entryOf(m: Mapping, flags = 0): Uint32Array {
  const entry = new Uint32Array(TLB_ENTRY_WORDS);
  const level = m.sizeLog2 >= 20 ? 1 : 2;
  entry[0] = m.va;
  entry[1] = (TLB_ENTRY_VALID | flags | m.sizeLog2 | (m.asid << 8) | (m.global ? TLB_ENTRY_GLOBAL : 0) | (level << 17)) >>> 0;
  entry[2] = m.pa % 2 ** 32;
  entry[3] = Math.floor(m.pa / 2 ** 32);
  entry[4] = 3 | ((m.descriptor >>> 4) & 0x18);
  entry[5] = 0x16;
  entry[6] = m.descriptor;
  return entry;
}

export interface HeldEntry {
  readonly va: number;
  readonly sizeLog2: number;
  readonly wholeLog2: number;
  readonly asid: number;
  readonly global: boolean;
  readonly pa: number;
  readonly locked: boolean;
  readonly descriptor: number;
}

export function readEntry(arena: Uint32Array, o: number): HeldEntry {
  const tag = arena[o + 1];
  const whole = (tag >>> 19) & 0x3f;
  return {
    va: arena[o],
    sizeLog2: tag & 0xff,
    wholeLog2: whole !== 0 ? whole : tag & 0xff,
    asid: (tag >>> 8) & 0xff,
    global: (tag & TLB_ENTRY_GLOBAL) !== 0,
    pa: arena[o + 2] + arena[o + 3] * 2 ** 32,
    locked: (tag & 0x40000000) !== 0,
    descriptor: arena[o + 6],
  };
}

export const covers = (first: number, sizeLog2: number, va: number): boolean =>
  Math.floor(va / 2 ** sizeLog2) === Math.floor(first / 2 ** sizeLog2);

export function allEntries(tlb: Tlb): HeldEntry[] {
  return [...tlb.entries()].map((o) => readEntry(tlb.arena, o));
}

export interface Report {
  readonly va: number;
  readonly sizeLog2: number;
  readonly asid: number;
  readonly global: boolean;
  readonly pa: number;
}

/** Collects what a model reports as gone. */
export class ReportLog implements TlbEvictionSink {
  readonly reports: Report[] = [];

  evicted(arena: Uint32Array, offset: number): void {
    check((arena[offset + 1] & TLB_ENTRY_VALID) !== 0, `reports offset ${offset}, where no valid entry is`);
    const { va, sizeLog2, asid, global, pa } = readEntry(arena, offset);
    this.reports.push({ va, sizeLog2, asid, global, pa });
  }

  take(): Report[] {
    return this.reports.splice(0);
  }
}

const SIZES = [12, 12, 12, 12, 16, 20, 20, 24] as const;
const ASIDS = [0, 1, 2, 255] as const;

/**
 * Random work for a TLB: look-ups that fill on a miss, as an MMU does, and maintenance. The invented tables map each VA in one way per address space,
 * so that no two entries conflict: the size is chosen by the 16 MB that a VA is in, and whether it is global by the same.
 */
export class TlbTrace {
  readonly random: Random;
  private readonly regions: number;
  private readonly pages: number;
  readonly maintenance: boolean;
  /** Contents of the tables change: a mapping made later has another PA. */
  private generation = 0;

  constructor(seed: number, options: { regions?: number; pages?: number; maintenance?: boolean } = {}) {
    this.random = new Random(seed);
    this.regions = options.regions ?? 12;
    this.pages = options.pages ?? 24;
    this.maintenance = options.maintenance ?? true;
  }

  va(): number {
    const region = this.random.below(this.regions);
    const page = this.random.below(this.pages);
    // Pages of one region spread over its sections and large pages too.
    return ((region << 24) | ((page * 0x9d000) & 0xfff000) | this.random.below(0x1000)) >>> 0;
  }

  asid(): number {
    return this.random.pick(ASIDS);
  }

  mapping(va: number, asid: number): Mapping {
    const region = va >>> 24;
    const sizeLog2 = SIZES[region % SIZES.length];
    const first = (va & (0xffffffff << sizeLog2)) >>> 0;
    const global = region % 3 === 0;
    const high = region % 5 === 4 ? 2 ** 32 * 7 : 0;
    const frame = ((first ^ ((this.generation * 0x1000000) & 0x7f000000)) >>> 0) ^ (global ? 0 : asid << 24);
    return {
      va: first,
      sizeLog2,
      asid,
      global,
      pa: high + ((frame & (0xffffffff << sizeLog2)) >>> 0),
      descriptor: (0x4000 + (first >>> 10) + asid * 0x10000 + this.generation * 4) >>> 0,
    };
  }

  /** One operation on `tlb`. Returns what it was and what it answered. */
  step(tlb: Tlb, sink: TlbEvictionSink, translated?: (va: number, asid: number, pa: number) => void): string {
    const { random } = this;
    const choice = this.maintenance ? random.below(1000) : 0;
    const va = this.va();
    const asid = this.asid();
    if (choice < 940) {
      const fetch = random.below(3) === 0;
      const o = tlb.lookup(va, asid, fetch, sink);
      if (o >= 0) {
        const held = readEntry(tlb.arena, o);
        check(
          covers(held.va, held.sizeLog2, va),
          () => `look-up of ${hex(va)} gives the entry of ${hex(held.va)}, 2^${held.sizeLog2} bytes`,
        );
        check(held.global || held.asid === asid, () => `look-up of ${hex(va)} in ASID ${asid} gives an entry of ASID ${held.asid}`);
        const pa = held.pa + (va - held.va);
        translated?.(va, asid, pa);
        return `${fetch ? 'fetch' : 'data'} ${hex(va)} asid ${asid}: ${hex(pa)}`;
      }
      const m = this.mapping(va, asid);
      tlb.insert(entryOf(m), fetch, sink);
      translated?.(va, asid, m.pa + (va - m.va));
      return `${fetch ? 'fetch' : 'data'} ${hex(va)} asid ${asid}: walk to ${hex(m.pa)}`;
    }
    this.generation++;
    const side = random.pick([1, 2, 3, 3] as const) as TlbSide;
    const page = (va & 0xfffff000) >>> 0;
    if (choice < 975) {
      tlb.invalidateMva(page, asid, side, sink);
      return `invalidateMva ${hex(page)} asid ${asid} side ${side}`;
    }
    if (choice < 982) {
      tlb.invalidateMvaAllAsid(page, side, sink);
      return `invalidateMvaAllAsid ${hex(page)} side ${side}`;
    }
    if (choice < 987) {
      tlb.invalidateAsid(asid, side, sink);
      return `invalidateAsid ${asid} side ${side}`;
    }
    if (choice < 989) {
      tlb.invalidateAll(side, sink);
      return `invalidateAll side ${side}`;
    }
    const word = random.word();
    return `evictOne ${word}: ${tlb.evictOne(word, sink)}`;
  }
}
