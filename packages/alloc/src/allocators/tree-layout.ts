// Nothing is imported here: so a bundler may write the numbers where they are used.

// The tree over the bitmap. Level 0 are the bitmap's words, 32 pages each, a one for a free page; a node of level k covers 32 << k pages, two
// nodes below, of which the right one may be missing at the end and then counts as taken. A node says how many free pages it begins with
// (prefix), its longest free run, and how many it ends with (suffix). The fields take what the span needs:
//
//     levels 1 to 4    one word      prefix (9:0), longest (19:10), suffix (29:20)       spans up to 512 pages
//     levels 5 to 10   two words     longest; prefix (15:0), suffix (31:16)              spans up to 32768 pages
//     above            three words   longest; prefix; suffix
export const ONE_WORD = 4;
export const TWO_WORDS = 10;

export function wordsPerNode(level: number): number {
  return level <= ONE_WORD ? 1 : level <= TWO_WORDS ? 2 : 3;
}

/** Offsets of the levels in the words, which begin with a header, the number of nodes in each, and the words in all. */
export function layout(pageCount: number, headerWords: number): { bases: number[]; counts: number[]; end: number } {
  const bases = [headerWords];
  const counts = [Math.ceil(pageCount / 32)];
  let end = headerWords + (counts[0] as number);
  for (let level = 1; (counts[level - 1] as number) > 1; level++) {
    const count = Math.ceil((counts[level - 1] as number) / 2);
    bases.push(end);
    counts.push(count);
    end += count * wordsPerNode(level);
  }
  return { bases, counts, end };
}
