// A TLB with a victim buffer: 16 direct-mapped entries for 4 KB pages, and behind them 8 that hold what those lost and all larger mappings,
// first in, first out. A hit in the buffer does not move back. Written from the contract's documentation.
import { TLB_CONTRACT, TLB_ENTRY_GLOBAL, TLB_ENTRY_LOCKED, TLB_ENTRY_VALID, TLB_ENTRY_WORDS as WORDS } from '@tablewalk/mmu';

const DIRECT = 16;
const BUFFER = 8;

/** `forgetful`: an entry that leaves the buffer is not reported. For showing that the kit notices. */
export default function victimBufferTlb({ forgetful = false } = {}) {
  const arena = new Uint32Array((DIRECT + BUFFER) * WORDS);
  let turn = 0;
  let counts = { hits: 0, 'buffer hits': 0, misses: 0 };

  const offsets = Array.from({ length: DIRECT + BUFFER }, (_, i) => i * WORDS);
  const isValid = (o) => arena[o + 1] >= TLB_ENTRY_VALID;
  const sizeOf = (o) => arena[o + 1] & 0xff;
  const isGlobal = (o) => (arena[o + 1] & TLB_ENTRY_GLOBAL) !== 0;
  const asidOf = (o) => (arena[o + 1] >>> 8) & 0xff;
  const covers = (o, va) => isValid(o) && (arena[o] ^ va) >>> sizeOf(o) === 0;
  const translates = (o, va, asid) => covers(o, va) && (isGlobal(o) || asidOf(o) === asid);
  const directOffset = (va) => ((va >>> 12) % DIRECT) * WORDS;
  const bufferOffset = (i) => (DIRECT + i) * WORDS;

  const give = (o, sink) => {
    sink.evicted(arena, o);
    arena.fill(0, o, o + WORDS);
  };
  const giveAll = (unwanted, sink) => {
    for (const o of offsets) if (isValid(o) && unwanted(o)) give(o, sink);
  };
  /** Makes room in the buffer and returns where. */
  const room = (sink) => {
    for (let i = 0; i < BUFFER; i++) if (!isValid(bufferOffset(i))) return bufferOffset(i);
    const o = bufferOffset(turn);
    turn = (turn + 1) % BUFFER;
    if (!forgetful) sink.evicted(arena, o);
    return o;
  };

  return {
    name: 'victim-buffer',
    contract: TLB_CONTRACT,
    replacement: 'fifo',
    arena,
    lookup(va, asid) {
      const direct = directOffset(va);
      if (translates(direct, va, asid)) {
        counts.hits++;
        return direct;
      }
      for (let i = 0; i < BUFFER; i++) {
        if (!translates(bufferOffset(i), va, asid)) continue;
        counts['buffer hits']++;
        return bufferOffset(i);
      }
      counts.misses++;
      return -1;
    },
    insert(entry, _fetch, sink) {
      const key = (o) => arena[o] === entry[0] && sizeOf(o) === (entry[1] & 0xff);
      const space = (o) => ((arena[o + 1] ^ entry[1]) & (0xff00 | TLB_ENTRY_GLOBAL)) === 0;
      giveAll((o) => key(o) && space(o), sink);
      let o = directOffset(entry[0]);
      if ((entry[1] & 0xff) !== 12) o = room(sink);
      else if (isValid(o)) arena.copyWithin(room(sink), o, o + WORDS);
      arena.set(entry, o);
      arena[o + 1] &= ~TLB_ENTRY_LOCKED;
    },
    invalidateAll: (_side, sink) => giveAll(() => true, sink),
    invalidateMva: (va, asid, _side, sink) => giveAll((o) => translates(o, va, asid), sink),
    invalidateAsid: (asid, _side, sink) => giveAll((o) => !isGlobal(o) && asidOf(o) === asid, sink),
    invalidateMvaAllAsid: (va, _side, sink) => giveAll((o) => covers(o, va), sink),
    evictOne(random, sink) {
      const held = offsets.filter(isValid);
      if (held.length > 0) give(held[random % held.length], sink);
      return held.length > 0;
    },
    reset(sink) {
      giveAll(() => true, sink);
      turn = 0;
      this.resetStats();
    },
    entries: () => offsets.filter(isValid),
    stats: () => ({ ...counts }),
    resetStats() {
      counts = { hits: 0, 'buffer hits': 0, misses: 0 };
    },
    snapshot: () => ({ schema: 'a-third-party-tlb', version: 1, data: { arena: arena.slice(), turn } }),
    restore({ schema, version, data }) {
      if (schema !== 'a-third-party-tlb' || version !== 1) throw new Error(`cannot restore ${schema} version ${version}`);
      arena.set(data.arena);
      turn = data.turn;
    },
  };
}
