import { Disassembler } from '@tablewalk/arm-core';
import type { RegionEntry } from '@tablewalk/engine';
import type { ConsoleStream, GuestMemory } from '@tablewalk/machine';
import type { VirtMachine } from './virt-machine.js';

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

/** Pages that a report names. */
const PAGES_NAMED = 8;
/** Instructions that a report lists, and where there is no region those on each side of PC. */
const LISTED = 200;
const AROUND = 8;

/** Pages of RAM that are not the same, each by its first word that is not. */
export const memoryDifferences = (a: GuestMemory, b: GuestMemory): readonly string[] => {
  const lines: string[] = [];
  const x = a.i32;
  const y = b.i32;
  let pages = 0;
  for (const region of a.regions.filter(({ writable }) => writable)) {
    for (const memory of [a, b]) memory.arrive(region.hostOffset, region.byteLength);
    for (let at = 0; at < region.byteLength; at += 4096) {
      const first = (region.hostOffset + at) >>> 2;
      const end = first + (Math.min(4096, region.byteLength - at) >>> 2);
      let i = first;
      while (i < end && x[i] === y[i]) i++;
      if (i === end) continue;
      pages++;
      if (pages > PAGES_NAMED) continue;
      const pa = region.base + at;
      lines.push(
        `memory page 0x${hex(pa)}: first at 0x${hex(pa + 4 * (i - first))}, interpreter 0x${hex(x[i]!)}, translator 0x${hex(y[i]!)}`,
      );
    }
  }
  if (pages > PAGES_NAMED) lines.push(`memory: ${pages - PAGES_NAMED} more pages`);
  return lines;
};

/** Consoles by what they printed. */
export const consoleDifference = (a: ConsoleStream, b: ConsoleStream): readonly string[] => {
  if (a.byteCount !== b.byteCount) return [`console: interpreter ${a.byteCount} bytes, translator ${b.byteCount}`];
  return a.tail() === b.tail() ? [] : ['console: other bytes'];
};

/** A region that was executed: VA where it was entered, and the entry. */
export interface ListedRegion {
  readonly from: number;
  readonly entry: RegionEntry;
}

/** The code of a region, or around `pc` when there is none, with `>` where it was entered and `<` before the next instruction. */
export const listing = (machine: VirtMachine, pc: number, region: ListedRegion | undefined): readonly string[] => {
  const source = region?.entry.region.source;
  const thumb = source?.thumb ?? machine.cpu.core.thumb;
  const page = region === undefined ? 0 : region.from - region.entry.offset;
  const around: readonly [number, number] = [Math.max(pc - 4 * AROUND, 0), pc + 4 * AROUND];
  const blocks = source === undefined ? [around] : source.blocks.map(([first, end]) => [page + first, page + end] as const);
  const lines = [source === undefined ? 'the code around it:' : `the region entered at 0x${hex(region!.from)}:`];
  const disassembler = new Disassembler();
  for (const [first, end] of [...blocks].sort((x, y) => x[0] - y[0])) {
    for (let at = first; at < end; ) {
      if (lines.length > LISTED) return [...lines, '  ...'];
      const low = halfword(machine, at);
      const high = halfword(machine, at + 2) ?? 0;
      if (low === undefined) {
        lines.push(`  ${hex(at)}:  cannot be read`);
        break;
      }
      const word = thumb ? (low < 0xe800 ? low : ((low << 16) | high) >>> 0) : ((high << 16) | low) >>> 0;
      const { text, size } = disassembler.disassemble(word, { thumb, address: at >>> 0 });
      lines.push(`${at === region?.from ? '>' : ' '}${at === pc ? '<' : ' '} ${hex(at)}:  ${hex(word, 2 * size).padEnd(8)}  ${text}`);
      at += size;
    }
  }
  return lines;
};

const halfword = (machine: VirtMachine, va: number): number | undefined => {
  const pa = machine.translate(va);
  const bytes = pa === undefined ? undefined : machine.readMemory(pa, 2);
  return bytes && bytes[0]! | (bytes[1]! << 8);
};
