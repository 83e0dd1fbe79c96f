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

/** Bits that pick the bucket: 27:20 and 7:4 of A32 and T32 (second halfword), 15:6 of T16. */
const bucketOf = (isa: InstructionSet, word: number): number =>
  isa === 'T16' ? (word >>> 6) & 0x3ff : ((word >>> 16) & 0xff0) | ((word >>> 4) & 15);
const bucketMask = (isa: InstructionSet): number => (isa === 'T16' ? 0xffc0 : 0x0ff000f0);

/**
 * Decode table of one instruction set, built from the records. Refuses two encodings that overlap without one being a special case of the other (more
 * fixed bits, all of the other's among them) unless one of them says which values are not its own (`unless`).
 */
export class DecodeTable {
  readonly isa: InstructionSet;
  /** Most fixed bits first. */
  readonly entries: readonly Entry[];
  private readonly buckets: Entry[][];

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
    this.refuseAmbiguity();
    const mask = bucketMask(isa);
    const count = isa === 'T16' ? 1024 : 4096;
    this.buckets = Array.from({ length: count }, (_, bucket) => {
      const word = isa === 'T16' ? bucket << 6 : (((bucket & 0xff0) << 16) | ((bucket & 15) << 4)) >>> 0;
      return this.entries.filter(({ pattern }) => ((word ^ pattern.value) & pattern.mask & mask) === 0);
    });
  }

  private refuseAmbiguity(): void {
    for (let i = 0; i < this.entries.length; i++) {
      const a = this.entries[i]!;
      for (let j = i + 1; j < this.entries.length; j++) {
        const b = this.entries[j]!;
        if (((a.pattern.value ^ b.pattern.value) & a.pattern.mask & b.pattern.mask) !== 0) continue;
        if (a.pattern.hasCondition !== b.pattern.hasCondition && (a.pattern.hasCondition ? b : a).pattern.value >>> 28 === 15) continue;
        const aIsSpecial = (a.pattern.mask & b.pattern.mask) >>> 0 === b.pattern.mask && a.pattern.mask !== b.pattern.mask;
        if (aIsSpecial || a.encoding.unless !== undefined || b.encoding.unless !== undefined) continue;
        throw new Error(`[arm-core] [${this.isa}] ${a.encoding.name} and ${b.encoding.name} overlap`);
      }
    }
  }

  /** The encoding of `word` (T32: first halfword in bits 31:16), or undefined for UNDEFINED and unallocated space. */
  decode(word: number): Decoded | undefined {
    for (const entry of this.buckets[bucketOf(this.isa, word)]!) {
      if (!matches(entry.pattern, word)) continue;
      const fields = extractFields(entry.pattern, word);
      if (entry.encoding.unless?.(fields) === true) continue;
      return { entry, fields };
    }
    return undefined;
  }
}
