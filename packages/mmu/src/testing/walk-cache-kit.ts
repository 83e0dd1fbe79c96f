import { TLB_ENTRY_VALID, TLB_ENTRY_WORDS, TLB_SIDE_BOTH, type Tlb, type WalkCache } from '../contracts/tlb.js';
import { type ConformanceCase, check, cloned, same } from './conformance.js';
import { ReportLog } from './tlb-trace.js';

function tableEntry(va: number, sizeLog2: number, asid: number, level: number, table: number): Uint32Array {
  const entry = new Uint32Array(TLB_ENTRY_WORDS);
  entry[0] = va;
  entry[1] = (TLB_ENTRY_VALID | sizeLog2 | (asid << 8) | (level << 17)) >>> 0;
  entry[2] = table;
  entry[4] = 0x20;
  entry[6] = 0x4000 + (va >>> 18);
  return entry;
}

/** Cases for the walk cache of a TLB that has one. */
export function walkCacheCases(make: () => Tlb): ConformanceCase[] {
  const made = (): { tlb: Tlb; walks: WalkCache; sink: ReportLog } => {
    const tlb = make();
    return { tlb, walks: tlb.walks as WalkCache, sink: new ReportLog() };
  };
  const table = (walks: WalkCache, va: number, asid: number): number => {
    const o = walks.lookup(va, asid);
    return o < 0 ? -1 : walks.arena[o + 2];
  };
  return [
    {
      name: 'walk cache: a table is found in its range and address space, the nearest first',
      run() {
        const { tlb, walks } = made();
        walks.insert(tableEntry(0x40000000, 30, 7, 1, 0x8000));
        walks.insert(tableEntry(0x40200000, 21, 7, 2, 0x9000));
        same(table(walks, 0x40200000, 7), 0x9000, 'table of a VA in both ranges');
        same(table(walks, 0x403fffff, 7), 0x9000, 'table at the end of the range');
        same(table(walks, 0x40400000, 7), 0x8000, 'table of a VA in the larger range');
        same(table(walks, 0x3fffffff, 7), -1, 'table of a VA in neither');
        same(table(walks, 0x40200000, 8), -1, 'table in another ASID');
        same([...tlb.entries()], [], 'translations of a TLB that holds tables only');
        same([...walks.entries()].length, 2, 'entries');
        walks.insert(tableEntry(0x40200000, 21, 7, 2, 0xa000));
        same(table(walks, 0x40200000, 7), 0xa000, 'table that was inserted again');
        same([...walks.entries()].length, 2, 'entries after one was inserted again');
      },
    },
    {
      name: 'walk cache: the TLB’s maintenance covers it, never as global',
      run() {
        for (const [name, operation, taken] of [
          ['invalidateAll', (t: Tlb, s: ReportLog) => t.invalidateAll(TLB_SIDE_BOTH, s), true],
          ['invalidateMva of its ASID', (t: Tlb, s: ReportLog) => t.invalidateMva(0x40345000, 7, TLB_SIDE_BOTH, s), true],
          ['invalidateMva of another ASID', (t: Tlb, s: ReportLog) => t.invalidateMva(0x40345000, 8, TLB_SIDE_BOTH, s), false],
          ['invalidateMva of another VA', (t: Tlb, s: ReportLog) => t.invalidateMva(0x40400000, 7, TLB_SIDE_BOTH, s), false],
          ['invalidateMvaAllAsid', (t: Tlb, s: ReportLog) => t.invalidateMvaAllAsid(0x40345000, TLB_SIDE_BOTH, s), true],
          ['invalidateAsid', (t: Tlb, s: ReportLog) => t.invalidateAsid(7, TLB_SIDE_BOTH, s), true],
          ['invalidateAsid of another', (t: Tlb, s: ReportLog) => t.invalidateAsid(8, TLB_SIDE_BOTH, s), false],
          ['reset', (t: Tlb, s: ReportLog) => t.reset(s), true],
        ] as const) {
          const { tlb, walks, sink } = made();
          walks.insert(tableEntry(0x40300000, 20, 7, 1, 0x8000));
          operation(tlb, sink);
          same(table(walks, 0x40345678, 7), taken ? -1 : 0x8000, `table after ${name}`);
        }
      },
    },
    {
      name: 'walk cache: it is part of the snapshot, and evictOne takes from it',
      run() {
        const { tlb, walks, sink } = made();
        walks.insert(tableEntry(0x40300000, 20, 7, 1, 0x8000));
        const saved = cloned(tlb.snapshot());
        check(tlb.evictOne(5, sink), 'evictOne finds nothing in a TLB that holds a table');
        same(table(walks, 0x40300000, 7), -1, 'table after evictOne');
        const other = make();
        other.restore(saved);
        same(table(other.walks as WalkCache, 0x40300000, 7), 0x8000, 'table after restore');
      },
    },
  ];
}
