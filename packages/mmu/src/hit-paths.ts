import type { GuestMemory, HitPath, HitPaths } from '@tablewalk/machine';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine';
import type { CoherencyMap } from './coherency/coherency-map.js';
import type { Cache, CacheHierarchy, CacheHits, Tlb, TlbHits } from './contracts/index.js';
import type { Vmsav7 } from './vmsav7.js';

/** An entry of a line takes 16 bytes of a table. */
const findsHits = (cache: Cache | null): boolean => cache?.hits !== undefined && cache.lineSizeLog2 >= 4;

/** Whether code can find the hits of these models by itself: {@link hitPaths} makes what it needs. */
export const hasHitPaths = (tlb: Tlb, caches: CacheHierarchy): boolean =>
  tlb.hits !== undefined && findsHits(caches.data) && findsHits(caches.instruction);

const stampsOf = (cache: Cache | null): number => 8 * (cache?.hits?.stampCount ?? 0);

/** Bytes that {@link hitPaths} needs in the memory's tail. */
export const hitPathBytes = (caches: CacheHierarchy): number => 8 + stampsOf(caches.data) + stampsOf(caches.instruction);

/** Models that have what {@link hasHitPaths} asks for, and the memory system that asks them. */
export interface HitPathParts {
  readonly memory: GuestMemory;
  /** Offset in `memory` of {@link hitPathBytes} that nothing else uses. */
  readonly offset: number;
  readonly mmu: Vmsav7;
  readonly coherency: CoherencyMap;
  readonly tlb: Tlb;
}

/** What code asks, once, to know which of its accesses hit: those to RAM, through the caches. */
export const hitPaths = ({ memory, offset, mmu, coherency, tlb }: HitPathParts): HitPaths => {
  const { caches } = coherency;
  const ram = memory.regions.find((region) => region.writable)!;
  let at = Math.ceil(offset / 8) * 8;
  const path = (cache: CacheHits, lineSizeLog2: number, looks: TlbHits, isFetch: boolean): HitPath => {
    const { stampCount } = cache;
    const stamps = stampCount === 0 ? -1 : at;
    if (stampCount > 0) cache.placeStamps(new Float64Array(memory.buffer, at, stampCount));
    at += 8 * stampCount;
    const { counts } = coherency;
    const isRam = (host: number): boolean => host >= ram.hostOffset && host - ram.hostOffset < ram.byteLength;
    const paOf = (host: number): number => host - ram.hostOffset + ram.base;
    return {
      lineSizeLog2,
      stamps,
      find: (va, host, attributes) => {
        if (!isRam(host) || !coherency.isHeldInFirst(attributes, isFetch)) return -1;
        const line = cache.lineAt(va, paOf(host));
        const entry = line < 0 || !mmu.enabled ? -1 : looks.entryAt(va, mmu.asid);
        return entry < 0 ? -1 : (line << 16) | entry;
      },
      isDirty: (va, host) => cache.isDirty(va, paOf(host)),
      get clock() {
        return cache.clock;
      },
      hit: (reads, writes, count, last) => {
        cache.hit(reads, writes);
        looks.hit(count, last);
        counts[(isFetch ? ACCESS_FETCH : ACCESS_READ) * 4 + 1]! += reads;
        if (writes > 0) counts[ACCESS_WRITE * 4 + 1]! += writes;
      },
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
    data: path(data.hits, data.lineSizeLog2, hits.data, false),
    fetch: path(instruction.hits, instruction.lineSizeLog2, hits.instruction, true),
  };
};
