import { Random } from '../support/random.js';

/** Where things are in guest RAM; guest/translate.S says the same. */
export const RAM_BASE = 0x40000000;
export const RAM_SIZE = 0x08000000;
export const CODE_SECTION = 0x40200000;
export const CONTROL = 0x44000000;
const CASES = CONTROL + 0x40;
const ARENAS = 0x41000000;
const ARENA_SIZE = 0x30000;
const VAS = 0x44100000;
const RESULTS = 0x46000000;
/** Nothing answers here: reading a descriptor is an external abort. */
const NOWHERE = 0x70000000;

export interface TranslationCase {
  readonly sctlr: number;
  readonly ttbcr: number;
  readonly ttbr0: readonly [number, number];
  readonly ttbr1: readonly [number, number];
  readonly dacr: number;
  readonly prrr: number;
  readonly nmrr: number;
  readonly vas: readonly number[];
  /** Where the guest finds this case and leaves its results. */
  readonly record: number;
  readonly results: number;
}

const SCTLR_ON = 0x00c50079;

class Image {
  readonly bytes: DataView;
  constructor(bytes: DataView) {
    this.bytes = bytes;
  }
  u32(address: number, value: number, bigEndian = false): void {
    this.bytes.setUint32(address - RAM_BASE, value >>> 0, !bigEndian);
  }
  u64(address: number, low: number, high: number, bigEndian: boolean): void {
    this.u32(address + (bigEndian ? 4 : 0), low, bigEndian);
    this.u32(address + (bigEndian ? 0 : 4), high, bigEndian);
  }
}

/** Writes `count` cases into the image of guest RAM, short and long descriptors by turns. */
export function makeCases(ram: DataView, count: number, vasPerCase: number, seed: number): TranslationCase[] {
  const r = new Random(seed);
  const image = new Image(ram);
  const cases: TranslationCase[] = [];
  image.u32(CONTROL, count);
  image.u32(CONTROL + 4, 0);
  for (let i = 0; i < count; i++) {
    const arena = ARENAS + i * ARENA_SIZE;
    const shape = i % 8 === 7 ? off(r) : i % 2 === 0 ? short(image, r, arena) : long(image, r, arena);
    const vaAddress = VAS + i * vasPerCase * 4;
    const results = RESULTS + i * vasPerCase * 32;
    const record = CASES + i * 64;
    const vas = Array.from({ length: vasPerCase }, (_, n) => virtualAddress(r, n));
    const c: TranslationCase = { ...shape, vas, record, results };
    const words = [c.sctlr, c.ttbcr, ...c.ttbr0, ...c.ttbr1, c.dacr, c.prrr, c.nmrr, vaAddress, vas.length, results];
    words.forEach((word, n) => image.u32(record + 4 * n, word));
    vas.forEach((va, n) => image.u32(vaAddress + 4 * n, va));
    cases.push(c);
  }
  return cases;
}

/** The edges of regions first, then anything. Half of the rest stays in the megabytes whose tables are dense. */
const EDGES = [
  0, 0xfff, 0x1000, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xffefffff, 0xfff00000, 0xffffffff,
];
function virtualAddress(r: Random, n: number): number {
  if (n < EDGES.length) return EDGES[n];
  if (n < EDGES.length + 14) {
    // The boundary between TTBR0 and TTBR1 for N, and its other side.
    const boundary = 2 ** (32 - (1 + ((n - EDGES.length) >> 1)));
    return n % 2 === 0 ? boundary : boundary - 1;
  }
  return r.u32();
}

type Shape = Omit<TranslationCase, 'vas' | 'record' | 'results'>;

function common(r: Random): Pick<Shape, 'prrr' | 'nmrr'> & { flags: number } {
  // EE, AFE, TRE, WXN, UWXN: all of them steer the walk or must not.
  return { prrr: r.u32(), nmrr: r.u32(), flags: r.u32() & ((1 << 25) | (1 << 29) | (1 << 28) | (1 << 19) | (1 << 20)) };
}

function off(r: Random): Shape {
  const { prrr, nmrr } = common(r);
  const ttbcr = r.oneIn(2) ? 0x80000000 : 0;
  return { sctlr: SCTLR_ON & ~1, ttbcr, ttbr0: [0, 0], ttbr1: [0, 0], dacr: r.u32(), prrr, nmrr };
}

function short(image: Image, r: Random, arena: number): Shape {
  const { prrr, nmrr, flags } = common(r);
  const big = (flags & (1 << 25)) !== 0;
  // PD0 and PD1 are written and must be ignored: the core has no Security Extensions.
  const ttbcr = r.below(8) | (r.oneIn(4) ? 0x30 : 0);
  const tables = arena + 0x8000;
  for (let t = 0; t < 32; t++) {
    for (let i = 0; i < 256; i++) image.u32(tables + t * 1024 + i * 4, r.oneIn(6) ? r.u32() & ~3 : r.u32(), big);
  }
  for (const table of [arena, arena + 0x4000]) {
    for (let i = 0; i < 4096; i++) {
      const kind = r.below(8);
      let d = r.u32();
      if (kind === 0) d &= ~3;
      else if (kind <= 4) d = (((tables + r.below(32) * 1024) & ~0x3ff) | (d & 0x3fc) | 1) >>> 0;
      else d |= 2;
      if (kind === 1 && r.oneIn(8)) d = (NOWHERE | (d & 0x0ffffc00) | (d & 0x3ff)) >>> 0;
      image.u32(table + i * 4, d, big);
    }
  }
  // The program itself: read-only and executable at PL1 in every permission model, in domain 15, which is a manager or a client.
  for (const table of [arena, arena + 0x4000]) image.u32(table + (CODE_SECTION >>> 20) * 4, CODE_SECTION | (15 << 5) | 0x8402, big);
  const dacr = ((r.u32() & 0x3fffffff) | (r.oneIn(2) ? 0xc0000000 : 0x40000000)) >>> 0;
  const n = ttbcr & 7;
  // With a smaller TTBR0 table the code is TTBR1's. Where TTBR0's table is, is then any multiple of its size.
  const ttbr0 = n >= 2 ? arena + (0x4000 >>> n) * r.below(1 << n) : arena;
  const low = r.below(128);
  // Cacheability bits in TTBR[6:0] say nothing of the address; N = 7 leaves a base aligned to 128 bytes.
  return { sctlr: SCTLR_ON | flags, ttbcr, ttbr0: [ttbr0 | low, 0], ttbr1: [(arena + 0x4000) | low, 0], dacr, prrr, nmrr };
}

function long(image: Image, r: Random, arena: number): Shape {
  const { flags } = common(r);
  const big = (flags & (1 << 25)) !== 0;
  // Two level 1 tables, 12 level 2 tables, 24 level 3 tables, and the tables of the program.
  const l2 = arena + 0x1000;
  const l3 = l2 + 12 * 0x1000;
  const codeL2 = l3 + 24 * 0x1000;
  const attributes = (): [number, number] => [r.u32() & 0xffc, r.u32() & 0xfff00000];
  const next = (base: number, count: number): [number, number] => {
    const address = r.oneIn(40) ? NOWHERE : base + r.below(count) * 0x1000;
    return [(address | (r.u32() & 0xffc) | 3) >>> 0, (r.u32() & (r.oneIn(3) ? 0xfff00000 : 0x07f00000)) >>> 0];
  };
  const leaf = (level: number): [number, number] => {
    const [low, high] = attributes();
    // The access flag is set more often than not, or little else is tested.
    const flagged = r.oneIn(5) ? low : low | 0x400;
    const address = r.u32() & (level === 3 ? 0xfffff000 : level === 2 ? 0xffe00000 : 0xc0000000);
    return [(address | flagged | (level === 3 ? 3 : 1)) >>> 0, (high | r.below(256)) >>> 0];
  };
  const invalid = (level: number): [number, number] => [
    ((r.u32() & ~3) | (level === 3 && r.oneIn(2) ? 1 : r.oneIn(2) ? 2 : 0)) >>> 0,
    r.u32(),
  ];
  const fill = (table: number, count: number, level: number, children: number, childCount: number): void => {
    for (let i = 0; i < count; i++) {
      const kind = r.below(8);
      const d = kind === 0 ? invalid(level) : level < 3 && kind <= 5 ? next(children, childCount) : leaf(level);
      image.u64(table + i * 8, d[0], d[1], big);
    }
  };
  fill(arena, 512, 1, l2, 12);
  for (let t = 0; t < 12; t++) fill(l2 + t * 0x1000, 512, 2, l3, 24);
  for (let t = 0; t < 24; t++) fill(l3 + t * 0x1000, 512, 3, 0, 1);
  fill(codeL2, 512, 2, l3, 24);
  // The program: AP[2:1] = 0b10 (PL1 read-only), AF.
  image.u64(codeL2 + ((CODE_SECTION >>> 21) & 0x1ff) * 8, CODE_SECTION | 0x481, 0, big);

  const l1 = arena + 32 * r.below(4);
  const l1Other = arena + 0x200 + 32 * r.below(4);
  const usePlain = r.below(4);
  let t0sz = 0;
  let t1sz = 0;
  let codeInFirst = true;
  if (usePlain === 0) {
    // TTBR0 shrinks and TTBR1 takes the rest, the program included from T0SZ = 2 on.
    t0sz = r.below(8);
    codeInFirst = t0sz < 2;
  } else {
    t0sz = r.below(2);
    t1sz = r.below(8);
  }
  const start = (sz: number, table: number): number => (sz < 2 ? table : l2 + (0x4000 >>> sz) * r.below(2 ** sz / 4 + 1));
  const ttbr0 = start(t0sz, l1);
  const ttbr1 = start(t1sz, l1Other);
  image.u64((codeInFirst ? ttbr0 : ttbr1) + 8, codeL2 | 3, 0, big);
  const epd = r.oneIn(4) ? (codeInFirst ? 1 << 23 : 1 << 7) : 0;
  // A1 and the cacheability fields are free; reserved bits are written to see them ignored.
  const ttbcr = (0x80000000 | t0sz | (t1sz << 16) | epd | (r.u32() & 0x3f703f78)) >>> 0;
  const mair = (): number => {
    const known = [0x00, 0x04, 0x44, 0xff, 0xbb, 0x40, 0xee, 0x4f, 0xf4, 0xaa];
    return (r.pick(known) | (r.pick(known) << 8) | (r.pick(known) << 16) | (r.pick(known) << 24)) >>> 0;
  };
  const asid = r.below(256) << 16;
  const sctlr = (SCTLR_ON | flags) >>> 0;
  return { sctlr, ttbcr, ttbr0: [ttbr0, asid], ttbr1: [ttbr1, asid], dacr: r.u32(), prrr: mair(), nmrr: mair() };
}
