import type { GuestMemory } from '@tablewalk/machine';
import { MachineError } from './machine-error.js';

const PAGE = 4096;

/**
 * Bytes kept elsewhere, in a file for example, that are brought to their place without a stop in between. A machine made from a snapshot whose RAM is
 * stored so may come back for a page at any time: it must stay readable as long as the machine runs.
 */
export interface StoredBytes {
  readonly length: number;
  /** Fills `target` with the bytes from `from` on. */
  copyTo(target: Uint8Array, from: number): void;
}

/** Contents of one region: the pages that are not all zero, by number, one after the other in `bytes`. */
export interface RegionContents<Bytes> {
  readonly name: string;
  readonly byteLength: number;
  readonly pages: Uint32Array;
  readonly bytes: Bytes;
}

const isZero = (words: Int32Array, offset: number): boolean => {
  const from = offset >>> 2;
  for (let i = from; i < from + PAGE / 4; i++) if (words[i] !== 0) return false;
  return true;
};

/** Copies the pages of RAM that hold something. ROM contents belong to their devices. */
export const saveRam = (memory: GuestMemory): readonly RegionContents<Uint8Array>[] => {
  memory.arriveAll();
  return memory.regions
    .filter(({ writable }) => writable)
    .map((region) => {
      const used: number[] = [];
      for (let page = 0; page * PAGE < region.byteLength; page++) if (!isZero(memory.i32, region.hostOffset + page * PAGE)) used.push(page);
      const bytes = new Uint8Array(used.length * PAGE);
      used.forEach((page, i) => {
        const from = region.hostOffset + page * PAGE;
        bytes.set(memory.u8.subarray(from, from + PAGE), i * PAGE);
      });
      return { name: region.name, byteLength: region.byteLength, pages: Uint32Array.from(used), bytes };
    });
};

/**
 * Makes the regions what they were; with `fresh` memory that nothing has written yet, only what is not zero, and with `mayDefer` bytes stored elsewhere
 * when they are first used. Refuses, before anything has changed, contents that do not fit this machine.
 */
export const restoreRam = (
  memory: GuestMemory,
  saved: readonly RegionContents<Uint8Array | StoredBytes>[],
  fresh: boolean,
  mayDefer: boolean,
): void => {
  memory.arriveAll();
  const regions = memory.regions.filter(({ writable }) => writable);
  for (const region of regions) {
    const contents = saved.find(({ name }) => name === region.name);
    if (contents === undefined || contents.byteLength !== region.byteLength)
      throw new MachineError(
        'snapshot',
        `its ${region.name} is not this machine's (${contents?.byteLength ?? 'none'} and ${region.byteLength} bytes)`,
      );
    if (contents.bytes.length !== contents.pages.length * PAGE || contents.pages.some((page) => page * PAGE >= region.byteLength))
      throw new MachineError('snapshot', `the contents of ${region.name} are damaged`);
  }
  for (const region of regions) {
    const { pages, bytes } = saved.find(({ name }) => name === region.name)!;
    memory.willWrite(region.hostOffset, region.byteLength);
    if (!fresh) clearOthers(memory, region.hostOffset, region.byteLength, pages);
    if (mayDefer && !(bytes instanceof Uint8Array)) {
      defer(memory, region.hostOffset, pages, bytes);
      continue;
    }
    for (let from = 0; from < pages.length; ) {
      let to = from + 1;
      while (to < pages.length && pages[to] === pages[to - 1]! + 1) to++;
      const at = region.hostOffset + pages[from]! * PAGE;
      if (bytes instanceof Uint8Array) memory.u8.set(bytes.subarray(from * PAGE, to * PAGE), at);
      else bytes.copyTo(memory.u8.subarray(at, at + (to - from) * PAGE), from * PAGE);
      from = to;
    }
  }
};

/** Zeroes the pages that are not in `pages`, without touching those that are zero already: they cost the host nothing. */
const clearOthers = (memory: GuestMemory, hostOffset: number, byteLength: number, pages: Uint32Array): void => {
  let next = 0;
  for (let page = 0; page * PAGE < byteLength; page++) {
    const at = hostOffset + page * PAGE;
    if (pages[next] === page) next++;
    else if (!isZero(memory.i32, at)) memory.u8.fill(0, at, at + PAGE);
  }
};

/** The board has one RAM: its pages come when they are used. */
const defer = (memory: GuestMemory, hostOffset: number, pages: Uint32Array, bytes: StoredBytes): void => {
  const first = hostOffset / PAGE;
  const places = new Map<number, number>();
  pages.forEach((page, i) => places.set(first + page, i * PAGE));
  memory.defer(
    pages.map((page) => first + page),
    (hostPage) => bytes.copyTo(memory.u8.subarray(hostPage * PAGE, (hostPage + 1) * PAGE), places.get(hostPage)!),
  );
};
