import type { CachePlace, GuestMemory, MissPath } from '@tablewalk/machine';
import { ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine';
import { attributeInner, attributeOuter } from '../attributes.js';
import type { Cache, CacheHierarchy } from '../contracts/cache.js';
import { SetAssociativeCache } from '../models/set-associative-cache.js';
import type { CoherencyMap } from './coherency-map.js';
import { ABSENT, DIFFERS, L1_DIRTY, L1_STALE, L2_DIRTY, L2_STALE } from './line-views.js';

/** Whole words of eight bytes: a tag has one, and whether it is dirty has a byte. */
const bytesOf = (cache: Cache | null): number =>
  cache instanceof SetAssociativeCache ? 8 * cache.tags.length + Math.ceil(cache.tags.length / 8) * 8 : 0;

/** Bytes that {@link missPath} may need in the memory. */
export const missPathBytes = ({ data, unified }: CacheHierarchy): number => bytesOf(data) + bytesOf(unified);

const WRITE_BACK_ALLOCATE = 1;
const isWriteBack = (policy: number): boolean => (policy & 1) !== 0;

/** Moves a cache's lines into the memory. */
const place = (cache: SetAssociativeCache, memory: GuestMemory, at: number): CachePlace => {
  const { length } = cache.tags;
  cache.placeLines(new Float64Array(memory.buffer, at, length), new Uint8Array(memory.buffer, at + 8 * length, length));
  return { tags: at, dirty: at + 8 * length, setMask: cache.setMask, wayCount: cache.wayCount };
};

/** How code does the accesses by itself that `PlainLevels` does when the L1 gives up no line but one that the L2 has. `at` is a multiple of 8. */
export const missPath = (coherency: CoherencyMap, memory: GuestMemory, at: number): MissPath | undefined => {
  const ram = memory.regions.find((region) => region.writable);
  if (coherency.plain === undefined || ram === undefined) return undefined;
  const { l1, l2 } = coherency.plain;
  const { counts, lineSizeLog2, views } = coherency;
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
    virtuallyIndexed: l1.virtuallyIndexed,
    second: l2 === null ? undefined : place(l2, memory, at + bytesOf(l1)),
    views: views.twoLevels
      ? {
          slots: views.slotOf.byteOffset,
          lower: views.lower,
          codePages: coherency.codePages.byteOffset,
          dirty: L1_DIRTY,
          dirtyBelow: L2_DIRTY,
          differs: DIFFERS,
          endedByStore: L1_STALE | ABSENT,
          endedByWriteBack: L1_DIRTY | L1_STALE | L2_STALE,
        }
      : undefined,
    applies: (host, attributes, isStore) =>
      views.lower >= 0 &&
      host >= ram.hostOffset &&
      host - ram.hostOffset < ram.byteLength &&
      coherency.classOf(attributes) === 2 &&
      (isStore ? l1.writeAllocate && attributeInner(attributes) === WRITE_BACK_ALLOCATE : isWriteBack(attributeInner(attributes))) &&
      (l2 === null || isWriteBack(attributeOuter(attributes))),
    count: ({ loadsFound, loadsMissed, storesFound, storesMissed, evictions, writeBacks }) => {
      const below = l2 === null ? 3 : 2;
      l1.counters.reads += loadsFound + loadsMissed;
      l1.counters.readMisses += loadsMissed;
      l1.counters.writes += storesFound + storesMissed;
      l1.counters.writeMisses += storesMissed;
      l1.counters.evictions += evictions;
      l1.counters.writeBacks += writeBacks;
      if (l2 !== null) {
        l2.counters.reads += loadsMissed + storesMissed;
        l2.counters.writes += writeBacks;
      }
      counts[ACCESS_READ * 4 + 1]! += loadsFound;
      counts[ACCESS_READ * 4 + below]! += loadsMissed;
      counts[ACCESS_WRITE * 4 + 1]! += storesFound;
      counts[ACCESS_WRITE * 4 + below]! += storesMissed;
    },
  };
};
