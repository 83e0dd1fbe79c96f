import { parseArgs } from 'node:util';
import type { LockstepOptions } from '@tablewalk/board-qemu-virt';
import { LOCKSTEP_MODES } from '@tablewalk/board-qemu-virt';
import { oneOf, parseCount, parseSize } from './argument-values.js';
import type { ModelArguments } from './model-options.js';
import { MODEL_OPTIONS, parseModels } from './model-options.js';
import { UsageError } from './usage-error.js';

const ENGINES = ['interpreter', 'wasm', 'lockstep'] as const;

/** Options of `tablewalk run`, as given. */
export interface RunArguments extends ModelArguments {
  readonly memoryBytes: number;
  readonly cpu: string;
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
  readonly append: string | undefined;
  readonly dtb: string | undefined;
  readonly bios: string | undefined;
  readonly drives: readonly DriveArgument[];
  readonly net: 'user' | undefined;
  readonly rng: boolean;
  readonly seed: number;
  readonly startPaused: boolean;
  readonly log: ReadonlySet<string>;
  readonly trace: string | undefined;
  readonly symbols: string | undefined;
  readonly stats: boolean;
  readonly maxInstructions: number;
  readonly timeoutSeconds: number;
  readonly exitOn: readonly string[];
  readonly send: readonly { readonly text: string; readonly reply: string }[];
  readonly save: string | undefined;
  readonly load: string | undefined;
  readonly semihosting: boolean;
  readonly realTimeClock: 'utc' | number;
  readonly noReboot: boolean;
  readonly modernVirtio: boolean;
  readonly engine: (typeof ENGINES)[number] | undefined;
  /** When the two of `lockstep` are compared, and how eagerly code is translated. */
  readonly lockstep: LockstepOptions;
}

export interface DriveArgument {
  readonly file: string;
  readonly readOnly: boolean;
  readonly interface: 'virtio' | 'pflash';
  readonly unit: number | undefined;
  /** Writes stay in memory. */
  readonly snapshot: boolean;
}

/** QEMU's single-dash spellings, and what they are here. */
const qemuSpelling: Readonly<Record<string, string>> = {
  '-m': '--memory',
  '-cpu': '--cpu',
  '-kernel': '--kernel',
  '-initrd': '--initrd',
  '-append': '--append',
  '-dtb': '--dtb',
  '-bios': '--bios',
  '-drive': '--drive',
  '-smp': '--smp',
  '-S': '--paused',
  '-d': '--log',
  '-nographic': '--nographic',
  '-M': '--machine',
  '-machine': '--machine',
  '-nic': '--nic',
  '-net': '--net',
  '-snapshot': '--snapshot',
  '-no-reboot': '--no-reboot',
  '-semihosting': '--semihosting',
  '-icount': '--icount',
  '-seed': '--seed',
  '-rtc': '--rtc',
  '-h': '--help',
};

const definitions = {
  memory: { type: 'string' },
  cpu: { type: 'string' },
  kernel: { type: 'string' },
  initrd: { type: 'string' },
  append: { type: 'string' },
  dtb: { type: 'string' },
  bios: { type: 'string' },
  drive: { type: 'string', multiple: true },
  net: { type: 'string' },
  nic: { type: 'string' },
  rng: { type: 'boolean' },
  smp: { type: 'string' },
  machine: { type: 'string' },
  icount: { type: 'string' },
  nographic: { type: 'boolean' },
  paused: { type: 'boolean' },
  snapshot: { type: 'boolean' },
  seed: { type: 'string' },
  rtc: { type: 'string' },
  log: { type: 'string', multiple: true },
  trace: { type: 'string' },
  symbols: { type: 'string' },
  stats: { type: 'boolean' },
  'max-instructions': { type: 'string' },
  timeout: { type: 'string' },
  'exit-on': { type: 'string', multiple: true },
  send: { type: 'string', multiple: true },
  save: { type: 'string' },
  load: { type: 'string' },
  semihosting: { type: 'boolean' },
  'no-reboot': { type: 'boolean' },
  'modern-virtio': { type: 'boolean' },
  engine: { type: 'string' },
  lockstep: { type: 'string' },
  ...MODEL_OPTIONS,
  help: { type: 'boolean' },
} as const;

/** What a snapshot brings along. */
const MACHINE_OPTIONS = [
  'memory',
  'cpu',
  'kernel',
  'initrd',
  'append',
  'dtb',
  'bios',
  'drive',
  'net',
  'nic',
  'rng',
  'seed',
  'rtc',
  'semihosting',
  'modern-virtio',
  'snapshot',
  'fidelity',
  'tlb',
  'cache',
  'retain',
  'walk',
  'dma',
  'power-on',
  'evictions',
] as const;

const KNOWN_LOG = new Set(['int', 'mmu', 'guest_errors', 'unimp']);

/** `\n`, `\r`, `\t`, `\e`, `\\`, `\xHH` in scripts. */
const unescapeText = (text: string): string =>
  text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_all, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', r: '\r', t: '\t', e: '\x1b', '0': '\0' }[code] ?? code;
  });

const parseSend = (text: string): { text: string; reply: string } => {
  // The last arrow separates: U-Boot's prompt is one itself.
  const at = text.lastIndexOf('=>');
  if (at <= 0) throw new UsageError(`--send takes 'TEXT=>REPLY', not '${text}'`);
  const reply = unescapeText(text.slice(at + 2));
  // A reply that does not say how it ends ends with the Enter key.
  return {
    text: unescapeText(text.slice(0, at)),
    reply: /[\r\n]$/.test(reply) || text.endsWith('\\c') ? reply.replace(/c$/, '') : `${reply}\r`,
  };
};

const parseDrive = (text: string, snapshotAll: boolean): DriveArgument => {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at < 0 && fields.size === 0) fields.set('file', part);
    else if (at < 0) throw new UsageError(`'${part}' in --drive ${text} is not name=value`);
    else fields.set(part.slice(0, at), part.slice(at + 1));
  }
  for (const name of fields.keys())
    if (!['file', 'format', 'if', 'readonly', 'snapshot', 'unit', 'index', 'id', 'media', 'cache'].includes(name))
      throw new UsageError(`--drive does not know '${name}'`);
  const file = fields.get('file');
  if (!file) throw new UsageError(`--drive ${text} names no file`);
  if (!['raw', undefined].includes(fields.get('format')))
    throw new UsageError(`--drive format ${fields.get('format')} is not supported; raw is`);
  const kind = fields.get('if') ?? 'virtio';
  if (kind !== 'virtio' && kind !== 'pflash' && kind !== 'none')
    throw new UsageError(`--drive if=${kind} is not on this board; virtio and pflash are`);
  const unit = fields.get('unit') ?? fields.get('index');
  return {
    file,
    readOnly: fields.get('readonly') === 'on',
    interface: kind === 'pflash' ? 'pflash' : 'virtio',
    unit: unit === undefined ? undefined : parseCount('drive unit', unit, 0),
    snapshot: snapshotAll || fields.get('snapshot') === 'on',
  };
};

const parseNet = (net: string | undefined, nic: string | undefined): 'user' | undefined => {
  const text = net ?? nic;
  if (text === undefined || text === 'none') return undefined;
  if (text === 'user' || text.startsWith('user,')) return 'user';
  throw new UsageError(`--net ${text}: there is 'user' and 'none'`);
};

const parseLockstep = (text = 'exits'): RunArguments['lockstep'] => {
  const [mode, ...rest] = text.split(',');
  const fields = new Map(rest.map((field) => field.split('=') as [string, string | undefined]));
  for (const name of fields.keys()) if (name !== 'seed' && name !== 'heat') throw new UsageError(`--lockstep does not know '${name}'`);
  return {
    mode: oneOf('lockstep', LOCKSTEP_MODES, mode)!,
    seed: parseCount('lockstep seed', fields.get('seed'), 1),
    ...(fields.has('heat') && { translation: { heat: parseCount('lockstep heat', fields.get('heat') ?? '', 0) } }),
  };
};

/** Reads the arguments of `tablewalk run`. `undefined` asks for help. */
export const parseRun = (argv: readonly string[]): RunArguments | undefined => {
  const spelled = argv.map((argument) => qemuSpelling[argument] ?? argument);
  let parsed: ReturnType<typeof parseArgs<{ options: typeof definitions; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: spelled, options: definitions, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]!.replace(/\. To specify a positional.*/, ''));
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  if (positionals.length > 1) throw new UsageError(`one kernel at most: '${positionals[1]}' is too many`);
  if (positionals.length === 1 && values.kernel !== undefined) throw new UsageError(`two kernels: ${values.kernel} and ${positionals[0]}`);
  if (values.smp !== undefined && !/^(cpus=)?1$/.test(values.smp)) throw new UsageError(`-smp ${values.smp}: this machine has one core`);
  if (values.machine !== undefined && !/^virt(,|$)/.test(values.machine)) throw new UsageError(`-M ${values.machine}: the board is virt`);
  const engine = oneOf('engine', ENGINES, values.engine);
  if (values.lockstep !== undefined && engine !== 'lockstep') throw new UsageError('--lockstep says how --engine lockstep compares');
  if (values.trace !== undefined && engine === 'lockstep')
    throw new UsageError('--trace steps, and nothing is translated then: it cannot be with --engine lockstep');
  if (values.save !== undefined && engine === 'lockstep')
    throw new UsageError('--save: what --engine lockstep writes to drives is not kept, so neither is the machine');
  if (values.load !== undefined) {
    const given = positionals.length > 0 ? 'a kernel' : MACHINE_OPTIONS.find((name) => values[name] !== undefined);
    if (given !== undefined)
      throw new UsageError(
        `--load brings the machine that was saved: ${given === 'a kernel' ? given : `--${given}`} cannot be given with it`,
      );
  }
  const log = new Set((values.log ?? []).flatMap((text) => text.split(',')));
  for (const name of log) if (!KNOWN_LOG.has(name)) throw new UsageError(`-d ${name}: there are ${[...KNOWN_LOG].join(', ')}`);
  const rtc = values.rtc?.replace(/^base=/, '');
  return {
    memoryBytes: parseSize(values.memory?.replace(/^size=/, '') ?? '128'),
    cpu: values.cpu ?? 'cortex-a15',
    kernel: values.kernel ?? positionals[0],
    initrd: values.initrd,
    append: values.append,
    dtb: values.dtb,
    bios: values.bios,
    drives: (values.drive ?? []).map((text) => parseDrive(text, values.snapshot ?? false)),
    net: parseNet(values.net, values.nic),
    rng: values.rng ?? false,
    seed: parseCount('seed', values.seed, 0),
    startPaused: values.paused ?? false,
    log,
    trace: values.trace,
    symbols: values.symbols,
    stats: values.stats ?? false,
    maxInstructions: parseCount('max-instructions', values['max-instructions'], Number.POSITIVE_INFINITY),
    timeoutSeconds: parseCount('timeout', values.timeout, Number.POSITIVE_INFINITY),
    exitOn: (values['exit-on'] ?? []).map(unescapeText),
    send: (values.send ?? []).map(parseSend),
    save: values.save,
    load: values.load,
    semihosting: values.semihosting ?? false,
    realTimeClock: rtc === undefined ? 0 : rtc === 'utc' ? 'utc' : parseCount('rtc', rtc, 0),
    noReboot: values['no-reboot'] ?? false,
    modernVirtio: values['modern-virtio'] ?? false,
    engine,
    lockstep: parseLockstep(values.lockstep),
    ...parseModels(values),
  };
};
