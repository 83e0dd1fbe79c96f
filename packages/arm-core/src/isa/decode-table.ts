import type { Encoding, Fields, InstructionSet } from './encoding.js';
import type { CompiledPattern } from './pattern.js';
import { compilePattern, extractFields, matches } from './pattern.js';

/** An encoding with its compiled pattern. */
export interface Entry {
  readonly encoding: Encoding;
  readonly pattern: CompiledPattern;
}

export interface Decoded {
  readonly entry: Entry;
  readonly fields: Fields;
}

const bitCount = (x: number): number => {
  let n = 0;
  for (let v = x >>> 0; v !== 0; v &= v - 1) n++;
  return n;
};

/** Words whose bits are fixed in a bucket: 27:20 and 7:4 of A32 and T32 (second halfword), 15:6 of T16. */
const bucketMask = (isa: InstructionSet): number => (isa === 'T16' ? 0xffc0 : 0x0ff000f0);

/** The bits of a word that are the lowest four of its bucket's number. */
const LOWER_BITS: Readonly<Record<InstructionSet, number>> = { A32: 0xf0, T32: 0xf0, T16: 0x3c0 };

/** Words that a table remembers. */
const RECENT = 4096;

/** Bit of a bucket's number that says: unconditional A32, or T32 with bit 28 set. Advanced SIMD and the coprocessors are thus apart from the rest. */
const UPPER = 0x1000;

const bucketOf = (isa: InstructionSet, word: number): number => {
  if (isa === 'T16') return (word >>> 6) & 0x3ff;
  const upper = isa === 'A32' ? word >>> 28 === 15 : (word & 0x10000000) !== 0;
  return ((word >>> 16) & 0xff0) | ((word >>> 4) & 15) | (upper ? UPPER : 0);
};

/** Whether words with these fixed bits can be in the upper or lower half of the buckets. */
const isOfHalf = (isa: InstructionSet, upper: boolean, { mask, value, hasCondition }: CompiledPattern): boolean => {
  if (isa === 'T16') return true;
  if (isa === 'A32') return hasCondition ? !upper : mask >>> 28 !== 15 || upper === (value >>> 28 === 15);
  return (mask & 0x10000000) === 0 || upper === ((value & 0x10000000) !== 0);
};

/**
 * Decode table of one instruction set, built from the records. Two encodings may overlap when one is a special case of the other (more fixed bits, all of
 * the other's among them) or one of them says which values are not its own (`unless`). The list for a bucket is made when a word of it is first decoded:
 * a run meets a few hundred of the thousands, and start-up does not pay for the rest.
 */
export class DecodeTable {
  readonly isa: InstructionSet;
  /** Most fixed bits first. */
  readonly entries: readonly Entry[];
  private readonly buckets: (Entry[] | undefined)[];
  /** Words decoded before, by a hash of them: code is made of the same few. Null: none yet. */
  private readonly recentWords = new Int32Array(RECENT);
  private readonly recent = new Array<Decoded | undefined | null>(RECENT).fill(null);
  /** What a bucket's upper bits alone leave: buckets are made from these. */
  private readonly groups = new Map<number, Entry[]>();

  constructor(isa: InstructionSet, encodings: readonly Encoding[]) {
    this.isa = isa;
    const names = new Set<string>();
    this.entries = encodings
      .filter((encoding) => encoding.isa === isa)
      .map((encoding) => {
        if (names.has(encoding.name)) throw new Error(`[arm-core] [${encoding.name}] defined twice`);
        names.add(encoding.name);
        return { encoding, pattern: compilePattern(encoding) };
      })
      .sort((a, b) => bitCount(b.pattern.mask) - bitCount(a.pattern.mask));
    this.buckets = new Array<Entry[] | undefined>(isa === 'T16' ? 1024 : 2 * UPPER).fill(undefined);
  }

  /** The entries that a word of this bucket can be. */
  private bucket(index: number): Entry[] {
    const group = index & ~15;
    let candidates = this.groups.get(group);
    if (candidates === undefined) {
      candidates = this.among(this.entries, group, bucketMask(this.isa) & ~LOWER_BITS[this.isa]);
      this.groups.set(group, candidates);
    }
    const bucket = this.among(candidates, index, bucketMask(this.isa));
    this.buckets[index] = bucket;
    return bucket;
  }

  private among(entries: readonly Entry[], index: number, mask: number): Entry[] {
    const { isa } = this;
    const word = isa === 'T16' ? index << 6 : (((index & 0xff0) << 16) | ((index & 15) << 4)) >>> 0;
    const upper = (index & UPPER) !== 0;
    const found: Entry[] = [];
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      const { pattern } = entry;
      if (((word ^ pattern.value) & pattern.mask & mask) === 0 && isOfHalf(isa, upper, pattern)) found.push(entry);
    }
    return found;
  }

  /** Pairs of encodings that overlap without a rule that says whose the common words are; what is shipped has none. */
  ambiguities(): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.entries.length; i++) {
      const a = this.entries[i]!;
      for (let j = i + 1; j < this.entries.length; j++) {
        const b = this.entries[j]!;
        if (((a.pattern.value ^ b.pattern.value) & a.pattern.mask & b.pattern.mask) !== 0) continue;
        if (a.pattern.hasCondition !== b.pattern.hasCondition && (a.pattern.hasCondition ? b : a).pattern.value >>> 28 === 15) continue;
        const aIsSpecial = (a.pattern.mask & b.pattern.mask) >>> 0 === b.pattern.mask && a.pattern.mask !== b.pattern.mask;
        if (aIsSpecial || a.encoding.unless !== undefined || b.encoding.unless !== undefined) continue;
        found.push(`${a.encoding.name} and ${b.encoding.name}`);
      }
    }
    return found;
  }

  /** The encoding of `word` (T32: first halfword in bits 31:16), or undefined for UNDEFINED and unallocated space. */
  decode(word: number): Decoded | undefined {
    const slot = (word ^ (word >>> 12) ^ (word >>> 20)) & (RECENT - 1);
    if (this.recentWords[slot] === (word | 0) && this.recent[slot] !== null) return this.recent[slot];
    const decoded = this.find(word);
    this.recentWords[slot] = word;
    this.recent[slot] = decoded;
    return decoded;
  }

  private find(word: number): Decoded | undefined {
    const index = bucketOf(this.isa, word);
    const bucket = this.buckets[index] ?? this.bucket(index);
    for (let i = 0; i < bucket.length; i++) {
      const entry = bucket[i]!;
      if (!matches(entry.pattern, word)) continue;
      const fields = extractFields(entry.pattern, word);
      if (entry.encoding.unless?.(fields) === true) continue;
      return { entry, fields };
    }
    return undefined;
  }
}
