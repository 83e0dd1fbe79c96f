import { LoaderError } from './loader-error.js';

/** One member of an archive. */
export interface CpioEntry {
  /** Path without a leading slash, one character a byte. */
  readonly name: string;
  /** File type and permissions as in `st_mode`: 0o100644, 0o40755, 0o120777, 0o20600. */
  readonly mode: number;
  /** Contents; the target of a symbolic link. Empty for directories and devices. */
  readonly data: Uint8Array;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Device numbers of a device node. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly inode: number;
  readonly linkCount: number;
}

/** What the writer needs; the rest is 0 (1 link, 2 for directories; inodes count from 1). */
export type CpioInput = Pick<CpioEntry, 'name' | 'mode'> &
  Partial<Pick<CpioEntry, 'data' | 'uid' | 'gid' | 'mtime' | 'deviceMajor' | 'deviceMinor'>>;

const HEADER_BYTES = 110;
const TRAILER = 'TRAILER!!!';
const NAME_LIMIT = 4096;
const TYPE_MASK = 0o170000;
const TYPE_DIRECTORY = 0o040000;

/**
 * Reads an uncompressed archive in the "newc" format, with or without checksums (Linux, Documentation/driver-api/early-userspace/buffer-format).
 * Stops at the trailer; contents are views of `bytes`.
 *
 * @throws {LoaderError} not an archive, truncated, damaged
 */
export function readCpio(bytes: Uint8Array): CpioEntry[] {
  const entries: CpioEntry[] = [];
  for (let at = 0; ; ) {
    if (at + HEADER_BYTES > bytes.length) throw fail(`the archive ends without a trailer (at ${at} of ${bytes.length})`);
    const magic = ascii(bytes, at, 6);
    if (magic !== '070701' && magic !== '070702') throw fail(`no member header at ${at}`);
    const field = (index: number): number => hex(bytes, at + 6 + index * 8);
    const dataByteLength = field(6);
    const nameByteLength = field(11);
    if (nameByteLength < 1 || nameByteLength > NAME_LIMIT) throw fail(`a name of ${nameByteLength} bytes at ${at}`);
    const nameStart = at + HEADER_BYTES;
    const dataStart = aligned(nameStart + nameByteLength);
    const dataEnd = dataStart + dataByteLength;
    if (nameStart + nameByteLength > bytes.length || dataEnd > bytes.length) throw fail(`truncated: the member at ${at} does not fit`);
    if (bytes[nameStart + nameByteLength - 1] !== 0) throw fail(`the name at ${nameStart} is not terminated`);
    const name = ascii(bytes, nameStart, nameByteLength - 1);
    if (name === TRAILER) return entries;
    const data = bytes.subarray(dataStart, dataEnd);
    if (magic === '070702') checkSum(data, field(12), name);
    entries.push({
      name,
      mode: field(1),
      data,
      uid: field(2),
      gid: field(3),
      mtime: field(5),
      deviceMajor: field(9),
      deviceMinor: field(10),
      inode: field(0),
      linkCount: field(4),
    });
    at = aligned(dataEnd);
  }
}

/**
 * Writes a "newc" archive that the kernel accepts as an initramfs. The same entries give the same bytes: times are 0 unless given. Padded to 512 bytes.
 *
 * @throws {LoaderError} a name that is empty, too long or not one character a byte
 */
export function writeCpio(inputs: readonly CpioInput[]): Uint8Array {
  const members = [...inputs.map((input, index) => ({ input, inode: index + 1 })), { input: { name: TRAILER, mode: 0 }, inode: 0 }];
  let total = 0;
  for (const { input } of members) total = aligned(aligned(total + HEADER_BYTES + input.name.length + 1) + dataOf(input).length);
  const bytes = new Uint8Array(Math.ceil(total / 512) * 512);
  let at = 0;
  for (const { input, inode } of members) at = writeMember(bytes, at, input, inode);
  return bytes;
}

const NO_DATA = new Uint8Array(0);
const dataOf = (input: CpioInput): Uint8Array => input.data ?? NO_DATA;

function writeMember(bytes: Uint8Array, start: number, input: CpioInput, inode: number): number {
  const { name, mode } = input;
  if (name === '' || name.length >= NAME_LIMIT || /[^\x01-\xff]/.test(name))
    throw fail(`'${name.slice(0, 40)}' is not a name that an archive can hold`);
  const data = dataOf(input);
  const links = (mode & TYPE_MASK) === TYPE_DIRECTORY ? 2 : 1;
  const fields = [
    inode,
    mode,
    input.uid ?? 0,
    input.gid ?? 0,
    links,
    input.mtime ?? 0,
    data.length,
    0,
    0,
    input.deviceMajor ?? 0,
    input.deviceMinor ?? 0,
    name.length + 1,
    0,
  ];
  let at = writeText(bytes, start, '070701');
  for (const field of fields) at = writeText(bytes, at, (field >>> 0).toString(16).toUpperCase().padStart(8, '0'));
  at = aligned(writeText(bytes, at, name) + 1);
  bytes.set(data, at);
  return aligned(at + data.length);
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
  return at + text.length;
}

const aligned = (offset: number): number => (offset + 3) & ~3;

function checkSum(data: Uint8Array, expected: number, name: string): void {
  let sum = 0;
  for (let at = 0; at < data.length; at++) sum = (sum + data[at]) >>> 0;
  if (sum !== expected) throw fail(`the contents of '${name}' are damaged (their checksum is wrong)`);
}

function hex(bytes: Uint8Array, at: number): number {
  const text = ascii(bytes, at, 8);
  if (!/^[0-9a-fA-F]{8}$/.test(text)) throw fail(`a header field at ${at} is not a hexadecimal number`);
  return Number.parseInt(text, 16);
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += String.fromCharCode(bytes[at + index]);
  return text;
}

function fail(message: string): LoaderError {
  return new LoaderError('cpio', message);
}
