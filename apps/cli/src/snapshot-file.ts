import { accessSync, closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StoredBytes } from '@tablewalk/board-qemu-virt';
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

/** What a file holds, and the file, which is open as long as parts may still be brought from it. */
export interface LoadedSnapshot {
  readonly value: unknown;
  close(): void;
}

/**
 * Reads what `saveSnapshot` wrote. Byte arrays whose key, as in `machine.data.memory.0.bytes`, `leave` picks stay in the file as `StoredBytes`: tens of
 * megabytes of RAM are then read to where they belong, and nowhere else.
 */
export const loadSnapshot = (path: string, leave: (key: string) => boolean = () => false): LoadedSnapshot => {
  const file = new SnapshotFile(path);
  try {
    return { value: file.value(leave), close: () => file.close() };
  } catch (error) {
    file.close();
    if (error instanceof UsageError) throw error;
    throw file.bad('its head is damaged');
  }
};

class SnapshotFile {
  private readonly path: string;
  private readonly fd: number;
  private readonly length: number;
  private at = 0;

  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw new UsageError(
        `cannot read the snapshot ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`,
        { cause: error },
      );
    }
    this.length = fstatSync(this.fd).size;
  }

  bad(why: string): UsageError {
    return new UsageError(`${this.path} is no snapshot of this version: ${why}`);
  }

  close(): void {
    closeSync(this.fd);
  }

  value(leave: (key: string) => boolean): unknown {
    const lead = MAGIC.length + 10;
    const text = this.take(Math.min(lead, this.length)).toString('latin1');
    if (!text.startsWith(MAGIC)) throw this.bad('it begins otherwise');
    const head = this.take(Number(text.slice(MAGIC.length))).toString('utf8');
    return this.revive(JSON.parse(head), '', leave);
  }

  private revive(value: unknown, key: string, leave: (key: string) => boolean): unknown {
    if (value === null || typeof value !== 'object') return value;
    const under = (name: string | number): string => (key === '' ? String(name) : `${key}.${name}`);
    if (Array.isArray(value)) return value.map((inner, i) => this.revive(inner, under(i), leave));
    if ('$' in value) return value.$ === 'infinity' ? Number.POSITIVE_INFINITY : this.part(value as Part, leave(key));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.revive(inner, under(name), leave)]));
  }

  private part({ $: kind, length }: Part, left: boolean): unknown {
    const type = kinds[kind];
    if (type === undefined) throw this.bad(`it has a part of kind ${kind}`);
    const byteLength = length * type.BYTES_PER_ELEMENT;
    if (left && kind === 'u8') {
      const start = this.skip(byteLength);
      return { length, copyTo: (target, from) => this.read(target, start + from) } satisfies StoredBytes;
    }
    const bytes = this.take(byteLength);
    return new type(bytes.buffer as ArrayBuffer, 0, length);
  }

  /** Where the next `byteLength` bytes begin. Each part begins at a multiple of 8. */
  private skip(byteLength: number): number {
    const start = this.at;
    if (!(byteLength >= 0 && Number.isInteger(byteLength) && start + byteLength <= this.length)) throw this.bad('it is cut short');
    this.at = Math.ceil((start + byteLength) / 8) * 8;
    return start;
  }

  private take(byteLength: number): Buffer {
    const start = this.skip(byteLength);
    const buffer = Buffer.from(new ArrayBuffer(byteLength));
    this.read(buffer, start);
    return buffer;
  }

  private read(target: Uint8Array, from: number): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(this.fd, target, done, target.length - done, from + done);
      if (count === 0) throw this.bad('it is cut short');
      done += count;
    }
  }
}
