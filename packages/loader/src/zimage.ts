import { LoaderError } from './loader-error.js';

/** Header of an ARM zImage (Linux, Documentation/arm/booting and arch/arm/boot/compressed). */
export interface ZImage {
  /** Address it was linked to run at; 0 means that it runs anywhere. */
  readonly start: number;
  /** Length of the image proper in bytes: `end - start` of the header. */
  readonly imageByteLength: number;
  /** The kernel inside runs big-endian. */
  readonly bigEndian: boolean;
  /** A device tree blob appended to the image (CONFIG_ARM_APPENDED_DTB): where it starts in the file, and its `totalsize`. */
  readonly appendedDtb?: { readonly offset: number; readonly byteLength: number };
}

const MAGIC = 0x016f2818;
const ENDIAN_MARK = 0x04030201;
const HEADER_BYTES = 0x34;
const FDT_MAGIC = 0xd00dfeed;

/** True when the zImage magic number is at offset 0x24, in either byte order. */
export function isZImage(bytes: Uint8Array): boolean {
  if (bytes.length < 0x28) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(0x24, true) === MAGIC || view.getUint32(0x24, false) === MAGIC;
}

/**
 * Reads the header.
 *
 * @throws {LoaderError} not a zImage; truncated; contradictory
 */
export function parseZImage(bytes: Uint8Array): ZImage {
  if (!isZImage(bytes)) throw new LoaderError('zimage', 'not a zImage (no 016f2818 at offset 0x24)');
  if (bytes.length < HEADER_BYTES) throw new LoaderError('zimage', `truncated: ${bytes.length} bytes are less than a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint32(0x24, true) === MAGIC;
  const start = view.getUint32(0x28, little);
  const end = view.getUint32(0x2c, little);
  const imageByteLength = end - start;
  if (imageByteLength < HEADER_BYTES)
    throw new LoaderError('zimage', `the header says ${imageByteLength} bytes, which is less than a header`);
  if (imageByteLength > bytes.length) {
    throw new LoaderError('zimage', `truncated: the header says ${imageByteLength} bytes, there are ${bytes.length}`);
  }
  const header = { start, imageByteLength, bigEndian: view.getUint32(0x30, true) !== ENDIAN_MARK && !little };
  const dtbOffset = imageByteLength;
  if (dtbOffset + 8 > bytes.length || view.getUint32(dtbOffset) !== FDT_MAGIC) return header;
  const byteLength = view.getUint32(dtbOffset + 4);
  if (byteLength < 40 || dtbOffset + byteLength > bytes.length) {
    throw new LoaderError('zimage', `the appended device tree says ${byteLength} bytes, there are ${bytes.length - dtbOffset}`);
  }
  return { ...header, appendedDtb: { offset: dtbOffset, byteLength } };
}
