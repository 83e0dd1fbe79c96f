import { accessSync, closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.js';

const MAGIC = 'TABLEWALK SNAPSHOT 1\n';

/** Binary parts are replaced by these in the JSON head and follow it in order. */
interface Part {
  readonly $: 'u8' | 'u16' | 'u32' | 'i32' | 'f64';
  readonly length: number;
}

const kinds = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f64: Float64Array } as const;

const kindOf = (value: unknown): keyof typeof kinds | undefined => {
  for (const [kind, type] of Object.entries(kinds)) if (value instanceof type) return kind as keyof typeof kinds;
  return undefined;
};

/** Refuses, before a long run, a path that a snapshot could not be written to. */
export const checkSnapshotPath = (path: string): void => {
  const existing = statSync(path, { throwIfNoEntry: false });
  try {
    if (existing?.isDirectory()) throw new Error('it is a directory');
    accessSync(dirname(path), existing ? constants.X_OK : constants.W_OK | constants.X_OK);
    if (existing) accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write the snapshot ${path}: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
};

/** Writes a snapshot: a line, the length of the head, the head as JSON, then every typed array, each from a multiple of 8 bytes. */
export const saveSnapshot = (path: string, snapshot: unknown): void => {
  const parts: Uint8Array[] = [];
  const head = Buffer.from(
    JSON.stringify(snapshot, (_key, value: unknown) => {
      const kind = kindOf(value);
      if (kind === undefined) return value === Number.POSITIVE_INFINITY ? { $: 'infinity' } : value;
      const array = value as Uint8Array;
      parts.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return { $: kind, length: (value as { length: number }).length } satisfies Part;
    }),
  );
  // Under another name first: a snapshot that cannot be completed does not take the place of one that could.
  const direct = statSync(path, { throwIfNoEntry: false })?.isFile() === false;
  const target = direct ? path : `${path}.part`;
  let fd: number;
  try {
    fd = openSync(target, 'w');
  } catch (error) {
    throw new UsageError(`cannot write the snapshot ${path}: ${(error as Error).message}`, { cause: error });
  }
  let at = 0;
  const put = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
    at += bytes.length;
    const padding = (8 - (at % 8)) % 8;
    if (padding > 0) at += writeSync(fd, new Uint8Array(padding));
  };
  put(Buffer.from(MAGIC + String(head.length).padStart(10, '0')));
  put(head);
  for (const part of parts) put(part);
  closeSync(fd);
  if (!direct) renameSync(target, path);
};

/** Reads what `saveSnapshot` wrote. */
export const loadSnapshot = (path: string): unknown => {
  const bytes = readAll(path);
  const bad = (why: string): UsageError => new UsageError(`${path} is no snapshot of this version: ${why}`);
  const lead = MAGIC.length + 10;
  const text = bytes.toString('latin1', 0, lead);
  if (!text.startsWith(MAGIC)) throw bad('it begins otherwise');
  const headLength = Number(text.slice(MAGIC.length));
  let at = Math.ceil(lead / 8) * 8;
  if (!Number.isInteger(headLength) || at + headLength > bytes.length) throw bad('it is cut short');
  const head = bytes.toString('utf8', at, at + headLength);
  at = Math.ceil((at + headLength) / 8) * 8;
  const revive = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(revive);
    if ('$' in value) return value.$ === 'infinity' ? Number.POSITIVE_INFINITY : part(value as Part);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
  };
  const part = ({ $: kind, length }: Part): unknown => {
    const type = kinds[kind];
    if (type === undefined) throw bad(`it has a part of kind ${kind}`);
    const byteLength = length * type.BYTES_PER_ELEMENT;
    if (!(at + byteLength <= bytes.length)) throw bad('it is cut short');
    const view = new type(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length);
    at = Math.ceil((at + byteLength) / 8) * 8;
    return view;
  };
  try {
    return revive(JSON.parse(head));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw bad('its head is damaged');
  }
};

/** The file in one piece whose first byte is at a multiple of 8. */
const readAll = (path: string): Buffer => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw new UsageError(
      `cannot read the snapshot ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`,
      { cause: error },
    );
  }
  const buffer = Buffer.from(new ArrayBuffer(fstatSync(fd).size));
  for (let done = 0; done < buffer.length; ) {
    const count = readSync(fd, buffer, done, buffer.length - done, done);
    if (count === 0) break;
    done += count;
  }
  closeSync(fd);
  return buffer;
};
