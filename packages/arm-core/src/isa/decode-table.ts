import type { Encoding, Fields, InstructionSet } from './encoding.js';
import type { CompiledPattern } from './pattern.js';
import { compilePattern, extractFields, FieldSet } from './pattern.js';

/** An encoding with its compiled pattern. */
export interface Entry {
  readonly encoding: Encoding;
  readonly pattern: CompiledPattern;
}

export interface Decoded {
  readonly entry: Entry;
  readonly fields: Fields;
}

/** An entry with its fixed bits as int32, which most words are not without a sign: an unsigned one is a number on the heap. */
interface Candidate extends Entry {
  readonly mask: number;
  readonly value: number;
  /** What {@link DecodeTable.find} finds. */
  readonly found: Decoded;
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
  readonly entries: readonly Candidate[];
  private readonly buckets: (Candidate[] | undefined)[];
  /** The fields of the word that was looked for last. */
  private readonly held = new FieldSet();
  /** What a bucket's upper bits alone leave: buckets are made from these. */
  private readonly groups = new Map<number, Candidate[]>();

  constructor(isa: InstructionSet, encodings: readonly Encoding[]) {
    this.isa = isa;
    const names = new Set<string>();
    this.entries = encodings
      .filter((encoding) => encoding.isa === isa)
      .map((encoding) => {
        if (names.has(encoding.name)) throw new Error(`[arm-core] [${encoding.name}] defined twice`);
        names.add(encoding.name);
        const pattern = compilePattern(encoding);
        const found = { entry: { encoding, pattern }, fields: this.held as unknown as Fields };
        return { encoding, pattern, mask: pattern.mask | 0, value: pattern.value | 0, found };
      })
      .sort((a, b) => bitCount(b.pattern.mask) - bitCount(a.pattern.mask));
    this.buckets = new Array<Candidate[] | undefined>(isa === 'T16' ? 1024 : 2 * UPPER).fill(undefined);
  }

  /** The entries that a word of this bucket can be. */
  private bucket(index: number): Candidate[] {
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

  private among(entries: readonly Candidate[], index: number, mask: number): Candidate[] {
    const { isa } = this;
    const word = isa === 'T16' ? index << 6 : (((index & 0xff0) << 16) | ((index & 15) << 4)) >>> 0;
    const upper = (index & UPPER) !== 0;
    const found: Candidate[] = [];
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
    const found = this.find(word);
    return found && { entry: found.entry, fields: extractFields(found.entry.pattern, word) };
  }

  /** The same for who needs the fields only until the next word is looked for. */
  find(word: number): Decoded | undefined {
    const bits = word | 0;
    const index = bucketOf(this.isa, bits);
    const bucket = this.buckets[index] ?? this.bucket(index);
    for (let i = 0; i < bucket.length; i++) {
      const { mask, value, pattern, encoding, found } = bucket[i]!;
      // Unconditional A32 has buckets of its own, without what has a condition.
      if (((bits ^ value) & mask) !== 0) continue;
      const fields = this.held.take(pattern, bits);
      if (encoding.unless?.(fields) !== true) return found;
    }
    return undefined;
  }
}
