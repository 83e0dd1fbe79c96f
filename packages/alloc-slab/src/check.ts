import { type ObjectKind, type ObjectSurroundings, USE_OBJECTS, type Violation, type Words } from '@tablewalk/alloc';
import { AT_LIVE, AT_ROOM, AT_SLABS, AT_SPARE, bitCount, firstWord, fullMap, headerViolations, mapTail } from './layout.js';
import type { Shape } from './shape.js';

/** More are not told. */
const MOST = 100;

/** Everything in the cache's words, its pages' descriptors and its slabs' maps that contradicts itself. */
export const violations = (words: Words, kind: ObjectKind, surroundings: ObjectSurroundings, shape: Shape): Violation[] => {
  const { geometry, memory, descriptors } = surroundings;
  const found = headerViolations(words, kind, shape);
  const first = geometry.firstPage;
  const end = first + geometry.pageCount;
  const report = (rule: string, message: string, page?: number, word?: number): void => {
    if (found.length < MOST) found.push({ rule, message, ...(page !== undefined && { page }), ...(word !== undefined && { word }) });
  };
  const isOurs = (page: number): boolean => descriptors.use(page) === USE_OBJECTS && descriptors.owner(page) === kind.id;

  /** Objects of each slab, by its first page. */
  const slabs = new Map<number, number>();
  for (let page = first; page < end; page++) {
    if (!isOurs(page)) continue;
    const slab = page;
    if (shape.pages > 1 && descriptors.previous(page) === page) {
      report('pages', `page ${page} is of slab ${descriptors.next(page)}, which does not hold it`, page);
      continue;
    }
    if (slab + shape.pages > end) {
      report('pages', `the slab at page ${slab} goes beyond the last page`, slab);
      continue;
    }
    for (page++; page < slab + shape.pages; page++) {
      if (!isOurs(page) || descriptors.previous(page) !== page || descriptors.next(page) !== slab || descriptors.references(page) !== 0) {
        report('pages', `page ${page} does not say that it is of the slab at ${slab}`, page);
      }
    }
    page = slab + shape.pages - 1;
    slabs.set(slab, objectsOf(slab));
  }

  function objectsOf(slab: number): number {
    const state = descriptors.references(slab);
    if (shape.mapWords === 0) {
      if ((state & ~fullMap(shape)) !== 0) report('maps', `the map of slab ${slab} has bits beyond its ${shape.capacity} places`, slab);
      return bitCount(state & fullMap(shape));
    }
    const at = firstWord(slab, geometry);
    const tail = mapTail(shape);
    let taken = 0;
    let summary = 0;
    for (let word = 0; word < shape.mapWords; word++) {
      const map = memory.load(at + word);
      const isLast = word === shape.mapWords - 1;
      if (isLast && (map & tail) >>> 0 !== tail) report('maps', `the map of slab ${slab} has free places beyond its last`, slab);
      if (map !== 0xffffffff) summary |= 1 << word;
      taken += bitCount(map) - (isLast ? bitCount(tail) : 0);
    }
    if (state !== ((taken << 16) | summary) >>> 0) {
      report('counts', `slab ${slab} says ${state >>> 16} objects and room ${state & 0xffff}, its map ${taken} and ${summary}`, slab);
    }
    return taken;
  }

  if (slabs.size !== words.load(AT_SLABS))
    report('counts', `${words.load(AT_SLABS)} slabs counted, ${slabs.size} found`, undefined, AT_SLABS);
  const live = shape.mapWords === 0 ? [...slabs.values()].reduce((sum, objects) => sum + objects, 0) : 0;
  if (live !== words.load(AT_LIVE)) report('counts', `${words.load(AT_LIVE)} objects counted, ${live} found`, undefined, AT_LIVE);
  const listed = new Set<number>();
  let previous = -1;
  for (let slab = words.load(AT_ROOM) - 1; slab >= 0; slab = descriptors.next(slab)) {
    const objects = slabs.get(slab);
    if (objects === undefined || objects === shape.capacity || listed.has(slab)) {
      report(
        'lists',
        `the list of slabs with room leads to page ${slab}`,
        previous < 0 ? undefined : previous,
        previous < 0 ? AT_ROOM : undefined,
      );
      break;
    }
    if (previous >= 0 && descriptors.previous(slab) !== previous)
      report('lists', `slab ${slab} links back to ${descriptors.previous(slab)}`, slab);
    listed.add(slab);
    previous = slab;
  }
  const spare = words.load(AT_SPARE) - 1;
  if (spare >= 0 && (slabs.get(spare) !== 0 || listed.has(spare))) {
    report('spare', `the spare slab is page ${spare}, which is no slab, not empty, or in the list`, undefined, AT_SPARE);
  }
  for (const [slab, objects] of slabs) {
    if (objects < shape.capacity && !listed.has(slab) && slab !== spare) report('lists', `slab ${slab} has room and is in no list`, slab);
  }
  return found;
};
