import { FdtError } from './fdt-error.js';
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_HEADER_BYTES,
  FDT_LAST_COMPATIBLE_VERSION,
  FDT_MAGIC,
  FDT_PROP,
  FDT_RESERVATION_BYTES,
  FDT_VERSION,
} from './fdt-format.js';
import type { FdtNode, FdtTree } from './fdt-tree.js';

/** How a blob is laid out. */
export interface FdtWriteOptions {
  /** `totalsize` of the header and length of the result, zero-padded. Default: what the contents need. Throws {@link FdtError} when too small. */
  readonly totalSize?: number;
  /** Offset of the reservation block: 48 (default), as when a blob is made from nothing, or 40, as compilers place it. */
  readonly reservationOffset?: 40 | 48;
}

/**
 * Flattens a tree: header, reservation block, structure block, strings block, padding, in that order. The same tree gives the same bytes.
 *
 * @returns the blob; its first {@link fdtContentBytes} bytes are contents, the rest is zero
 */
export function writeFdt(tree: FdtTree, options: FdtWriteOptions = {}): Uint8Array {
  const reservationOffset = options.reservationOffset ?? 48;
  const structOffset = reservationOffset + (tree.reservations.length + 1) * FDT_RESERVATION_BYTES;
  const structBytes = nodeBytes(tree.root) + 4;
  const names = new Map<string, number>();
  collectNames(tree.root, tree, names);
  const strings = tree.strings.bytes();
  const stringsOffset = structOffset + structBytes;
  const used = stringsOffset + strings.length;
  const totalSize = options.totalSize ?? used;
  if (totalSize < used) throw new FdtError(`the tree needs ${used} bytes and only ${totalSize} are allowed`);
  const bytes = new Uint8Array(totalSize);
  const view = new DataView(bytes.buffer);
  const header = [
    FDT_MAGIC,
    totalSize,
    structOffset,
    stringsOffset,
    reservationOffset,
    FDT_VERSION,
    FDT_LAST_COMPATIBLE_VERSION,
    tree.bootCpu,
    strings.length,
    structBytes,
  ];
  for (let index = 0; index < FDT_HEADER_BYTES / 4; index++) view.setUint32(index * 4, header[index]);
  let at: number = reservationOffset;
  for (const { addressHigh, addressLow, sizeHigh, sizeLow } of tree.reservations) {
    view.setUint32(at, addressHigh);
    view.setUint32(at + 4, addressLow);
    view.setUint32(at + 8, sizeHigh);
    view.setUint32(at + 12, sizeLow);
    at += FDT_RESERVATION_BYTES;
  }
  at = writeNode(tree.root, structOffset, bytes, view, names);
  view.setUint32(at, FDT_END);
  bytes.set(strings, stringsOffset);
  return bytes;
}

/** Bytes of a blob up to the end of its strings block, from its header. The rest of `totalsize` is padding. */
export function fdtContentBytes(blob: Uint8Array): number {
  if (blob.length < FDT_HEADER_BYTES) throw new FdtError('a blob is shorter than its header');
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  return Math.max(view.getUint32(8) + view.getUint32(36), view.getUint32(12) + view.getUint32(32));
}

const aligned = (length: number): number => (length + 3) & ~3;

function nodeBytes(node: FdtNode): number {
  let total = 4 + aligned(node.name.length + 1) + 4;
  for (const { value } of node.properties) total += 12 + aligned(value.length);
  for (const child of node.children) total += nodeBytes(child);
  return total;
}

function collectNames(node: FdtNode, tree: FdtTree, names: Map<string, number>): void {
  for (const { name } of node.properties) if (!names.has(name)) names.set(name, tree.strings.offsetOf(name));
  for (const child of node.children) collectNames(child, tree, names);
}

function writeNode(node: FdtNode, start: number, bytes: Uint8Array, view: DataView, names: ReadonlyMap<string, number>): number {
  let at = start;
  view.setUint32(at, FDT_BEGIN_NODE);
  at += 4;
  for (let index = 0; index < node.name.length; index++) bytes[at + index] = node.name.charCodeAt(index);
  at += aligned(node.name.length + 1);
  for (const { name, value } of node.properties) {
    view.setUint32(at, FDT_PROP);
    view.setUint32(at + 4, value.length);
    view.setUint32(at + 8, names.get(name) ?? 0);
    bytes.set(value, at + 12);
    at += 12 + aligned(value.length);
  }
  for (const child of node.children) at = writeNode(child, at, bytes, view, names);
  view.setUint32(at, FDT_END_NODE);
  return at + 4;
}
