import type { AccessSize } from '@tablewalk/machine/contracts';

/** Mask of an access of `size` bytes, as an unsigned number. */
export function sizeMask(size: AccessSize): number {
  return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
}

/** The bytes that an access of `size` at `offset` sees of the little-endian 32-bit register `word`. */
export function laneOf(word: number, offset: number, size: AccessSize): number {
  return size === 4 ? word >>> 0 : ((word >>> ((offset & 3) << 3)) & sizeMask(size)) >>> 0;
}

/** Identification registers of a PrimeCell: four PeripheralID bytes and four PCellID bytes, a word apart, from 0xFE0 to the end of the window. */
export function primeCellId(bytes: readonly number[], offset: number): number | undefined {
  return offset >= 0xfe0 && offset < 0x1000 ? bytes[(offset - 0xfe0) >> 2] : undefined;
}

/** An offset for a diagnostic: `0x018`. */
export function hexOffset(offset: number): string {
  return `0x${offset.toString(16).padStart(3, '0')}`;
}
