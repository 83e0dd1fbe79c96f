/** CRC-32 as zlib, gzip and U-Boot compute it (reflected polynomial 0xedb88320). Unsigned. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (let at = 0; at < bytes.length; at++) {
    // Two table steps of four bits: 16 entries instead of 256, and no state in the module.
    crc ^= bytes[at];
    crc = (crc >>> 4) ^ nibble(crc & 15);
    crc = (crc >>> 4) ^ nibble(crc & 15);
  }
  return ~crc >>> 0;
}

function nibble(index: number): number {
  return NIBBLES[index];
}

const NIBBLES = Object.freeze([
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8,
  0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
]);
