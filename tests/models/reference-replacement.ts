import type { ReplacementPolicy } from '@tablewalk/mmu';

/** The seeded generator of `random`, from its definition: xorshift32 with 13, 17 and 5 (Marsaglia, "Xorshift RNGs", 2003). */
export class Xorshift {
  private state: bigint;

  constructor(seed: number) {
    this.state = BigInt(seed === 0 ? 0x9e3779b9 : seed);
  }

  /** A number below `bound`: the top of the word, as a fraction. */
  below(bound: number): number {
    const mask = 0xffffffffn;
    this.state ^= (this.state << 13n) & mask;
    this.state ^= this.state >> 17n;
    this.state ^= (this.state << 5n) & mask;
    return Number((this.state * BigInt(bound)) >> 32n);
  }
}

/** The replacement of one set, as lists of ways. */
export class ReferenceReplacement {
  private readonly policy: ReplacementPolicy;
  private readonly ways: number;
  private readonly generator: Xorshift;
  /** round-robin: the way after the one filled last. */
  private next = 0;
  /** fifo, lru: ways by age, the oldest first. */
  private order: number[];
  /** plru: which half of each node of the tree to give up, by the node's path from the root. */
  private readonly giveUpper = new Map<string, boolean>();

  constructor(policy: ReplacementPolicy, ways: number, generator: Xorshift) {
    this.policy = policy;
    this.ways = ways;
    this.generator = generator;
    this.order = Array.from({ length: ways }, (_, way) => way);
  }

  hit(way: number): void {
    if (this.policy === 'lru') this.toEnd(way);
    if (this.policy === 'plru') this.pointAway(way);
  }

  filled(way: number): void {
    if (this.policy === 'round-robin') this.next = (way + 1) % this.ways;
    if (this.policy === 'lru' || this.policy === 'fifo') this.toEnd(way);
    if (this.policy === 'plru') this.pointAway(way);
  }

  victim(mayGo: (way: number) => boolean): number {
    if (this.policy === 'lru' || this.policy === 'fifo') return this.order.find(mayGo) as number;
    let way = this.policy === 'round-robin' ? this.next : this.policy === 'random' ? this.generator.below(this.ways) : this.fromTree();
    while (!mayGo(way)) way = (way + 1) % this.ways;
    return way;
  }

  private toEnd(way: number): void {
    this.order = [...this.order.filter((other) => other !== way), way];
  }

  private fromTree(): number {
    let [low, high, path] = [0, this.ways, ''];
    while (high - low > 1) {
      const middle = (low + high) / 2;
      const upper = this.giveUpper.get(path) ?? false;
      if (upper) low = middle;
      else high = middle;
      path += upper ? '1' : '0';
    }
    return low;
  }

  private pointAway(way: number): void {
    let [low, high, path] = [0, this.ways, ''];
    while (high - low > 1) {
      const middle = (low + high) / 2;
      const upper = way >= middle;
      this.giveUpper.set(path, !upper);
      if (upper) low = middle;
      else high = middle;
      path += upper ? '1' : '0';
    }
  }
}
