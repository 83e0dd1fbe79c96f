import type { GuestMemory, HitPath, HitPaths } from '@tablewalk/machine';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine';
import type { CoherencyMap } from './coherency/coherency-map.js';
import { missPath, missPathBytes } from './coherency/miss-path.js';
import type { Cache, CacheHierarchy, CacheHits, Tlb, TlbHits } from './contracts/index.js';
import type { Vmsav7 } from './vmsav7.js';

/** Lines are 32 bytes and more: there is a bit for each of a page. */
const findsHits = (cache: Cache | null): boolean => cache?.hits !== undefined && cache.lineSizeLog2 >= 5;

/** Whether code can find the hits of these models by itself: {@link hitPaths} makes what it needs. */
export const hasHitPaths = (tlb: Tlb, caches: CacheHierarchy): boolean =>
  tlb.hits !== undefined && findsHits(caches.data) && findsHits(caches.instruction);

/** Whole words. */
const pairBytes = (cache: Cache | null): number => 4 * Math.ceil((cache?.hits?.pairCount ?? 0) / 2);

/** Bytes that {@link hitPaths} needs in the memory's tail, `room` among them. */
export const hitPathBytes = (caches: CacheHierarchy, room: number): number =>
  8 + room + 8 + missPathBytes(caches) + pairBytes(caches.data) + pairBytes(caches.instruction);

/** Models that have what {@link hasHitPaths} asks for, and the memory system that asks them. */
export interface HitPathParts {
  readonly memory: GuestMemory;
  /** Offset in `memory` of {@link hitPathBytes} that nothing else uses. */
  readonly offset: number;
  /** Bytes of {@link HitPaths.room}. */
  readonly room: number;
  readonly mmu: Vmsav7;
  readonly coherency: CoherencyMap;
  readonly tlb: Tlb;
}

/** What code asks, once, to know which of its accesses hit: those to RAM, through the caches. */
export const hitPaths = ({ memory, offset, room: roomBytes, mmu, coherency, tlb }: HitPathParts): HitPaths => {
  const { caches } = coherency;
  const ram = memory.regions.find((region) => region.writable)!;
  const room = Math.ceil(offset / 8) * 8;
  const lines = Math.ceil((room + roomBytes) / 8) * 8;
  const misses = missPath(coherency, memory, lines);
  let at = lines + missPathBytes(caches);
  const path = (cache: CacheHits, lineSizeLog2: number, looks: TlbHits, isFetch: boolean): HitPath => {
    const { pairCount } = cache;
    const pairs = pairCount === 0 ? -1 : at;
    if (pairCount > 0) cache.placePairs(new Uint16Array(memory.buffer, at, pairCount));
    at += 4 * Math.ceil(pairCount / 2);
    const { counts } = coherency;
    const isRam = (host: number): boolean => host >= ram.hostOffset && host - ram.hostOffset < ram.byteLength;
    const paOf = (host: number): number => host - ram.hostOffset + ram.base;
    return {
      lineSizeLog2,
      pairs,
      translationAt: (va) => (mmu.enabled ? looks.entryAt(va, mmu.asid) : -1),
      lineAt: (va, host, attributes) => (isRam(host) && coherency.isHeldInFirst(attributes, isFetch) ? cache.lineAt(va, paOf(host)) : -1),
      access: (va, host, isStore, attributes) => {
        const line = coherency.noteData(va, host, isStore ? ACCESS_WRITE : ACCESS_READ, attributes);
        if (line >= 0) return line;
        if (!isRam(host) || !coherency.isHeldInFirst(attributes, isFetch)) return -1;
        return isStore && !cache.isDirty(va, paOf(host)) ? -1 : cache.lineAt(va, paOf(host));
      },
      hit: (reads, writes, count, last) => {
        cache.hit(reads, writes);
        looks.hit(count, last);
        counts[(isFetch ? ACCESS_FETCH : ACCESS_READ) * 4 + 1]! += reads;
        if (writes > 0) counts[ACCESS_WRITE * 4 + 1]! += writes;
      },
      look: (translation) => looks.hit(1, translation),
      connect: (port) => {
        cache.listener = port;
        looks.listeners.push((va, sizeLog2) => port.translationsChanged(va, sizeLog2));
      },
    };
  };
  const { data, instruction } = caches;
  const { hits } = tlb;
  if (hits === undefined || data?.hits === undefined || instruction?.hits === undefined)
    throw new TypeError(`[mmu] [${caches.name}] has no hits for code to find`);
  return {
    data: { ...path(data.hits, data.lineSizeLog2, hits.data, false), ...(misses && { misses }) },
    fetch: path(instruction.hits, instruction.lineSizeLog2, hits.instruction, true),
    room,
  };
};
