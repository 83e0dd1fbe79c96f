import { MmuError } from '../mmu-error.js';
import { integerIn, oneOf } from './geometry.js';

/**
 * How a set of ways chooses the one to give up.
 *
 * - `round-robin`: a counter per set names the way after the one filled last.
 * - `fifo`: the way filled first.
 * - `random`: a seeded generator (xorshift32), one for the whole structure.
 * - `lru`: the way used longest ago, exactly.
 * - `plru`: a binary tree of bits per set, each pointing away from the half used last. Ways are a power of two, 32 at most.
 *
 * A way that holds nothing is filled before any is given up, the lowest first.
 */
export type ReplacementPolicy = 'round-robin' | 'fifo' | 'random' | 'lru' | 'plru';

export const REPLACEMENT_POLICIES: readonly ReplacementPolicy[] = ['round-robin', 'fifo', 'random', 'lru', 'plru'];

const ROUND_ROBIN = 0;
const FIFO = 1;
const RANDOM = 2;
const LRU = 3;
/** `plru` has the number of its place; the same as `lru`, of two ways. */
const LRU_OF_TWO = 5;

/** What a policy is in the words of the `Tlb` and `Cache` contracts: does a hit change what is given up next? */
export function declaredReplacement(policies: readonly ReplacementPolicy[]): 'fifo' | 'random' | 'needs-hits' {
  if (policies.includes('lru') || policies.includes('plru')) return 'needs-hits';
  return policies.includes('random') ? 'random' : 'fifo';
}

export interface ReplacementState {
  readonly stamps: Float64Array;
  readonly words: Uint32Array;
  readonly clock: number;
  readonly random: number;
}

/** The choice of victims for `sets` sets of `ways` ways. One class for all policies, so that its call sites stay monomorphic. */
export class Replacement {
  readonly policy: ReplacementPolicy;
  private readonly kind: number;
  private readonly ways: number;
  private readonly seed: number;
  /** Time of last use (lru) or of filling (fifo), by way; empty for the others. */
  private readonly stamps: Float64Array;
  /** The next way (round-robin) or the tree's bits (plru), by set. */
  private readonly words: Uint32Array;
  /** By set, for lru of two: bit 0 is the way used last. */
  private pairs: Uint16Array;
  private clock = 0;
  private random: number;

  constructor(model: string, policy: ReplacementPolicy, sets: number, ways: number, seed: number) {
    this.policy = oneOf(model, 'the replacement policy', policy, REPLACEMENT_POLICIES);
    this.kind = policy === 'lru' && ways === 2 ? LRU_OF_TWO : REPLACEMENT_POLICIES.indexOf(policy);
    this.ways = ways;
    if (policy === 'plru' && ((ways & (ways - 1)) !== 0 || ways > 32)) {
      throw new MmuError(model, `plru needs a power of two of ways, 32 at most, not ${ways}`);
    }
    // xorshift32 stays at 0 for ever; any other state visits all the others.
    this.seed = integerIn(model, 'the seed', seed, 0, 0xffffffff) || 0x9e3779b9;
    this.random = this.seed;
    this.stamps = new Float64Array(this.kind === LRU || this.kind === FIFO ? sets * ways : 0);
    this.words = new Uint32Array(this.kind === ROUND_ROBIN || policy === 'plru' ? sets : 0);
    this.pairs = new Uint16Array(this.kind === LRU_OF_TWO ? sets : 0);
  }

  /** What a hit changes: nothing, the halfword of its set, whose bit 0 becomes the way, or more. */
  get hitsChange(): 'nothing' | 'way' | 'more' {
    return this.kind < LRU ? 'nothing' : this.kind === LRU_OF_TWO ? 'way' : 'more';
  }
  /** Moves the halfwords of the sets. */
  placePairs(halfwords: Uint16Array): void {
    halfwords.set(this.pairs);
    this.pairs = halfwords;
  }

  /** The way was hit. */
  touch(set: number, way: number): void {
    if (this.kind < LRU) return;
    if (this.kind === LRU_OF_TWO) this.pairs[set] = way;
    else if (this.kind === LRU) this.stamps[set * this.ways + way] = ++this.clock;
    else this.words[set] = pointAway(this.words[set], way, this.ways);
  }

  /** The way was filled. */
  filled(set: number, way: number): void {
    switch (this.kind) {
      case ROUND_ROBIN:
        this.words[set] = way + 1 === this.ways ? 0 : way + 1;
        return;
      case FIFO:
      case LRU:
        this.stamps[set * this.ways + way] = ++this.clock;
        return;
      case RANDOM:
        return;
      case LRU_OF_TWO:
        this.pairs[set] = way;
        return;
      default:
        this.words[set] = pointAway(this.words[set], way, this.ways);
    }
  }

  /** Keeps a way out of the choice of `fifo` and `lru` until it is filled again; under the others the caller passes over it. */
  pin(set: number, way: number): void {
    if (this.stamps.length !== 0) this.stamps[set * this.ways + way] = Number.POSITIVE_INFINITY;
  }

  /** The way to give up, of a set without empty ways. */
  victim(set: number): number {
    const ways = this.ways;
    if (this.kind === ROUND_ROBIN) return this.words[set];
    if (this.kind === LRU_OF_TWO) return (this.pairs[set] & 1) ^ 1;
    if (this.kind === RANDOM) {
      let x = this.random;
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      this.random = x >>> 0;
      return Math.floor((this.random * ways) / 0x100000000);
    }
    if (this.kind === FIFO || this.kind === LRU) {
      const first = set * ways;
      let best = 0;
      let oldest = this.stamps[first];
      for (let way = 1; way < ways; way++) {
        const stamp = this.stamps[first + way];
        if (stamp < oldest) {
          oldest = stamp;
          best = way;
        }
      }
      return best;
    }
    const bits = this.words[set];
    let node = 1;
    while (node < ways) node = 2 * node + ((bits >>> node) & 1);
    return node - ways;
  }

  reset(): void {
    this.stamps.fill(0);
    this.words.fill(0);
    this.pairs.fill(0);
    this.clock = 0;
    this.random = this.seed;
  }

  snapshot(): ReplacementState {
    // The ways of pairs are saved as words too.
    const words = this.pairs.length > 0 ? Uint32Array.from(this.pairs, (last) => last & 1) : this.words.slice();
    return { stamps: this.stamps.slice(), words, clock: this.clock, random: this.random };
  }

  restore(state: ReplacementState): void {
    this.stamps.set(state.stamps);
    (this.pairs.length > 0 ? this.pairs : this.words).set(state.words);
    this.clock = state.clock;
    this.random = state.random;
  }
}

/** The tree's nodes are numbered from 1 as in a heap, ways being its leaves; a bit set means that the victim is in the upper half. */
function pointAway(bits: number, way: number, ways: number): number {
  let result = bits;
  for (let node = way + ways; node > 1; node >>>= 1) {
    const parent = 1 << (node >>> 1);
    result = (node & 1) !== 0 ? result & ~parent : result | parent;
  }
  return result >>> 0;
}
