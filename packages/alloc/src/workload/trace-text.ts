import { AllocError } from '../alloc-error.js';
import { TRACE_STRIDE, type Trace } from './workload.js';

// Text, one thing a line, ASCII:
//
//     tablewalk-alloc-trace 1        the format and its version
//     name kernel boot               to the end of the line
//     slots 1024                     slots are 0 to 1023
//     warmup 300                     events before the measured ones
//     a 5 16                         slot 5 takes 16 pages
//     a 6 4 2                        slot 6 takes 4 pages, aligned on 1 << 2 pages
//     r 5 20                         slot 5 becomes 20 pages long
//     f 5                            slot 5 is given back
//
// Blank lines and lines that begin with # say nothing. Header lines come first, in this order. A slot is taken only when it is empty, and
// resized or given back only when it is taken.
const FORMAT = 'tablewalk-alloc-trace';
const VERSION = 1;
const MAX_SLOTS = 1 << 24;
const MAX_EVENTS = 1 << 26;

/** A trace as text. */
export function formatTrace(trace: Trace): string {
  const lines = [
    `${FORMAT} ${VERSION}`,
    `name ${trace.name.replace(/[^\x20-\x7e]/g, '?')}`,
    `slots ${trace.slots}`,
    `warmup ${trace.warmup}`,
  ];
  for (let at = 0; at < trace.events.length; at += TRACE_STRIDE) {
    const slot = trace.events[at] as number;
    const pages = trace.events[at + 1] as number;
    const alignLog2 = trace.events[at + 2] as number;
    if (pages === 0) lines.push(`f ${slot}`);
    else if (pages < 0) lines.push(`r ${slot} ${-pages}`);
    else lines.push(alignLog2 === 0 ? `a ${slot} ${pages}` : `a ${slot} ${pages} ${alignLog2}`);
  }
  return `${lines.join('\n')}\n`;
}

class Reader {
  private readonly lines: readonly string[];
  private at = 0;
  readonly source: string;

  constructor(text: string, source: string) {
    this.lines = text.split('\n');
    this.source = source;
  }

  fail(message: string): never {
    throw new AllocError('trace', this.source, `line ${this.at}: ${message}`);
  }

  /** The next line that says something, or undefined. */
  next(): string | undefined {
    while (this.at < this.lines.length) {
      const line = (this.lines[this.at++] as string).trim();
      if (line !== '' && !line.startsWith('#')) return line;
    }
    return undefined;
  }

  header(key: string): string {
    const line = this.next();
    if (line !== key && !line?.startsWith(`${key} `)) this.fail(`expected "${key}"`);
    return (line as string).slice(key.length + 1);
  }

  /** An integer of plain digits. */
  integer(text: string | undefined, what: string, low: number, high: number): number {
    const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (value < low || value > high) this.fail(`${what} is not an integer from ${low} to ${high}`);
    return value;
  }
}

/**
 * Reads what {@link formatTrace} writes. `source` is named in errors.
 *
 * @throws AllocError of kind `trace` with the line's number, for anything that is not as the format says.
 */
export function parseTrace(text: string, source = 'trace'): Trace {
  const reader = new Reader(text, source);
  const version = reader.header(FORMAT);
  if (version !== String(VERSION)) reader.fail(`version "${version.slice(0, 20)}" is not ${VERSION}`);
  const name = reader.header('name');
  const slots = reader.integer(reader.header('slots'), 'slots', 1, MAX_SLOTS);
  const warmup = reader.integer(reader.header('warmup'), 'warmup', 0, MAX_EVENTS);
  const isTaken = new Uint8Array(slots);
  const values: number[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const [kind, ...fields] = line.split(/[ \t]+/);
    const most = kind === 'a' ? 3 : kind === 'r' ? 2 : kind === 'f' ? 1 : 0;
    if (most === 0) reader.fail(`"${line.slice(0, 20)}" is no event`);
    if (fields.length > most || (kind === 'r' && fields.length < 2)) reader.fail(`"${kind}" takes other fields`);
    const slot = reader.integer(fields[0], 'the slot', 0, slots - 1);
    const pages = kind === 'f' ? 0 : reader.integer(fields[1], 'the page count', 1, 0x40000000);
    const alignLog2 = fields[2] === undefined ? 0 : reader.integer(fields[2], 'alignLog2', 0, 30);
    if ((isTaken[slot] !== 0) === (kind === 'a')) reader.fail(kind === 'a' ? `slot ${slot} is taken` : `slot ${slot} is empty`);
    isTaken[slot] = kind === 'f' ? 0 : 1;
    if (values.length >= MAX_EVENTS * TRACE_STRIDE) reader.fail(`more than ${MAX_EVENTS} events`);
    values.push(slot, kind === 'r' ? -pages : pages, alignLog2);
  }
  if (warmup * TRACE_STRIDE > values.length) reader.fail(`warmup ${warmup} is more than the ${values.length / TRACE_STRIDE} events`);
  return { name, slots, warmup, events: Int32Array.from(values) };
}
