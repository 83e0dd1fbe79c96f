import { FLAT_FETCH_CACHED } from './attributes.js';
import { TLB_ENTRY_GLOBAL, TLB_ENTRY_VALID, TLB_ENTRY_WORDS, type Tlb, type TlbEvictionSink } from './contracts/tlb.js';

const REGIONS = 256;
const REGION_LOG2 = 24;
/** AP[2:0]: whoever asks may read and write. */
const FULL_ACCESS = 3;

/**
 * Fills a TLB with what cells may hold that nobody wrote: global supersections that lead from every 16 MB of the address space anywhere. A small TLB keeps
 * those that come last, so they come in bit-reversed order, which leaves it with regions from all over the address space.
 */
export function fillUnknownTlb(tlb: Tlb, random: () => number, sink: TlbEvictionSink): void {
  const entry = new Uint32Array(TLB_ENTRY_WORDS);
  for (let n = REGIONS - 1; n >= 0; n--) {
    let region = 0;
    for (let bit = 0; bit < 8; bit++) region |= ((n >>> bit) & 1) << (7 - bit);
    entry[0] = (region << REGION_LOG2) >>> 0;
    entry[1] = (TLB_ENTRY_VALID | TLB_ENTRY_GLOBAL | REGION_LOG2 | (1 << 17)) >>> 0;
    entry[2] = (random() & 0xff000000) >>> 0;
    entry[4] = FULL_ACCESS;
    entry[5] = FLAT_FETCH_CACHED;
    tlb.insert(entry, true, sink);
    tlb.insert(entry, false, sink);
  }
  tlb.resetStats();
}
