import { FdtError } from './fdt-error.js';
import { StringTable } from './string-table.js';

/** One property: a name and its raw big-endian bytes (Devicetree Specification v0.4, 2.2.4). */
export interface FdtProperty {
  readonly name: string;
  readonly value: Uint8Array;
}

/** One node. Order is significant: it is the order in the blob. The root's name is empty. */
export interface FdtNode {
  readonly name: string;
  readonly properties: FdtProperty[];
  readonly children: FdtNode[];
}

/** One entry of the memory reservation block (5.3), as pairs of 32-bit halves because addresses are 64 bits wide. */
export interface FdtReservation {
  readonly addressHigh: number;
  readonly addressLow: number;
  readonly sizeHigh: number;
  readonly sizeLow: number;
}

/** What a property may be set to: nothing (a flag), a string, 32-bit cells, or bytes as they are. */
export type FdtValue = true | string | readonly number[] | Uint8Array;

/**
 * A device tree in memory, edited in the order that a blob edited in place has: a new property becomes the first of its node and a new node the
 * first of its parent, because that is where room is made without moving what precedes. Boards that build their tree by such edits (QEMU's do)
 * are matched byte for byte by making the same edits in the same order.
 */
export class FdtTree {
  readonly root: FdtNode;
  readonly reservations: FdtReservation[];
  /** Names in the order in which they were first used; the writer emits it as it is. */
  readonly strings: StringTable;
  /** `boot_cpuid_phys` of the header (5.2). */
  readonly bootCpu: number;

  constructor(root?: FdtNode, reservations: FdtReservation[] = [], strings = new StringTable(), bootCpu = 0) {
    this.root = root ?? { name: '', properties: [], children: [] };
    this.reservations = reservations;
    this.strings = strings;
    this.bootCpu = bootCpu;
  }

  /** The node at an absolute path such as `/cpus/cpu@0`, or undefined. A part without `@` also finds a node with a unit address (2.2.3). */
  find(path: string): FdtNode | undefined {
    let node: FdtNode | undefined = this.root;
    for (const part of pathParts(path)) {
      node = findChild(node, part);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** Adds an empty node. Throws {@link FdtError} when the parent is missing or the node exists. */
  addNode(path: string): FdtNode {
    const parts = pathParts(path);
    const name = parts.pop();
    if (name === undefined) throw new FdtError(`cannot add the root node again (path '${path}')`);
    const parent = this.find(`/${parts.join('/')}`);
    if (parent === undefined) throw new FdtError(`cannot add ${path}: its parent does not exist`);
    if (parent.children.some((child) => child.name === name)) throw new FdtError(`cannot add ${path}: it exists`);
    const node: FdtNode = { name, properties: [], children: [] };
    parent.children.unshift(node);
    return node;
  }

  /** Removes every child of the root that `matches`; tells how many. */
  removeRootChildren(matches: (node: FdtNode) => boolean): number {
    const { children } = this.root;
    const before = children.length;
    for (let index = before - 1; index >= 0; index--) if (matches(children[index])) children.splice(index, 1);
    return before - children.length;
  }

  /** Sets a property, in place when the node has it. Throws {@link FdtError} when the node is missing. */
  set(path: string, name: string, value: FdtValue): void {
    const node = this.find(path);
    if (node === undefined) throw new FdtError(`cannot set ${name} of ${path}: no such node`);
    const property: FdtProperty = { name, value: encodeValue(value) };
    const index = node.properties.findIndex((existing) => existing.name === name);
    if (index >= 0) {
      node.properties[index] = property;
      return;
    }
    this.strings.offsetOf(name);
    node.properties.unshift(property);
  }

  /** Raw bytes of a property, or undefined. */
  get(path: string, name: string): Uint8Array | undefined {
    return this.find(path)?.properties.find((property) => property.name === name)?.value;
  }

  /** One-cell property as an unsigned number, or undefined when missing or not four bytes. */
  getCell(path: string, name: string): number | undefined {
    const value = this.get(path, name);
    if (value === undefined || value.length !== 4) return undefined;
    return ((value[0] << 24) | (value[1] << 16) | (value[2] << 8) | value[3]) >>> 0;
  }
}

function pathParts(path: string): string[] {
  if (!path.startsWith('/')) throw new FdtError(`'${path}' is not an absolute path`);
  return path.split('/').filter((part) => part !== '');
}

function findChild(node: FdtNode, part: string): FdtNode | undefined {
  for (const child of node.children) if (child.name === part) return child;
  if (part.includes('@')) return undefined;
  for (const child of node.children) if (child.name.startsWith(`${part}@`)) return child;
  return undefined;
}

/** Bytes of a property value: strings are UTF-8 with a terminating NUL, numbers are 32-bit big-endian cells. */
export function encodeValue(value: FdtValue): Uint8Array {
  if (value === true) return new Uint8Array(0);
  if (typeof value === 'string') return encodeString(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  const bytes = new Uint8Array(value.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < value.length; index++) view.setUint32(index * 4, value[index]);
  return bytes;
}

/** UTF-8 with a terminating NUL, without needing a TextEncoder (a library has no DOM types). */
function encodeString(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  bytes.push(0);
  return Uint8Array.from(bytes);
}
