import type { CachePlace, GuestMemory, MissPath } from '@tablewalk/machine';
import { ACCESS_READ } from '@tablewalk/machine';
import { attributeInner, attributeOuter } from '../attributes.js';
import type { Cache, CacheHierarchy } from '../contracts/cache.js';
import { SetAssociativeCache } from '../models/set-associative-cache.js';
import type { CoherencyMap } from './coherency-map.js';
import { L1_DIRTY, L1_STALE } from './line-views.js';

/** Whole words of eight bytes: a tag has one, and whether it is dirty has a byte. */
const bytesOf = (cache: Cache | null): number =>
  cache instanceof SetAssociativeCache ? 8 * cache.tags.length + Math.ceil(cache.tags.length / 8) * 8 : 0;

/** Bytes that {@link missPath} may need in the memory. */
export const missPathBytes = ({ data, unified }: CacheHierarchy): number => bytesOf(data) + bytesOf(unified);

const isWriteBack = (policy: number): boolean => (policy & 1) !== 0;

/** Moves a cache's lines into the memory. */
const place = (cache: SetAssociativeCache, memory: GuestMemory, at: number): CachePlace => {
  const { length } = cache.tags;
  cache.placeLines(new Float64Array(memory.buffer, at, length), new Uint8Array(memory.buffer, at + 8 * length, length));
  return { tags: at, setMask: cache.setMask, wayCount: cache.wayCount };
};

/** How code does the loads by itself that `PlainLevels` does when the L1 gives up a clean line, or none. `at` is a multiple of 8. */
export const missPath = (coherency: CoherencyMap, memory: GuestMemory, at: number): MissPath | undefined => {
  const ram = memory.regions.find((region) => region.writable);
  if (coherency.plain === undefined || ram === undefined) return undefined;
  const { l1, l2 } = coherency.plain;
  const { counts, lineSizeLog2 } = coherency;
  if (l1.policy.hitsChange !== 'way' || l1.wayCount !== 2 || (l2 !== null && l2.policy.hitsChange !== 'nothing')) return undefined;
  const first = place(l1, memory, at);
  const inLines = (bytes: number): number => bytes / 2 ** lineSizeLog2;
  return {
    firstLine: inLines(ram.base),
    hostLine: inLines(ram.hostOffset),
    lineCount: inLines(ram.byteLength),
    shadow: coherency.shadow.byteOffset,
    givenUp: L1_DIRTY | L1_STALE,
    loaded: L1_STALE,
    first,
    dirty: first.tags + 8 * l1.tags.length,
    virtuallyIndexed: l1.virtuallyIndexed,
    second: l2 === null ? undefined : place(l2, memory, at + bytesOf(l1)),
    applies: (host, attributes) =>
      host >= ram.hostOffset &&
      host - ram.hostOffset < ram.byteLength &&
      coherency.classOf(attributes) === 2 &&
      isWriteBack(attributeInner(attributes)) &&
      (l2 === null || isWriteBack(attributeOuter(attributes))),
    count: (found, missed, evictions) => {
      l1.counters.reads += found + missed;
      l1.counters.readMisses += missed;
      l1.counters.evictions += evictions;
      if (l2 !== null) l2.counters.reads += missed;
      counts[ACCESS_READ * 4 + 1]! += found;
      counts[ACCESS_READ * 4 + (l2 === null ? 3 : 2)]! += missed;
    },
  };
};
