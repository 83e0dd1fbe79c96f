import { parseArgs } from 'node:util';
import { workloads } from '@tablewalk/kmem';
import { parseSize } from '../argument-values.js';
import type { ModelArguments } from '../model-options.js';
import { MODEL_OPTIONS, parseModels } from '../model-options.js';
import { UsageError } from '../usage-error.js';

/** What kernel to boot on which machine: the options that `kmem` and `walk` share. */
export interface KernelArguments extends ModelArguments {
  readonly policy: string;
  readonly allocator: string;
  readonly objectCache: string | undefined;
  readonly lazyUnmapping: boolean;
  readonly poison: boolean;
  readonly cpu: string;
  readonly loadAddress: number | undefined;
  readonly split: number | undefined;
  readonly memoryBytes: number;
  readonly workload: string | undefined;
  readonly seed: number;
}

const common = {
  policy: { type: 'string' },
  allocator: { type: 'string' },
  'object-cache': { type: 'string' },
  vmalloc: { type: 'string' },
  poison: { type: 'boolean' },
  cpu: { type: 'string' },
  ...MODEL_OPTIONS,
  'load-address': { type: 'string' },
  split: { type: 'string' },
  memory: { type: 'string' },
  workload: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** An address in hexadecimal, with or without 0x; underscores may divide it. */
export const parseAddress = (what: string, text: string): number => {
  const plain = text.replaceAll('_', '');
  if (!/^(0x)?[0-9a-f]{1,8}$/i.test(plain)) throw new UsageError(`${what} takes a 32-bit address in hexadecimal, not '${text}'`);
  return Number.parseInt(plain.replace(/^0x/i, ''), 16);
};

interface Values {
  readonly [name: string]: string | boolean | undefined;
}

const kernelArguments = (values: Values): KernelArguments => {
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const unmapping = text('vmalloc') ?? 'eager';
  if (unmapping !== 'eager' && unmapping !== 'lazy') throw new UsageError(`--vmalloc is eager or lazy, not '${unmapping}'`);
  const workload = text('workload');
  if (workload !== undefined && !workloads.some(({ name }) => name === workload))
    throw new UsageError(`there is no workload '${workload}'; there are ${workloads.map(({ name }) => name).join(', ')}`);
  const seed = text('seed') ?? '1';
  if (!/^[0-9]{1,9}$/.test(seed)) throw new UsageError(`--seed takes a number, not '${seed}'`);
  const loadAddress = text('load-address');
  const split = text('split');
  return {
    policy: text('policy') ?? 'directMap',
    allocator: text('allocator') ?? 'zoneList',
    objectCache: text('object-cache'),
    lazyUnmapping: unmapping === 'lazy',
    poison: values['poison'] === true,
    cpu: text('cpu') ?? 'cortex-a15',
    ...parseModels(values as Readonly<Record<string, string>>),
    loadAddress: loadAddress === undefined ? undefined : parseAddress('--load-address', loadAddress),
    split: split === undefined ? undefined : parseAddress('--split', split),
    memoryBytes: parseSize(text('memory') ?? '128'),
    workload,
    seed: Number(seed),
  };
};

const spelled = (argv: readonly string[]): string[] =>
  argv.map((argument) => ({ '-m': '--memory', '-cpu': '--cpu', '-h': '--help' })[argument] ?? argument);

const usage = <T>(parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError((error as Error).message.split('\n')[0]!.replace(/\. To specify a positional.*/, ''));
  }
};

/** Arguments of `tablewalk kmem`; undefined asks for help. */
export const parseKmem = (argv: readonly string[]): KernelArguments | undefined =>
  usage(() => {
    const { values } = parseArgs({ args: spelled(argv), options: common });
    return values.help ? undefined : kernelArguments(values);
  });

export interface WalkArguments {
  readonly address: number;
  /** A snapshot to look into, instead of a kernel that is booted for it. */
  readonly load: string | undefined;
  readonly kernel: KernelArguments;
}

/** Arguments of `tablewalk walk`; undefined asks for help. */
export const parseWalk = (argv: readonly string[]): WalkArguments | undefined =>
  usage(() => {
    const { values, positionals } = parseArgs({
      args: spelled(argv),
      options: { ...common, load: { type: 'string' } },
      allowPositionals: true,
    });
    if (values.help) return undefined;
    if (positionals.length !== 1) throw new UsageError('walk takes one address');
    const given = Object.keys(values).find((name) => name !== 'load');
    if (values.load !== undefined && given !== undefined)
      throw new UsageError(`--load brings the machine that was saved: --${given} cannot be given with it`);
    return { address: parseAddress('walk', positionals[0]!), load: values.load, kernel: kernelArguments(values) };
  });
