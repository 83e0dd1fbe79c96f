import { crc32 } from './crc32.js';
import { LoaderError } from './loader-error.js';

/** What a legacy U-Boot image holds. */
export type UImageType = 'kernel' | 'kernel-noload' | 'ramdisk';

/** A legacy U-Boot image (`mkimage`; U-Boot, include/image.h, `struct legacy_img_hdr`). All fields are big-endian in the file. */
export interface UImage {
  readonly name: string;
  readonly type: UImageType;
  /** The payload expects Linux's boot protocol (r0 = 0, r1 = machine, r2 = device tree). */
  readonly linux: boolean;
  /** Physical address where the payload belongs; meaningless for `kernel-noload`. */
  readonly loadAddress: number;
  /** Physical entry point; for `kernel-noload` relative to the payload. */
  readonly entryPoint: number;
  /** The payload (a view). */
  readonly data: Uint8Array;
}

export const UIMAGE_HEADER_BYTES = 64;
const MAGIC = 0x27051956;
const ARCHITECTURE_ARM = 2;
const OS_LINUX = 5;
const TYPES: Readonly<Record<number, UImageType>> = { 2: 'kernel', 3: 'ramdisk', 14: 'kernel-noload' };
const COMPRESSIONS: Readonly<Record<number, string>> = { 1: 'gzip', 2: 'bzip2', 3: 'lzma', 4: 'lzo', 5: 'lz4', 6: 'zstd' };

/** True when the bytes start with a legacy image header's magic number. */
export function isUImage(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x27 && bytes[1] === 0x05 && bytes[2] === 0x19 && bytes[3] === 0x56;
}

/**
 * Reads an uncompressed single-file image for ARM and checks both checksums.
 *
 * @throws {LoaderError} not an image, damaged, truncated, or of a kind that is not supported (other architectures, compression, multi-file images)
 */
export function parseUImage(bytes: Uint8Array): UImage {
  if (!isUImage(bytes)) throw fail(`not a U-Boot image (no ${MAGIC.toString(16)} at the start)`);
  if (bytes.length < UIMAGE_HEADER_BYTES) throw fail(`truncated: ${bytes.length} bytes are less than a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Not slice(): a Node Buffer's is a view, and the caller's bytes must stay as they are.
  const header = new Uint8Array(bytes.subarray(0, UIMAGE_HEADER_BYTES));
  header.fill(0, 4, 8);
  if (crc32(header) !== view.getUint32(4)) throw fail('the header is damaged (its checksum is wrong)');
  const byteLength = view.getUint32(12);
  if (UIMAGE_HEADER_BYTES + byteLength > bytes.length) {
    throw fail(`truncated: the header says ${byteLength} bytes of contents, there are ${bytes.length - UIMAGE_HEADER_BYTES}`);
  }
  const data = bytes.subarray(UIMAGE_HEADER_BYTES, UIMAGE_HEADER_BYTES + byteLength);
  if (crc32(data) !== view.getUint32(24)) throw fail('the contents are damaged (their checksum is wrong)');
  const [os, architecture, typeNumber, compression] = bytes.subarray(28, 32);
  if (architecture !== ARCHITECTURE_ARM) throw fail(`made for architecture ${architecture}, not for 32-bit ARM (2)`);
  const type = TYPES[typeNumber];
  if (type === undefined) throw fail(`an image of type ${typeNumber} is not supported; kernels (2, 14) and ramdisks (3) are`);
  // A compressed ramdisk is the kernel's business: it is passed on as it is.
  if (compression !== 0 && type !== 'ramdisk') {
    throw fail(`${COMPRESSIONS[compression] ?? `compression ${compression}`} is not supported; decompress the image first`);
  }
  let name = '';
  for (let at = 32; at < UIMAGE_HEADER_BYTES && bytes[at] !== 0; at++) name += String.fromCharCode(bytes[at]);
  return { name, type, linux: os === OS_LINUX, loadAddress: view.getUint32(16), entryPoint: view.getUint32(20), data };
}

function fail(message: string): LoaderError {
  return new LoaderError('uimage', message);
}
