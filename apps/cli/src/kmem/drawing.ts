import type { Kernel } from '@tablewalk/kmem';
import { regionsOf } from '@tablewalk/kmem';
import type { Vmsav7, WalkExplanation } from '@tablewalk/mmu';

const MIB = 0x100000;
const PAGE = 4096;
const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** What a cell of a map stands for: its letter, its colour (an SGR code) and its meaning. */
interface Ink {
  readonly letter: string;
  readonly colour: number;
  readonly meaning: string;
}

const INKS = {
  nothing: { letter: '.', colour: 90, meaning: 'not mapped, or free' },
  section: { letter: 'S', colour: 44, meaning: '1 MB section' },
  page: { letter: 'p', colour: 46, meaning: '4 KB pages' },
  device: { letter: 'd', colour: 45, meaning: 'device' },
  user: { letter: 'u', colour: 42, meaning: 'user' },
  text: { letter: 'T', colour: 41, meaning: 'kernel text' },
  image: { letter: 'I', colour: 43, meaning: 'kernel image' },
  table: { letter: 't', colour: 46, meaning: 'tables and metadata' },
  tree: { letter: 'D', colour: 45, meaning: 'device tree' },
  taken: { letter: '#', colour: 44, meaning: 'taken' },
  outside: { letter: ' ', colour: 90, meaning: 'not kernalloc’s' },
} satisfies Record<string, Ink>;

type InkName = keyof typeof INKS;

/** Rows of cells; each is as wide as its part of memory is long. */
export class Canvas {
  private readonly colour: boolean;
  private readonly used = new Set<InkName>();

  constructor(colour: boolean) {
    this.colour = colour;
  }

  private paint(ink: InkName): string {
    this.used.add(ink);
    const { letter, colour } = INKS[ink];
    return this.colour ? `\x1b[${colour}m${colour === 90 ? letter : ' '}\x1b[0m` : letter;
  }

  rows(start: number, end: number, cellBytes: number, columns: number, inkAt: (start: number, end: number) => InkName): string[] {
    const lines: string[] = [];
    for (let row = start; row < end; row += cellBytes * columns) {
      let line = `  ${hex(row)} `;
      for (let at = row; at < Math.min(end, row + cellBytes * columns); at += cellBytes)
        line += this.paint(inkAt(at, Math.min(end, at + cellBytes)));
      lines.push(line);
    }
    return lines;
  }

  /** What was used, explained. */
  legend(): string {
    return `  ${[...this.used].map((ink) => `${this.paint(ink)} ${INKS[ink].meaning}`).join('   ')}`;
  }
}

const inkOf = (walk: WalkExplanation): InkName => {
  const { mapping } = walk;
  if (mapping === undefined) return 'nothing';
  if (mapping.type !== 'normal') return 'device';
  if (!mapping.global) return 'user';
  if (mapping.sizeLog2 >= 20) return 'section';
  return mapping.rights.includes('x') ? 'text' : 'page';
};

/** The first thing that is mapped in a range of VAs. */
const mapped = (mmu: Vmsav7, start: number, end: number, step: number): InkName => {
  for (let va = start; va < end; va += step) {
    const ink = inkOf(mmu.explainWalk(va));
    if (ink !== 'nothing') return ink;
  }
  return 'nothing';
};

/** The address space to scale, then vmalloc, then the image's megabyte; as the tables in memory are now. */
export const drawVirtual = (kernel: Kernel, canvas: Canvas): string[] => {
  const { mmu } = kernel.machine;
  const { layout } = kernel;
  const image = Math.floor(layout.linkAddress / MIB) * MIB;
  return [
    'the address space, 4 MB a cell',
    ...canvas.rows(0, 2 ** 32, 4 * MIB, 64, (start, end) => mapped(mmu, start, end, MIB)),
    'vmalloc, 128 KB a cell',
    ...canvas.rows(layout.vmallocStart, 2 ** 32, 32 * PAGE, 64, (start, end) => mapped(mmu, start, end, PAGE)),
    'the megabyte where the image begins, 4 KB a cell',
    ...canvas.rows(image, image + MIB, PAGE, 64, (start, end) => mapped(mmu, start, end, PAGE)),
  ];
};

/** RAM to scale. */
export const drawPhysical = (kernel: Kernel, canvas: Canvas): string[] => {
  const { bootRecord: boot, layout } = kernel;
  const ramBytes = boot.ramEnd - layout.ramBase;
  // Whole pages; at most 16 rows of 64.
  const cell = Math.max(PAGE, 2 ** Math.ceil(Math.log2(ramBytes / 1024)));
  const taken: [number, number][] = [];
  kernel.inspect().kernalloc.forEachRun((start, pages, free) => {
    if (!free) taken.push([start * PAGE, (start + pages) * PAGE]);
  });
  const inkAt = (start: number, end: number): InkName => {
    const inside = boot.reserved.find((range) => range.start < end && range.end > start);
    if (inside !== undefined) return inside.name === 'kernel image' ? 'image' : inside.name === 'device tree' ? 'tree' : 'table';
    if (taken.some(([from, to]) => from < end && to > start)) return 'taken';
    return end <= boot.imageEnd || start >= boot.mappedEnd ? 'outside' : 'nothing';
  };
  return [`RAM, ${cell / 1024} KB a cell`, ...canvas.rows(layout.ramBase, boot.ramEnd, cell, 64, inkAt)];
};

/** The table of regions, with what of each is mapped. */
export const regionTable = (kernel: Kernel): string[] => {
  const spaced = (value: number): string =>
    `0x${value
      .toString(16)
      .padStart(8, '0')
      .replace(/^(.{4})/, '$1 ')}`;
  const lines: string[] = [];
  for (const { name, start, end, table } of regionsOf(kernel.layout)) {
    if (start === kernel.layout.split) lines.push(`  ${'-'.repeat(25)}  TTBR0 above, TTBR1 below (TTBCR.N = ${kernel.layout.ttbcrN})`);
    lines.push(`  ${spaced(start)} - ${spaced(end - 1)}  ${table}  ${name}`);
  }
  return lines;
};
