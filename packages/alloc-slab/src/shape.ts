import { AllocError, checkGeometry, type Geometry, type ObjectKind } from '@tablewalk/alloc';

export const NAME = 'tablewalk/slab';

/** A slab's map of up to so many places is one word, of its descriptor. */
export const PLACES_IN_DESCRIPTOR = 32;
/** More than so many the descriptor's word could not count and sum up. */
const MOST_PLACES = 512;
const MOST_PAGES = 8;

/** How the pages of one slab are used. */
export interface Shape {
  /** Pages of a slab: 1, 2, 4 or 8. */
  readonly pages: number;
  /** Places for objects in a slab. */
  readonly capacity: number;
  /** Words from one place to the next. */
  readonly placeWords: number;
  /** Words of the map of places at the beginning of the slab; 0 when the map is in the descriptor. */
  readonly mapWords: number;
  /** Words before the first place. */
  readonly headerWords: number;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

export const maxObjectBytes = (pageShift: number): number => MOST_PAGES * 2 ** pageShift;

const shapeOf = (pages: number, pageBytes: number, placeBytes: number, alignBytes: number): Shape => {
  const bytes = pages * pageBytes;
  let capacity = Math.floor(bytes / placeBytes);
  let mapWords = 0;
  let headerBytes = 0;
  if (capacity > PLACES_IN_DESCRIPTOR) {
    // A smaller map may make room for one place more, which needs the larger map: the larger one it is.
    capacity = Math.min(capacity, MOST_PLACES);
    mapWords = Math.ceil(capacity / 32);
    headerBytes = roundUp(4 * mapWords, alignBytes);
    capacity = Math.min(capacity, Math.floor((bytes - headerBytes) / placeBytes));
    mapWords = Math.ceil(capacity / 32);
    if (capacity <= PLACES_IN_DESCRIPTOR) {
      capacity = PLACES_IN_DESCRIPTOR;
      mapWords = 0;
      headerBytes = 0;
    }
  }
  return { pages, capacity, placeWords: placeBytes / 4, mapWords, headerWords: headerBytes / 4 };
};

/**
 * The fewest pages of which no more than an eighth is lost; if none is so good, those that lose the smallest part.
 *
 * @throws AllocError of kind `geometry` or `options`.
 */
export const slabShape = (kind: ObjectKind, geometry: Geometry): Shape => {
  checkGeometry(geometry, NAME);
  const { pageShift, pageCount } = geometry;
  const { objectBytes, alignLog2 = 2 } = kind;
  const pageBytes = 2 ** pageShift;
  if (pageCount * pageBytes > 2 ** 33) {
    throw new AllocError('geometry', NAME, `${pageCount} pages of ${pageBytes} bytes have more than 2^31 words`);
  }
  if (!Number.isInteger(objectBytes) || objectBytes < 1 || objectBytes > maxObjectBytes(pageShift)) {
    throw new AllocError('options', NAME, `${kind.name}: objectBytes ${objectBytes} is not 1 to ${maxObjectBytes(pageShift)}`);
  }
  if (!Number.isInteger(alignLog2) || alignLog2 < 2 || alignLog2 > pageShift) {
    throw new AllocError('options', NAME, `${kind.name}: alignLog2 ${alignLog2} is not 2 to ${pageShift}`);
  }
  const alignBytes = 2 ** alignLog2;
  const placeBytes = roundUp(Math.max(objectBytes, pageBytes / MOST_PLACES), alignBytes);
  let best: Shape | undefined;
  let bestLoss = 1;
  for (let pages = 1; pages <= MOST_PAGES; pages *= 2) {
    const shape = shapeOf(pages, pageBytes, placeBytes, alignBytes);
    const loss = 1 - (shape.capacity * placeBytes) / (pages * pageBytes);
    if (shape.capacity > 0 && loss < bestLoss) {
      best = shape;
      bestLoss = loss;
    }
    if (bestLoss <= 1 / 8) break;
  }
  if (best === undefined) throw new AllocError('options', NAME, `${kind.name}: no slab holds an object of ${objectBytes} bytes`);
  return best;
};
