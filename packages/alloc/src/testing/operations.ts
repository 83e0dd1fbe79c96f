import type { Geometry } from '../geometry.js';
import type { Constraints } from '../page-allocator.js';
import type { Random } from '../random.js';
import type { Live, Operation, PageModel } from './page-model.js';

/** A value that is no page count, or none that fits. */
function badCount(random: Random): number {
  const values = [0, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -0x80000000, 2 ** 31, 2 ** 53, '1' as unknown as number];
  return values[random.below(values.length)] as number;
}

function badConstraints(random: Random, geometry: Geometry): Constraints {
  const { firstPage } = geometry;
  const values: Constraints[] = [
    { alignLog2: -1 },
    { alignLog2: 31 },
    { alignLog2: 0.5 },
    { alignLog2: Number.NaN },
    { boundaryLog2: -1 },
    { boundaryLog2: 32 },
    { boundaryLog2: 1.5 },
    { min: -1 },
    { min: 0.5 },
    { max: Number.NaN },
    { max: 0 },
    { min: firstPage + 2, max: firstPage + 2 },
    { min: firstPage + 3, max: firstPage + 2 },
  ];
  return values[random.below(values.length)] as Constraints;
}

function someConstraints(random: Random, geometry: Geometry): Constraints {
  const { firstPage, pageCount } = geometry;
  const constraints: { -readonly [K in keyof Constraints]: Constraints[K] } = {};
  if (random.oneIn(2)) constraints.alignLog2 = random.below(random.oneIn(8) ? 31 : 6);
  if (random.oneIn(3)) constraints.boundaryLog2 = random.below(random.oneIn(8) ? 31 : 7);
  if (random.oneIn(3)) constraints.min = Math.max(0, firstPage + random.between(-2, pageCount));
  if (random.oneIn(3)) constraints.max = (constraints.min ?? Math.max(0, firstPage - 2)) + 1 + random.below(pageCount + 2);
  return constraints;
}

/** Mostly small, sometimes anything up to all there is and beyond. */
function somePages(random: Random, pageCount: number): number {
  if (random.oneIn(12)) return 1 + random.below(pageCount + 1);
  return 1 + random.below(Math.max(1, Math.min(pageCount, random.oneIn(3) ? 40 : 6)));
}

function someRange(random: Random, geometry: Geometry): [start: number, pages: number] {
  const start = geometry.firstPage + random.below(geometry.pageCount);
  return [start, Math.min(somePages(random, geometry.pageCount), geometry.firstPage + geometry.pageCount - start)];
}

function badRange(random: Random, geometry: Geometry): [start: number, pages: number] {
  const { firstPage, pageCount } = geometry;
  const end = firstPage + pageCount;
  const values: [number, number][] = [
    [firstPage, badCount(random)],
    [firstPage - 1, 1],
    [firstPage - 1, 2],
    [firstPage + 0.5, 1],
    [Number.NaN, 1],
    [end, 1],
    [end - 1, 2],
    [firstPage, pageCount + 1],
    [2 ** 32 + firstPage, 1],
    [-end, 1],
  ];
  return values[random.below(values.length)] as [number, number];
}

function pick(random: Random, list: readonly Live[]): Live | undefined {
  return list.length === 0 ? undefined : list[random.below(list.length)];
}

/** Something that must be refused in most states: bad values, double frees, wrong lengths, overlaps. */
function misuse(random: Random, model: PageModel): Operation {
  const { geometry, live, capabilities } = model;
  const some = pick(random, live);
  switch (random.below(8)) {
    case 0:
      return { kind: 'allocate', pages: badCount(random) };
    case 1:
      return { kind: 'allocate', pages: 1, constraints: badConstraints(random, geometry) };
    case 2: {
      const [start, pages] = badRange(random, geometry);
      return random.oneIn(2) ? { kind: 'free', start, pages } : { kind: 'reserve', start, pages };
    }
    case 3: {
      const [start, from] = badRange(random, geometry);
      return { kind: 'resize', start, from, to: 1 };
    }
    case 4:
      return some && !some.reserved
        ? { kind: 'resize', start: some.start, from: some.pages, to: badCount(random) }
        : { kind: 'resize', start: geometry.firstPage, from: 1, to: badCount(random) };
    case 5: {
      // A page too many, at either end: free already, or somebody else's.
      if (!some) break;
      const before = some.start > geometry.firstPage && random.oneIn(2) ? 1 : 0;
      return { kind: 'free', start: some.start - before, pages: some.pages + (before || 1) };
    }
    case 6:
      // An inner page: wrong for those who free whole allocations.
      if (some && !capabilities.partialFree && some.pages > 1) return { kind: 'free', start: some.start + 1, pages: some.pages - 1 };
      break;
    case 7:
      if (some) return { kind: 'reserve', start: some.start, pages: some.pages };
      break;
  }
  const [start, pages] = someRange(random, geometry);
  return random.oneIn(2) ? { kind: 'free', start, pages } : { kind: 'reserve', start, pages };
}

/** The next operation of a random life: `fullness` (0 to 1) is what allocations and frees pull towards. */
export function someOperation(random: Random, model: PageModel, fullness: number): Operation {
  const { geometry, live, capabilities } = model;
  if (random.oneIn(6)) return misuse(random, model);
  const isFull = model.freePages < geometry.pageCount * (1 - fullness);
  const some = pick(random, live);
  const choice = random.below(12);
  if (choice === 0 && some && !some.reserved && capabilities.resize) {
    const to = random.oneIn(3) ? somePages(random, geometry.pageCount) : Math.max(1, some.pages + random.between(-4, 4));
    return { kind: 'resize', start: some.start, from: some.pages, to };
  }
  if (choice === 1) {
    const [start, pages] = someRange(random, geometry);
    return { kind: 'reserve', start, pages };
  }
  if (choice === 2 && capabilities.partialFree) {
    // A part, or across allocations, or what is free already.
    const [start, pages] = someRange(random, geometry);
    return { kind: 'free', start, pages };
  }
  if (some && (isFull ? choice < 9 : choice < 5)) return { kind: 'free', start: some.start, pages: some.pages };
  const pages = somePages(random, geometry.pageCount);
  return random.oneIn(4) ? { kind: 'allocate', pages, constraints: someConstraints(random, geometry) } : { kind: 'allocate', pages };
}
