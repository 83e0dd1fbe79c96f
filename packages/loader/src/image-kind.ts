import { isElf } from './elf.js';
import { isUImage } from './uimage.js';
import { isZImage } from './zimage.js';

/** What a file is, from its first bytes. `raw` is everything else. */
export type ImageKind = 'elf' | 'zimage' | 'uimage' | 'fdt' | 'cpio' | 'gzip' | 'xz' | 'arm64' | 'raw';

/** Tells images apart by their magic numbers; never throws. The contents may still be damaged: the parsers say so. */
export function imageKind(bytes: Uint8Array): ImageKind {
  if (isElf(bytes)) return 'elf';
  if (isZImage(bytes)) return 'zimage';
  if (isUImage(bytes)) return 'uimage';
  if (startsWith(bytes, 0, [0xd0, 0x0d, 0xfe, 0xed])) return 'fdt';
  if (startsWith(bytes, 0, [0x30, 0x37, 0x30, 0x37, 0x30, 0x31]) || startsWith(bytes, 0, [0x30, 0x37, 0x30, 0x37, 0x30, 0x32]))
    return 'cpio';
  if (isGzip(bytes)) return 'gzip';
  if (startsWith(bytes, 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  // Linux, Documentation/arm64/booting: "ARM\x64" at 56.
  if (startsWith(bytes, 56, [0x41, 0x52, 0x4d, 0x64])) return 'arm64';
  return 'raw';
}

/** True for a gzip member that uses DEFLATE (RFC 1952, 2.3). */
export function isGzip(bytes: Uint8Array): boolean {
  return startsWith(bytes, 0, [0x1f, 0x8b, 0x08]);
}

function startsWith(bytes: Uint8Array, offset: number, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[offset + index] === byte);
}
