import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { BlockImage, BlockStorage } from '@tablewalk/devices';
import { UsageError } from './usage-error.js';

const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
  };
  return known[code ?? ''] ?? message;
};

/** What no input exceeds: a Node buffer, and more than half of the largest RAM. */
const LARGEST_INPUT = 2 ** 31 - 1;

/** The whole file (or pipe), or one clear line. `what` names its role. Something that never ends, like /dev/zero, is refused at `limit`. */
export const readInput = (what: string, path: string, limit = LARGEST_INPUT): Uint8Array => {
  const tooLarge = (): UsageError => new UsageError(`the ${what} ${path} is larger than the ${limit} bytes that it may have`);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw new UsageError(`cannot read the ${what} ${path}: ${reason(error)}`, { cause: error });
  }
  try {
    const stat = fstatSync(fd);
    if (stat.size > limit) throw tooLarge();
    let buffer = new Uint8Array(stat.isFile() ? stat.size + 1 : 1 << 20);
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) return buffer.subarray(0, length);
      length += count;
      if (length > limit) throw tooLarge();
      if (length < buffer.length) continue;
      const longer = new Uint8Array(Math.min(2 * buffer.length, limit + 1));
      longer.set(buffer);
      buffer = longer;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the ${what} ${path}: ${reason(error)}`, { cause: error });
  } finally {
    closeSync(fd);
  }
};

/** A file as a disk. Reads beyond a file that shrank are zeroes; a failed write is the guest's I/O error. */
export const fileDisk = (path: string, writable: boolean): BlockStorage & { close(): void } => {
  let fd: number;
  let byteLength: number;
  try {
    fd = openSync(path, writable ? 'r+' : 'r');
    const stat = fstatSync(fd);
    if (!stat.isFile() && !stat.isBlockDevice())
      throw Object.assign(new Error('not a file'), { code: stat.isDirectory() ? 'EISDIR' : 'EINVAL' });
    byteLength = stat.size;
  } catch (error) {
    throw new UsageError(`cannot open the drive ${path}: ${reason(error)}`, { cause: error });
  }
  if (byteLength < 512) throw new UsageError(`the drive ${path} is smaller than one sector (${byteLength} bytes)`);
  return {
    byteLength,
    read: (offset, target) => {
      let done = 0;
      while (done < target.length) {
        const count = readSync(fd, target, done, target.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      target.fill(0, done);
    },
    write: (offset, source) => {
      let done = 0;
      while (done < source.length) done += writeSync(fd, source, done, source.length - done, offset + done);
    },
    flush: () => {},
    close: () => closeSync(fd),
  };
};

/** The same, read only: what a copy-on-write disk stands on. */
export const fileImage = (path: string): BlockImage => fileDisk(path, false);

/** A flash bank kept in a file: what the guest changes is written through. */
export const flashFile = (path: string, readOnly: boolean): { bytes: Uint8Array; save(offset: number, bytes: Uint8Array): void } => {
  const bytes = readInput('flash image', path);
  if (readOnly) return { bytes, save: () => {} };
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    throw new UsageError(`cannot write the flash image ${path}: ${reason(error)}`, { cause: error });
  }
  return {
    bytes,
    save: (offset, changed) => {
      // The file stays as long as it is: what lies beyond it was never part of it.
      const length = Math.min(changed.length, bytes.length - offset);
      if (length > 0) writeSync(fd, changed, 0, length, offset);
    },
  };
};
