import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.js';

/** Options of `tablewalk alloc`. */
export interface AllocArguments {
  readonly allocators: readonly string[];
  readonly objectCaches: readonly string[];
  /** A generator's name, or undefined when a trace is replayed. */
  readonly workload: string | undefined;
  readonly trace: string | undefined;
  readonly record: string | undefined;
  readonly pageCount: number;
  readonly seed: number;
  readonly operations: number;
  readonly fullness: number;
  /** Order of which the table says how well it is served. */
  readonly order: number;
  readonly json: boolean;
  readonly map: boolean;
}

export const ALLOC_HELP = `usage: tablewalk alloc [options]            allocators side by side on one workload

  --allocator A[,B...]    bitmapTree, buddy, knr, zoneList; ./module.mjs; a package; each with :option=value
  --object-cache O[,P...] objects instead of pages: slab, or a module; over each allocator
  --workload W            kernel (the default), uniform, phase, ramp, larson, robson
  --trace FILE            a recorded trace instead
  --record FILE           write the workload as a trace
  --pages N               memory in pages of 4 KiB; default 16384, with object caches 4096
  --operations N          after memory has been filled; default 100000
  --fullness F            the part of memory that is kept in use; default 0.85
  --seed N                default 1
  --order N               the order whose fragmentation the table tells; default 4
  --no-map                no maps of memory over time
  --json                  everything as JSON
`;

const definitions = {
  allocator: { type: 'string', multiple: true },
  'object-cache': { type: 'string', multiple: true },
  workload: { type: 'string' },
  trace: { type: 'string' },
  record: { type: 'string' },
  pages: { type: 'string' },
  operations: { type: 'string' },
  fullness: { type: 'string' },
  seed: { type: 'string' },
  order: { type: 'string' },
  'no-map': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The built-in ones that are compared when none is named. */
const ALL_ALLOCATORS = ['bitmapTree', 'buddy', 'knr', 'zoneList'];

const integer = (name: string, text: string | undefined, fallback: number, low: number, high: number): number => {
  if (text === undefined) return fallback;
  const value = /^(0x[0-9a-f]+|[0-9][0-9_]*(e[0-9]+)?)$/i.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < low || value > high)
    throw new UsageError(`--${name} takes an integer from ${low} to ${high}, not '${text}'`);
  return value;
};

const list = (name: string, texts: readonly string[] | undefined): readonly string[] => {
  const all = (texts ?? []).flatMap((text) => text.split(','));
  if (all.includes('')) throw new UsageError(`--${name} has an empty name: '${texts!.join(' ')}'`);
  const twice = all.find((text, index) => all.indexOf(text) !== index);
  if (twice !== undefined) throw new UsageError(`--${name} has '${twice}' twice`);
  return all;
};

/** Reads the arguments of `tablewalk alloc`. `undefined` asks for help. */
export const parseAlloc = (argv: readonly string[]): AllocArguments | undefined => {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof definitions; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: definitions, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]!.replace(/\. To specify a positional.*/, ''));
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  if (positionals.length > 0) throw new UsageError(`alloc takes options alone: '${positionals[0]}' is none`);
  if (values.trace !== undefined) {
    const given = (['workload', 'operations', 'fullness', 'seed'] as const).find((name) => values[name] !== undefined);
    if (given !== undefined) throw new UsageError(`--trace says what is done: --${given} cannot be given with it`);
  }
  const fullness = values.fullness === undefined ? 0.85 : Number(values.fullness);
  if (!(fullness > 0 && fullness <= 1)) throw new UsageError(`--fullness takes a number above 0 and at most 1, not '${values.fullness}'`);
  const allocators = list('allocator', values.allocator);
  const objectCaches = list('object-cache', values['object-cache']);
  return {
    allocators: allocators.length > 0 ? allocators : ALL_ALLOCATORS,
    objectCaches,
    workload: values.trace === undefined ? (values.workload ?? 'kernel') : undefined,
    trace: values.trace,
    record: values.record,
    // Objects are in memory that is there in earnest.
    pageCount: integer('pages', values.pages, objectCaches.length > 0 ? 4096 : 16384, 1, objectCaches.length > 0 ? 2 ** 17 : 2 ** 20),
    seed: integer('seed', values.seed, 1, 0, 2 ** 32 - 1),
    operations: integer('operations', values.operations, 100_000, 1, 10_000_000),
    fullness,
    order: integer('order', values.order, 4, 0, 10),
    json: values.json ?? false,
    map: !values['no-map'],
  };
};
