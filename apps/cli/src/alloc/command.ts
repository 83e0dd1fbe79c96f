import { writeFileSync } from 'node:fs';
import type { AllocatorPlugin, ObjectCachePlugin, Trace, Workload } from '@tablewalk/alloc';
import {
  compileWorkload,
  formatTrace,
  kernelWorkload,
  larsonWorkload,
  parseTrace,
  phaseWorkload,
  rampWorkload,
  robsonWorkload,
  traceWorkload,
  uniformWorkload,
} from '@tablewalk/alloc';
import { allocatorKind, objectCacheKind } from '../allocator-kinds.js';
import { readInput } from '../files.js';
import { Output } from '../output.js';
import type { ResolvedPlugin } from '../plugins.js';
import { resolvePlugin } from '../plugins.js';
import { formatTable } from '../table.js';
import { UsageError } from '../usage-error.js';
import { heatLegend, heatMap } from './heat-map.js';
import { ObjectSubject, UNIT_BYTES } from './object-subject.js';
import { ALLOC_HELP, type AllocArguments, parseAlloc } from './options.js';
import { PageSubject } from './page-subject.js';
import type { Costs, Subject } from './subject.js';

/** Lines of a map, and columns where the terminal does not say. */
const MAP_ROWS = 20;
const MAP_COLUMNS = 80;

/** Times that each is measured; the median counts. Not repeated when the first time took so many milliseconds. */
const ROUNDS = 5;
const LONG = 2000;

/** A trace in text is not longer. */
const LARGEST_TRACE = 1 << 30;

const generators = { kernel: kernelWorkload, uniform: uniformWorkload, phase: phaseWorkload, ramp: rampWorkload, larson: larsonWorkload };

const workloadOf = (args: AllocArguments): Workload => {
  if (args.trace !== undefined) {
    const text = Buffer.from(readInput('trace', args.trace, LARGEST_TRACE)).toString('latin1');
    return traceWorkload(parseTrace(text, args.trace));
  }
  const units = args.objectCaches.length > 0 ? (args.pageCount * 4096) / UNIT_BYTES : args.pageCount;
  if (args.workload === 'robson') {
    const maxOrder = Math.min(10, Math.max(0, Math.floor(Math.log2(units)) - 4));
    const livePages = Math.max(2 ** maxOrder, Math.floor((units * args.fullness) / (1 + maxOrder / 2)));
    return robsonWorkload({ livePages: Math.min(livePages, units), maxOrder });
  }
  const make = Object.hasOwn(generators, args.workload!) ? generators[args.workload as keyof typeof generators] : undefined;
  if (make === undefined)
    throw new UsageError(`there is no workload '${args.workload}': there are ${[...Object.keys(generators), 'robson'].join(', ')}`);
  return make({ seed: args.seed, operations: args.operations, pageCount: units, fullness: args.fullness });
};

const subjectsOf = async (args: AllocArguments): Promise<readonly (PageSubject | ObjectSubject)[]> => {
  const allocators: ResolvedPlugin<AllocatorPlugin>[] = [];
  for (const specifier of args.allocators) allocators.push(await resolvePlugin(allocatorKind, specifier));
  const objectCaches: ResolvedPlugin<ObjectCachePlugin>[] = [];
  for (const specifier of args.objectCaches) objectCaches.push(await resolvePlugin(objectCacheKind, specifier));
  if (objectCaches.length === 0) return allocators.map(({ specifier, create }) => new PageSubject(specifier, create(), args.pageCount));
  return objectCaches.flatMap((cache) =>
    allocators.map((allocator) => {
      const label = `${cache.specifier} over ${allocator.specifier}`;
      return new ObjectSubject(label, allocator.create(), cache.create(), args.pageCount);
    }),
  );
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** In turn, so that what disturbs the machine disturbs all of them; medians. */
const timesOf = (subjects: readonly Subject[]): readonly number[] => {
  const times = subjects.map((): number[] => []);
  const slow = new Set<number>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, subject] of subjects.entries()) {
      if (slow.has(index)) continue;
      const start = performance.now();
      times[index]!.push(subject.time(() => performance.now() * 1e6));
      if (performance.now() - start > LONG) slow.add(index);
    }
  return times.map(median);
};

interface Row {
  readonly subject: PageSubject | ObjectSubject;
  readonly nanoseconds: number;
  readonly costs: Costs;
}

const fixed = (value: number, digits = 2): string => value.toFixed(digits);

const pageTable = (rows: readonly (Row & { readonly subject: PageSubject })[], order: number): string =>
  formatTable(
    [
      'allocator',
      'ns/op',
      'accesses',
      'most',
      'refused',
      'had room',
      'span/live',
      'free',
      'runs',
      'largest',
      `unusable@${order}`,
      `index@${order}`,
      `served@${order}`,
    ],
    rows.map(({ subject, nanoseconds, costs }) => {
      const { report, highOrderSuccess } = subject.result!;
      const { freePages, freeRuns, largestFreeRun, fragmentationIndex, unusableFreeIndex } = report.fragmentation;
      return [
        subject.label,
        fixed(nanoseconds, 0),
        fixed(costs.mean, 1),
        String(costs.most),
        String(report.refused),
        String(report.refusedWithFit),
        fixed(report.peakOverLive),
        String(freePages),
        String(freeRuns),
        String(largestFreeRun),
        fixed(unusableFreeIndex[order]!),
        fixed(fragmentationIndex[order]!),
        fixed(highOrderSuccess),
      ];
    }),
  );

const objectTable = (rows: readonly (Row & { readonly subject: ObjectSubject })[]): string =>
  formatTable(
    ['object cache', 'ns/op', 'accesses', 'most', 'refused', 'objects', 'live KiB', 'held KiB', 'peak KiB', 'held/live'],
    rows.map(({ subject, nanoseconds, costs }) => {
      const { refused, liveObjects, liveBytes, heldBytes, peakBytes } = subject.result!;
      return [
        subject.label,
        fixed(nanoseconds, 0),
        fixed(costs.mean, 1),
        String(costs.most),
        String(refused),
        String(liveObjects),
        fixed(liveBytes / 1024, 0),
        fixed(heldBytes / 1024, 0),
        fixed(peakBytes / 1024, 0),
        liveBytes === 0 ? '' : fixed(heldBytes / liveBytes),
      ];
    }),
  );

const heading = (args: AllocArguments, trace: Trace): string => {
  const events = trace.events.length / 3;
  const measured = events - trace.warmup;
  const unit = args.objectCaches.length > 0 ? `, ${UNIT_BYTES} bytes to a page of the workload` : '';
  const from =
    args.trace !== undefined ? `trace ${args.trace}` : `workload ${trace.name}, seed ${args.seed}, ${fixed(100 * args.fullness, 0)} % full`;
  return `${from}: ${args.pageCount} pages, ${trace.warmup} events to fill them, ${measured} operations${unit}\n`;
};

/** As JSON, for scripts: everything the tables and maps show, by name. */
const jsonOf = (args: AllocArguments, trace: Trace, rows: readonly Row[]): string => {
  const results = rows.map(({ subject, nanoseconds, costs }) => {
    const { map, ...result } = subject.result!;
    return {
      label: subject.label,
      name: subject.plugin.name,
      ...(subject instanceof ObjectSubject && { allocator: subject.allocator.name }),
      nanosecondsPerOperation: nanoseconds,
      accessesPerOperation: costs,
      ...result,
      map: map.map(({ label, fullness }) => ({ event: Number(label), fullness })),
    };
  });
  const { trace: file, pageCount, seed, operations, fullness, order } = args;
  const workload = file !== undefined ? { trace: file } : { seed, operations, fullness };
  return `${JSON.stringify({ schema: 'tablewalk/alloc', version: 1, workload: { name: trace.name, warmup: trace.warmup, ...workload }, pageCount, order, results }, null, 2)}\n`;
};

/** `tablewalk alloc`. */
export const alloc = async (argv: readonly string[]): Promise<number> => {
  const args = parseAlloc(argv);
  const output = new Output(1);
  if (args === undefined) {
    output.write(ALLOC_HELP);
    return 0;
  }
  const subjects = await subjectsOf(args);
  const workload = workloadOf(args);
  const isTerminal = process.stdout.isTTY === true;
  const isColoured = isTerminal && !process.env['NO_COLOR'];
  const columns = Math.max(16, (isTerminal ? process.stdout.columns || MAP_COLUMNS : MAP_COLUMNS + 12) - 12);
  for (const subject of subjects) subject.inspect(workload, args.map || args.json ? MAP_ROWS : 0, columns, args.order);
  const trace = workload.adaptive ? subjects[0]!.recorded() : compileWorkload(workload);
  if (args.record !== undefined) {
    try {
      writeFileSync(args.record, formatTrace(trace));
    } catch (error) {
      throw new UsageError(`cannot write the trace ${args.record}: ${(error as Error).message}`, { cause: error });
    }
  }
  const times = timesOf(subjects);
  const rows: Row[] = subjects.map((subject, index) => ({ subject, nanoseconds: times[index]!, costs: subject.count() }));
  if (args.json) {
    output.write(jsonOf(args, trace, rows));
    return 0;
  }
  output.write(`${heading(args, trace)}\n`);
  if (args.objectCaches.length > 0) output.write(objectTable(rows as (Row & { subject: ObjectSubject })[]));
  else output.write(pageTable(rows as (Row & { subject: PageSubject })[], args.order));
  if (args.map) {
    output.write('\n');
    for (const { subject } of rows) output.write(`${heatMap(subject.label, subject.result!.map, isColoured)}\n`);
    output.write(heatLegend(isColoured));
  }
  return 0;
};
