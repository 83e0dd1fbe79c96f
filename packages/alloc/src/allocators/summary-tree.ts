import type { Violation } from '../page-allocator.js';
import type { Words } from '../words.js';
import { findOnes, leadingOnes, longestOnes, trailingOnes } from './bits.js';
import { HEADER_WORDS } from './header.js';
import { layout, ONE_WORD, TWO_WORDS, wordsPerNode } from './tree-layout.js';

// Which of two is larger, and whether a half is free throughout, no processor guesses well: masks instead of branches, on numbers below 2^31.

/** The larger one. */
function larger(a: number, b: number): number {
  return b + ((a - b) & ~((a - b) >> 31));
}

/** What a span begins (or ends) with: its near half's run, and the far half's too if the near half is free throughout. */
function joined(near: number, far: number, span: number): number {
  return near + (far & (((near ^ span) - 1) >> 31));
}

/** What the node above two of one word, each over `span` pages, says; it is of one word too. */
function joinPacked(left: number, right: number, span: number): number {
  const leftSuffix = left >>> 20;
  const rightPrefix = right & 0x3ff;
  const longest = larger(leftSuffix + rightPrefix, larger((left >>> 10) & 0x3ff, (right >>> 10) & 0x3ff));
  return joined(left & 0x3ff, rightPrefix, span) | (longest << 10) | (joined(right >>> 20, leftSuffix, span) << 20);
}

/** Words of header, bitmap and tree. */
export function treeWords(pageCount: number): number {
  return layout(pageCount, HEADER_WORDS).end;
}

/** The most accesses of an operation on `pages` pages: a search, a look at the bitmap, the change, and the nodes above it. */
export function treeAccessBound(pageCount: number, pages: number): number {
  const top = layout(pageCount, HEADER_WORDS).bases.length - 1;
  const leaves = (Math.min(pages, pageCount) + 62) >>> 5;
  let bound = 8 + 3 * top + 5 * leaves;
  for (let level = 1; level <= top; level++) {
    // Two nodes below are read, the node compared and written.
    const each = level <= ONE_WORD ? 4 : level <= TWO_WORDS + 1 ? 8 : 12;
    bound += ((leaves >> level) + 2) * each;
  }
  return bound;
}

/** The bitmap's tree; pages are relative. */
export class SummaryTree {
  readonly words: Words;
  readonly pageCount: number;
  readonly bases: readonly number[];
  readonly counts: readonly number[];
  /** Index of the bitmap's first word. */
  readonly leaves: number;
  readonly leafCount: number;
  readonly top: number;
  // What `read` and `summarize` found. Fields, so that nothing is allocated.
  private prefix = 0;
  private longest = 0;
  private suffix = 0;

  constructor(words: Words, pageCount: number) {
    const { bases, counts } = layout(pageCount, HEADER_WORDS);
    this.words = words;
    this.pageCount = pageCount;
    this.bases = bases;
    this.counts = counts;
    this.leaves = bases[0] as number;
    this.leafCount = counts[0] as number;
    this.top = bases.length - 1;
  }

  /** All pages free. */
  format(): void {
    const { words, leaves, leafCount, pageCount } = this;
    for (let leaf = 0; leaf < leafCount; leaf++) words.store(leaves + leaf, 0xffffffff);
    if ((pageCount & 31) !== 0) words.store(leaves + leafCount - 1, 2 ** (pageCount & 31) - 1);
    for (let level = 1; level <= this.top; level++) {
      for (let node = 0; node < (this.counts[level] as number); node++) {
        this.summarize(level, node);
        this.write(level, node);
      }
    }
  }

  private read(level: number, node: number): void {
    const { words } = this;
    if (level === 0) {
      const word = words.load(this.leaves + node);
      this.prefix = trailingOnes(word);
      this.longest = longestOnes(word);
      this.suffix = leadingOnes(word);
    } else if (level <= ONE_WORD) {
      const word = words.load((this.bases[level] as number) + node);
      this.prefix = word & 0x3ff;
      this.longest = (word >>> 10) & 0x3ff;
      this.suffix = word >>> 20;
    } else if (level <= TWO_WORDS) {
      const at = (this.bases[level] as number) + 2 * node;
      const ends = words.load(at + 1);
      this.longest = words.load(at);
      this.prefix = ends & 0xffff;
      this.suffix = ends >>> 16;
    } else {
      const at = (this.bases[level] as number) + 3 * node;
      this.longest = words.load(at);
      this.prefix = words.load(at + 1);
      this.suffix = words.load(at + 2);
    }
  }

  /** Writes what was found if the node says something else; whether it did. */
  private write(level: number, node: number): boolean {
    const { words, prefix, longest, suffix } = this;
    if (level <= ONE_WORD) {
      const at = (this.bases[level] as number) + node;
      const word = prefix | (longest << 10) | (suffix << 20);
      if (words.load(at) === word) return false;
      words.store(at, word);
      return true;
    }
    if (level <= TWO_WORDS) {
      const at = (this.bases[level] as number) + 2 * node;
      const ends = (prefix | (suffix << 16)) >>> 0;
      if (words.load(at) === longest && words.load(at + 1) === ends) return false;
      words.store(at, longest);
      words.store(at + 1, ends);
      return true;
    }
    const at = (this.bases[level] as number) + 3 * node;
    if (words.load(at) === longest && words.load(at + 1) === prefix && words.load(at + 2) === suffix) return false;
    words.store(at, longest);
    words.store(at + 1, prefix);
    words.store(at + 2, suffix);
    return true;
  }

  /** Finds what a node should say, from the two below it. */
  private summarize(level: number, node: number): void {
    const below = level - 1;
    const span = 32 << below;
    this.read(below, 2 * node);
    const { prefix, longest, suffix } = this;
    if (2 * node + 1 >= (this.counts[below] as number)) {
      this.suffix = 0;
      return;
    }
    this.read(below, 2 * node + 1);
    const across = suffix + this.prefix;
    if (longest > this.longest) this.longest = longest;
    if (across > this.longest) this.longest = across;
    if (this.suffix === span) this.suffix = span + suffix;
    this.prefix = prefix === span ? span + this.prefix : prefix;
  }

  /**
   * Brings the tree up to date after the bitmap's words `first` to `last` (inclusive) have changed. Ends at the first level where no node says
   * anything new: nobody above would either.
   */
  update(first: number, last: number): void {
    const { top } = this;
    if (top === 0) return;
    let low = first >> 1;
    let high = last >> 1;
    let changed = false;
    for (let node = low; node <= high; node++) if (this.updateFirst(node)) changed = true;
    let level = 1;
    for (; changed && low < high; level++) {
      low >>= 1;
      high >>= 1;
      changed = false;
      for (let node = low; node <= high; node++) {
        this.summarize(level + 1, node);
        if (this.write(level + 1, node)) changed = true;
      }
    }
    if (changed && level < top) this.climb(level, low);
  }

  /** A node of level 1, from two words of the bitmap; whether it says something new. */
  private updateFirst(node: number): boolean {
    const { words } = this;
    const leaf = this.leaves + 2 * node;
    const left = words.load(leaf) | 0;
    const right = 2 * node + 1 < this.leafCount ? words.load(leaf + 1) | 0 : 0;
    const rightPrefix = trailingOnes(right);
    const leftSuffix = leadingOnes(left);
    let longest = leftSuffix + rightPrefix;
    // What lies across is often the longest, and no run within a word of 32 exceeds it then.
    if (longest < 32) longest = Math.max(longest, longestOnes(left), longestOnes(right));
    const prefix = joined(trailingOnes(left), rightPrefix, 32);
    const suffix = joined(leadingOnes(right), leftSuffix, 32);
    const at = (this.bases[1] as number) + node;
    const word = prefix | (longest << 10) | (suffix << 20);
    if ((words.load(at) | 0) === word) return false;
    words.store(at, word);
    return true;
  }

  /**
   * Brings the nodes above one that says something new up to date. What it says is carried upwards in variables, and of each level only the node beside it
   * is read: first while nodes are of one word, then the others. Through `read` and `write`, whose results are fields, it took 1.7 times as long
   * (`bench/alloc.ts --child bitmapTree uniform 0.5 time`, twice in turn: 496 and 460 ns an operation, 277 and 272 so).
   */
  private climb(from: number, start: number): void {
    const { words, bases, counts, top } = this;
    let level = from;
    let node = start;
    let prefix: number;
    let longest: number;
    let suffix: number;
    if (level <= ONE_WORD) {
      let word = words.load((bases[level] as number) + node) | 0;
      for (; level < top && level < ONE_WORD; level++) {
        const beside = node ^ 1;
        const other = beside < (counts[level] as number) ? words.load((bases[level] as number) + beside) | 0 : 0;
        const swapped = (word ^ other) & -(node & 1);
        word = joinPacked(word ^ swapped, other ^ swapped, 32 << level);
        node >>= 1;
        const at = (bases[level + 1] as number) + node;
        if ((words.load(at) | 0) === word) return;
        words.store(at, word);
      }
      prefix = word & 0x3ff;
      longest = (word >>> 10) & 0x3ff;
      suffix = word >>> 20;
    } else {
      this.read(level, node);
      ({ prefix, longest, suffix } = this);
    }
    for (; level < top; level++) {
      const span = 32 << level;
      const beside = node ^ 1;
      let otherPrefix = 0;
      let otherLongest = 0;
      let otherSuffix = 0;
      if (beside < (counts[level] as number)) {
        const base = bases[level] as number;
        if (level <= ONE_WORD) {
          const word = words.load(base + beside) | 0;
          otherPrefix = word & 0x3ff;
          otherLongest = (word >>> 10) & 0x3ff;
          otherSuffix = word >>> 20;
        } else if (level <= TWO_WORDS) {
          otherLongest = words.load(base + 2 * beside) | 0;
          const ends = words.load(base + 2 * beside + 1) | 0;
          otherPrefix = ends & 0xffff;
          otherSuffix = ends >>> 16;
        } else {
          otherLongest = words.load(base + 3 * beside) | 0;
          otherPrefix = words.load(base + 3 * beside + 1) | 0;
          otherSuffix = words.load(base + 3 * beside + 2) | 0;
        }
      }
      const isRight = -(node & 1);
      const swapped = (prefix ^ suffix) & isRight;
      const otherSwapped = (otherPrefix ^ otherSuffix) & isRight;
      // Towards the other half and away from it.
      const near = suffix ^ swapped;
      const away = joined(prefix ^ swapped, otherPrefix ^ otherSwapped, span);
      const beyond = joined(otherSuffix ^ otherSwapped, near, span);
      longest = larger((near + (otherPrefix ^ otherSwapped)) | 0, larger(longest, otherLongest));
      prefix = away ^ ((away ^ beyond) & isRight);
      suffix = beyond ^ ((away ^ beyond) & isRight);
      node >>= 1;
      const above = bases[level + 1] as number;
      if (level < TWO_WORDS) {
        const at = above + 2 * node;
        const ends = prefix | (suffix << 16);
        if ((words.load(at) | 0) === longest && (words.load(at + 1) | 0) === ends) return;
        words.store(at, longest);
        words.store(at + 1, ends >>> 0);
      } else {
        const at = above + 3 * node;
        if ((words.load(at) | 0) === longest && (words.load(at + 1) | 0) === prefix && (words.load(at + 2) | 0) === suffix) return;
        words.store(at, longest);
        words.store(at + 1, prefix);
        words.store(at + 2, suffix);
      }
    }
  }

  /** The longest free run below the root. */
  private longestOf(level: number, node: number): number {
    const { words } = this;
    if (level === 0) return longestOnes(words.load(this.leaves + node));
    if (level <= ONE_WORD) return (words.load((this.bases[level] as number) + node) >>> 10) & 0x3ff;
    return words.load((this.bases[level] as number) + (level <= TWO_WORDS ? 2 : 3) * node) | 0;
  }

  /** The lowest page from which `pages` are free, or -1. */
  findFirst(pages: number): number {
    return this.longestOf(this.top, 0) >= pages ? this.descend(this.top, 0, pages) : -1;
  }

  /** The same within a node whose longest run suffices. */
  private descend(topLevel: number, topNode: number, pages: number): number {
    const { words, leaves } = this;
    let node = topNode;
    let below = topLevel - 1;
    // A run within the left half lies lower than one across, and that lower than one within the right half. One loop for each form of node;
    // which half it is goes into a number, and what is seldom so into a branch.
    for (; below > TWO_WORDS; below--) {
      const left = (this.bases[below] as number) + 6 * node;
      const lacks = ((words.load(left) | 0) - pages) >> 31;
      const suffix = words.load(left + 2) | 0;
      const across = suffix + (words.load(left + 4) | 0) - pages;
      node = 2 * node - lacks;
      if ((lacks & ~(across >> 31)) !== 0 && suffix !== 0) return node * (32 << below) - suffix;
    }
    for (; below > ONE_WORD; below--) {
      const left = (this.bases[below] as number) + 4 * node;
      const lacks = ((words.load(left) | 0) - pages) >> 31;
      const suffix = words.load(left + 1) >>> 16;
      const across = suffix + (words.load(left + 3) & 0xffff) - pages;
      node = 2 * node - lacks;
      if ((lacks & ~(across >> 31)) !== 0 && suffix !== 0) return node * (32 << below) - suffix;
    }
    for (; below > 0; below--) {
      const at = (this.bases[below] as number) + 2 * node;
      const left = words.load(at) | 0;
      const lacks = (((left >>> 10) & 0x3ff) - pages) >> 31;
      const suffix = left >>> 20;
      const across = suffix + (words.load(at + 1) & 0x3ff) - pages;
      node = 2 * node - lacks;
      if ((lacks & ~(across >> 31)) !== 0 && suffix !== 0) return node * (32 << below) - suffix;
    }
    if (topLevel > 0) {
      node *= 2;
      const left = words.load(leaves + node) | 0;
      const found = pages <= 32 ? findOnes(left, pages) : -1;
      if (found >= 0) return node * 32 + found;
      node++;
      const suffix = leadingOnes(left);
      if (suffix !== 0 && suffix + trailingOnes(words.load(leaves + node) | 0) >= pages) return node * 32 - suffix;
    }
    return node * 32 + findOnes(words.load(leaves + node) | 0, pages);
  }

  /** The lowest page, at `from` or above, from which `pages` are free, or -1; what lies below `from` counts as taken. */
  findFrom(from: number, pages: number): number {
    let level = 0;
    let node = from >>> 5;
    // Free pages right before the node.
    let run = 0;
    const offset = from & 31;
    if (offset !== 0) {
      const rest = this.words.load(this.leaves + node) >>> offset;
      const found = pages <= 32 - offset ? findOnes(rest, pages) : -1;
      if (found >= 0) return from + found;
      run = leadingOnes(rest << offset);
      node++;
    }
    while (node < (this.counts[level] as number)) {
      while ((node & 1) === 0 && level < this.top) {
        node >>>= 1;
        level++;
      }
      const span = 32 << level;
      this.read(level, node);
      if (run + this.prefix >= pages) return node * span - run;
      if (this.longest >= pages) return this.descend(level, node, pages);
      run = this.suffix === span ? run + span : this.suffix;
      node++;
    }
    return -1;
  }

  /** Nodes that do not say what the bitmap says, and pages past the end that are free. */
  violations(): Violation[] {
    const found: Violation[] = [];
    const { words, leaves, leafCount, pageCount } = this;
    const past = pageCount & 31;
    if (past !== 0 && words.load(leaves + leafCount - 1) >>> past !== 0) {
      found.push({ rule: 'end', message: 'pages past the end are free', word: leaves + leafCount - 1 });
    }
    for (let level = 1; level <= this.top; level++) {
      for (let node = 0; node < (this.counts[level] as number); node++) {
        this.summarize(level, node);
        const { prefix, longest, suffix } = this;
        const at = (this.bases[level] as number) + node * wordsPerNode(level);
        this.read(level, node);
        if (prefix !== this.prefix || longest !== this.longest || suffix !== this.suffix) {
          found.push({ rule: 'summary', message: `node ${node} of level ${level} is not what lies below it`, word: at });
        }
      }
    }
    return found;
  }
}
