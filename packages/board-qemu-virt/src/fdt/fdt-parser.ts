import { FdtError } from './fdt-error.js';
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER_BYTES,
  FDT_LAST_COMPATIBLE_VERSION,
  FDT_MAGIC,
  FDT_NOP,
  FDT_PROP,
  FDT_RESERVATION_BYTES,
  FDT_VERSION,
} from './fdt-format.js';
import type { FdtNode, FdtProperty, FdtReservation } from './fdt-tree.js';
import { FdtTree } from './fdt-tree.js';
import { StringTable } from './string-table.js';

/** Deeper trees are refused: the specification sets no bound, the host's stack does. Real trees stay below 10. */
const DEPTH_LIMIT = 64;
/** Names longer than this are refused: the specification allows 31 characters, real trees exceed that moderately. */
const NAME_LIMIT = 256;
/** Larger blobs are refused: `dtc` output for the largest boards is below 1 MiB. */
const SIZE_LIMIT = 16 * 1024 * 1024;

/**
 * Reads a blob (format versions 16 and 17). Everything is checked: work and memory are linear in the blob's length.
 *
 * @throws {FdtError} one line that says what is wrong and where
 */
export function parseFdt(blob: Uint8Array): FdtTree {
  if (blob.length < FDT_HEADER_BYTES) throw new FdtError(`${blob.length} bytes are too few for a device tree blob`);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (view.getUint32(0) !== FDT_MAGIC) throw new FdtError('not a device tree blob (the magic number is not d00dfeed)');
  const totalSize = view.getUint32(4);
  if (totalSize > blob.length) throw new FdtError(`truncated: the header says ${totalSize} bytes, there are ${blob.length}`);
  if (totalSize > SIZE_LIMIT) throw new FdtError(`a blob of ${totalSize} bytes is larger than ${SIZE_LIMIT}`);
  const version = view.getUint32(20);
  const lastCompatible = view.getUint32(24);
  if (version < FDT_LAST_COMPATIBLE_VERSION || lastCompatible > FDT_VERSION) {
    throw new FdtError(`format version ${version} (compatible with ${lastCompatible}) is not supported; 16 and 17 are`);
  }
  const stringsOffset = view.getUint32(12);
  const stringsBytes = view.getUint32(32);
  const structOffset = view.getUint32(8);
  // Version 16 has no size of the structure block: it ends where its END token is.
  const structBytes = version >= 17 ? view.getUint32(36) : totalSize - structOffset;
  checkBlock('strings', stringsOffset, stringsBytes, totalSize, 1);
  checkBlock('structure', structOffset, structBytes, totalSize, 4);
  const reservations = readReservations(view, totalSize);
  const parser = new StructureParser(blob, view, structOffset, structOffset + structBytes, stringsOffset, stringsBytes);
  const root = parser.parse();
  return new FdtTree(
    root,
    reservations,
    new StringTable(latin1(blob, stringsOffset, stringsOffset + stringsBytes), parser.nameOffsets()),
    view.getUint32(28),
  );
}

function checkBlock(name: string, offset: number, byteLength: number, totalSize: number, alignment: number): void {
  if (offset < FDT_HEADER_BYTES || byteLength < 0 || offset + byteLength > totalSize) {
    throw new FdtError(`the ${name} block (${byteLength} bytes at ${offset}) is outside the blob of ${totalSize} bytes`);
  }
  if (offset % alignment !== 0) throw new FdtError(`the ${name} block at ${offset} is not aligned to ${alignment} bytes`);
}

function readReservations(view: DataView, totalSize: number): FdtReservation[] {
  const reservations: FdtReservation[] = [];
  for (let at = view.getUint32(16); ; at += FDT_RESERVATION_BYTES) {
    if (at < FDT_HEADER_BYTES || at % 8 !== 0 || at + FDT_RESERVATION_BYTES > totalSize) {
      throw new FdtError(`the reservation block is not terminated inside the blob (at ${at})`);
    }
    const entry: FdtReservation = {
      addressHigh: view.getUint32(at),
      addressLow: view.getUint32(at + 4),
      sizeHigh: view.getUint32(at + 8),
      sizeLow: view.getUint32(at + 12),
    };
    // A size of zero with an address is legal text for "nothing"; only the all-zero entry ends the block.
    if ((entry.addressHigh | entry.addressLow | entry.sizeHigh | entry.sizeLow) === 0) return reservations;
    reservations.push(entry);
  }
}

/** Walks the structure block (5.4). */
class StructureParser {
  readonly #blob: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #stringsOffset: number;
  readonly #stringsBytes: number;
  /** Names by their offset: each is decoded once, however often it is used, so that overlapping names cannot multiply the work. */
  readonly #names = new Map<number, string>();
  #at: number;

  constructor(blob: Uint8Array, view: DataView, start: number, end: number, stringsOffset: number, stringsBytes: number) {
    this.#blob = blob;
    this.#view = view;
    this.#at = start;
    this.#end = end;
    this.#stringsOffset = stringsOffset;
    this.#stringsBytes = stringsBytes;
  }

  parse(): FdtNode {
    const first = this.#token();
    if (first !== FDT_BEGIN_NODE) throw new FdtError(`the structure block starts with token ${first}, not with the root node`);
    const root = this.#node(0);
    const last = this.#token();
    if (last !== FDT_END) throw new FdtError(`token ${last} follows the root node at ${this.#at - 4}`);
    return root;
  }

  /** Offset of each property name met, in the strings block. */
  nameOffsets(): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const [offset, name] of this.#names) if (!offsets.has(name)) offsets.set(name, offset);
    return offsets;
  }

  #token(): number {
    let token: number;
    do {
      if (this.#at + 4 > this.#end) throw new FdtError('the structure block ends in the middle of a node');
      token = this.#view.getUint32(this.#at);
      this.#at += 4;
    } while (token === FDT_NOP);
    return token;
  }

  #node(depth: number): FdtNode {
    if (depth > DEPTH_LIMIT) throw new FdtError(`nodes are nested deeper than ${DEPTH_LIMIT}`);
    const name = this.#nodeName(depth);
    const properties: FdtProperty[] = [];
    const children: FdtNode[] = [];
    const seen = new Set<string>();
    for (;;) {
      const token = this.#token();
      if (token === FDT_END_NODE) return { name, properties, children };
      if (token === FDT_PROP) {
        if (children.length > 0) throw new FdtError(`a property follows a node at ${this.#at - 4}`);
        const property = this.#property();
        if (seen.has(property.name)) throw new FdtError(`property ${property.name} of node '${name || '/'}' is there twice`);
        seen.add(property.name);
        properties.push(property);
      } else if (token === FDT_BEGIN_NODE) {
        children.push(this.#node(depth + 1));
      } else {
        throw new FdtError(`unknown token ${token} at ${this.#at - 4}`);
      }
    }
  }

  #nodeName(depth: number): string {
    const start = this.#at;
    const stop = this.#terminator(start, this.#end, 'node');
    const name = latin1(this.#blob, start, stop);
    // The root is named '' today; old compilers wrote '/'.
    if (depth > 0 && (name === '' || name.includes('/'))) throw new FdtError(`a node at ${start} has the invalid name '${name}'`);
    this.#at = (stop + 4) & ~3;
    return depth === 0 ? '' : name;
  }

  #property(): FdtProperty {
    if (this.#at + 8 > this.#end) throw new FdtError('the structure block ends in the middle of a property');
    const byteLength = this.#view.getUint32(this.#at);
    const nameOffset = this.#view.getUint32(this.#at + 4);
    const start = this.#at + 8;
    if (start + byteLength > this.#end)
      throw new FdtError(`a property at ${this.#at - 4} of ${byteLength} bytes leaves the structure block`);
    this.#at = (start + byteLength + 3) & ~3;
    return { name: this.#propertyName(nameOffset), value: new Uint8Array(this.#blob.subarray(start, start + byteLength)) };
  }

  #propertyName(offset: number): string {
    const known = this.#names.get(offset);
    if (known !== undefined) return known;
    if (offset >= this.#stringsBytes) throw new FdtError(`a property name at ${offset} is outside the strings block`);
    const start = this.#stringsOffset + offset;
    const name = latin1(this.#blob, start, this.#terminator(start, this.#stringsOffset + this.#stringsBytes, 'property'));
    if (name === '') throw new FdtError(`a property name at ${offset} of the strings block is empty`);
    this.#names.set(offset, name);
    return name;
  }

  #terminator(start: number, end: number, what: string): number {
    const limit = Math.min(end, start + NAME_LIMIT);
    for (let at = start; at < limit; at++) {
      const byte = this.#blob[at];
      if (byte === 0) return at;
      if (byte < 0x20 || byte > 0x7e) throw new FdtError(`a ${what} name at ${start} has the invalid byte 0x${byte.toString(16)}`);
    }
    throw new FdtError(`a ${what} name at ${start} has no end`);
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]);
  return text;
}
