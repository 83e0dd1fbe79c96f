import type { Site } from '../image/sites.js';
import { routine } from '../image/sites.js';
import type { KernelPort } from '../port.js';

export const fdtSites = routine('fdt_memory', { load: 'load' });

const MAGIC = 0xd00dfeed;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const NOP = 4;

export interface FdtMemory {
  readonly base: number;
  readonly byteLength: number;
  /** Of the blob, header and all. */
  readonly blobBytes: number;
}

const swap = (word: number): number => ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0;

/** Finds the first bank of RAM in a flattened device tree, word by word through the port; undefined when there is no tree at the address. */
export const readFdtMemory = (port: KernelPort, address: number): FdtMemory | undefined => {
  const site: Site = fdtSites.load;
  const word = (at: number): number => swap(port.load(site, at));
  if (address === 0 || address % 4 !== 0 || word(address) !== MAGIC) return undefined;
  const blobBytes = word(address + 4);
  const structure = address + word(address + 8);
  const strings = address + word(address + 12);
  const end = structure + word(address + 36);
  const text = (at: number): string => {
    let result = '';
    for (let offset = 0; result.length < 64; offset++) {
      const byte = (port.load(site, (at + offset) & ~3) >>> (8 * ((at + offset) & 3))) & 0xff;
      if (byte === 0) break;
      result += String.fromCharCode(byte);
    }
    return result;
  };
  let depth = 0;
  let inMemory = false;
  let addressCells = 2;
  let sizeCells = 1;
  for (let at = structure; at < end; ) {
    const token = word(at);
    at += 4;
    if (token === BEGIN_NODE) {
      const name = text(at);
      depth++;
      inMemory = depth === 2 && /^memory(@|$)/.test(name);
      at += (name.length + 4) & ~3;
    } else if (token === END_NODE) {
      depth--;
      inMemory = false;
    } else if (token === PROP) {
      const length = word(at);
      const value = at + 8;
      // Names are only read where they can matter: a string is bytes, and bytes are loads.
      if (inMemory || depth === 1) {
        const name = text(strings + word(at + 4));
        if (name === '#address-cells' && depth === 1) addressCells = word(value);
        if (name === '#size-cells' && depth === 1) sizeCells = word(value);
        if (name === 'reg' && inMemory && length >= 4 * (addressCells + sizeCells)) {
          const cells = (from: number, count: number): number =>
            Array.from({ length: count }, (_, n) => word(from + 4 * n)).reduce((sum, cell) => sum * 2 ** 32 + cell, 0);
          return { base: cells(value, addressCells), byteLength: cells(value + 4 * addressCells, sizeCells), blobBytes };
        }
      }
      at = value + ((length + 3) & ~3);
    } else if (token !== NOP) break;
  }
  return undefined;
};
