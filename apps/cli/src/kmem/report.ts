import { fragmentation } from '@tablewalk/alloc/guest';
import type { BootEvent, BootStep, Costs, Kernel } from '@tablewalk/kmem';
import { buddyInfo, extFrag, slabInfo } from '@tablewalk/kmem';
import type { ModelCounters } from '../memory-models.js';
import { describeDescriptor } from './walk-text.js';

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;

const eventLines = (events: readonly BootEvent[]): string[] => {
  const lines: string[] = [];
  let operations: string[] = [];
  /** The last maintenance operation and how often it came: set and way loops are thousands. */
  let repeated = { name: '', count: 0 };
  const flush = (): void => {
    if (operations.length > 0) lines.push(operations.join('; '));
    operations = [];
  };
  for (const event of events) {
    if (event.kind === 'maintenance' && event.name === repeated.name && operations.length > 0) {
      repeated.count++;
      operations[operations.length - 1] = `${event.name}, ${repeated.count} times`;
      continue;
    }
    repeated = { name: event.kind === 'maintenance' ? event.name : '', count: 1 };
    if (event.kind === 'barrier') operations.push(event.name);
    else if (event.kind === 'maintenance') operations.push(event.operand === 0 ? event.name : `${event.name} ${hex(event.operand)}`);
    else {
      flush();
      if (event.kind === 'register') lines.push(`${event.name.padEnd(10)} = ${hex(event.value)}`);
      else if (event.kind === 'note') lines.push(event.text);
      else {
        const { what, address, count, first, last, va } = event;
        const range = count === 1 ? hex(first) : `${hex(first)} ... ${hex(last)}`;
        lines.push(
          `${count} ${count === 1 ? what.replace(/s$/, '') : what} at ${hex(address)}${va === undefined ? '' : `, for ${hex(va)} on`}: ${range}`,
        );
        if (first !== 0) lines.push(`  ${describeDescriptor(what, first)}`);
      }
    }
  }
  flush();
  return lines;
};

/** The steps of the boot with what each wrote. */
export const bootLines = (steps: readonly BootStep[], bold: (text: string) => string): string[] =>
  steps.flatMap(({ number, title, events, instructions }) => [
    `${bold(`${number}. ${title}`)}  (${instructions} instructions)`,
    ...eventLines(events).map((line) => `     ${line}`),
  ]);

/** State of the allocators in guest memory. */
export const allocatorLines = (kernel: Kernel): string[] => {
  const { kernalloc, virtual, vmm } = kernel.inspect();
  const lines: string[] = [];
  for (const [name, allocator] of [
    ['kernalloc', kernalloc],
    ['kern_virt_allocator', virtual],
    ['vmm', vmm],
  ] as const) {
    if (allocator === undefined) continue;
    const { pageCount, freePages, freeRuns, largestFreeRun } = allocator.stats();
    lines.push(
      `${name} (${allocator.name}): ${freePages} of ${pageCount} pages free, in ${freeRuns} runs, the largest of ${largestFreeRun}`,
    );
  }
  const free = fragmentation(kernalloc);
  lines.push('free blocks of kernalloc by order 0 to 10, then the unusable and the fragmentation index', buddyInfo('Normal', free));
  lines.push(...extFrag('Normal', free));
  const cache = kernel.programs.taskCache;
  if (cache !== undefined) lines.push(...kernel.call(() => slabInfo([cache])));
  return lines;
};

const costNames: Readonly<Record<keyof Costs, string>> = {
  instructions: 'instructions',
  walks: 'table walks',
  descriptorsRead: 'descriptors read',
  tlbMaintenance: 'TLB maintenance',
  cacheMaintenance: 'cache maintenance',
  branchPredictorMaintenance: 'branch predictor maintenance',
  barriers: 'barriers',
  exceptions: 'exceptions',
};

/** One column of the table of costs. */
export interface CostColumn {
  readonly name: string;
  readonly costs: Costs;
  /** What the TLB and cache models counted meanwhile. */
  readonly models: readonly ModelCounters[];
}

/** Costs side by side. Of the models' counters those that are 0 throughout are left out. */
export const costLines = (columns: readonly CostColumn[]): string[] => {
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(34)}${cells.map((cell) => String(cell).padStart(14)).join('')}`;
  const lines = [
    line(
      '',
      columns.map(({ name }) => name),
    ),
    ...(Object.keys(costNames) as (keyof Costs)[]).map((name) =>
      line(
        costNames[name],
        columns.map(({ costs }) => costs[name]),
      ),
    ),
  ];
  columns[0]!.models.forEach(({ heading, counters }, i) => {
    const rows = Object.keys(counters).map((name) => ({ name, cells: columns.map(({ models }) => models[i]!.counters[name] ?? 0) }));
    const used = rows.filter(({ cells }) => cells.some((cell) => cell !== 0));
    if (used.length > 0) lines.push(heading, ...used.map(({ name, cells }) => line(`  ${name}`, cells)));
  });
  return lines;
};
