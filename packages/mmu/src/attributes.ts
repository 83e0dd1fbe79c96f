import { MEMORY_DEVICE, MEMORY_NORMAL, MEMORY_STRONGLY_ORDERED } from '@tablewalk/machine/contracts';

/**
 * Memory attributes of one mapping in one integer, so that a walk ends in a table look-up and a TLB entry holds them in a word:
 *
 *      17 16  15           8   7   6   5  4   3  2   1  0
 *     |  SH  | attribute byte | OS | S | outer| inner| type |
 *
 * type: MEMORY_*. inner, outer: 0 non-cacheable, 1 write-back write-allocate, 2 write-through, 3 write-back. S shareable, OS shareable beyond the
 * inner domain. The attribute byte is MAIRn's and SH the
 * descriptor's own two bits (long descriptors; 0 otherwise), which PAR returns as they are.
 */
export type PackedAttributes = number;

const SHAREABLE = 1 << 6;
const OUTER_SHAREABLE = 1 << 7;

export const attributeType = (packed: PackedAttributes): 0 | 1 | 2 => (packed & 3) as 0 | 1 | 2;
export const attributeInner = (packed: PackedAttributes): number => (packed >> 2) & 3;
export const attributeOuter = (packed: PackedAttributes): number => (packed >> 4) & 3;
export const attributeShareable = (packed: PackedAttributes): boolean => (packed & SHAREABLE) !== 0;
export const attributeOuterShareable = (packed: PackedAttributes): boolean => (packed & OUTER_SHAREABLE) !== 0;
export const attributeSh = (packed: PackedAttributes): number => (packed >> 16) & 3;
export const attributeByte = (packed: PackedAttributes): number => (packed >> 8) & 0xff;

function pack(type: number, inner: number, outer: number, shareable: boolean, outerShareable: boolean, raw = 0): PackedAttributes {
  return (
    type | (inner << 2) | (outer << 4) | (shareable ? SHAREABLE : 0) | (shareable && outerShareable ? OUTER_SHAREABLE : 0) | (raw << 8)
  );
}

/** TEX remap off (B3.8.2, Table B3-10). `texCB` is TEX[2:0]:C:B. Reserved encodings are taken as Strongly-ordered, the safe reading. */
export function texAttributes(texCB: number, s: boolean): PackedAttributes {
  // TEX[2] set: cacheable memory with the outer policy in TEX[1:0] and the inner one in C:B.
  if ((texCB & 0x10) !== 0) return pack(MEMORY_NORMAL, texCB & 3, (texCB >> 2) & 3, s, s);
  switch (texCB) {
    case 0b00001:
      return pack(MEMORY_DEVICE, 0, 0, true, true);
    case 0b00010:
      return pack(MEMORY_NORMAL, 2, 2, s, s);
    case 0b00011:
      return pack(MEMORY_NORMAL, 3, 3, s, s);
    case 0b00100:
      return pack(MEMORY_NORMAL, 0, 0, s, s);
    case 0b00111:
      return pack(MEMORY_NORMAL, 1, 1, s, s);
    case 0b01000:
      return pack(MEMORY_DEVICE, 0, 0, false, false);
    default:
      return pack(MEMORY_STRONGLY_ORDERED, 0, 0, true, true);
  }
}

/** TEX remap on (B3.8.3): only TEX[0]:C:B count, as an index into PRRR and NMRR. The reserved type 0b11 is taken as Strongly-ordered. */
export function remappedAttributes(texCB: number, s: boolean, prrr: number, nmrr: number): PackedAttributes {
  const n = texCB & 7;
  const type = (prrr >>> (2 * n)) & 3;
  if (type === MEMORY_NORMAL || type === MEMORY_DEVICE) {
    const normal = type === MEMORY_NORMAL;
    // NS1/NS0 (bits 19:18) or DS1/DS0 (17:16) say what the descriptor's S bit means for this type; NOSn keeps it to the inner domain.
    const shareable = ((prrr >>> ((normal ? 18 : 16) + (s ? 1 : 0))) & 1) !== 0;
    const outerShareable = ((prrr >>> (24 + n)) & 1) === 0;
    const inner = normal ? (nmrr >>> (2 * n)) & 3 : 0;
    const outer = normal ? (nmrr >>> (16 + 2 * n)) & 3 : 0;
    return pack(type, inner, outer, shareable, outerShareable);
  }
  return pack(MEMORY_STRONGLY_ORDERED, 0, 0, true, true);
}

/** One nibble of a MAIR byte for Normal memory: RW allocation hints in bits 1:0, policy above (B4.1.104, Tables B4-5 and B4-6). */
function mairCacheability(nibble: number): number {
  if (nibble === 4) return 0;
  // 0b00RW (RW != 0) and 0b10RW are write-through, 0b01RW and 0b11RW write-back; W is write-allocate.
  if ((nibble & 4) === 0) return 2;
  return (nibble & 1) !== 0 ? 1 : 3;
}

/** Long descriptors: the MAIR byte that AttrIndx chose, and SH[1:0] (B3.8.5). Unpredictable bytes are taken as Strongly-ordered. */
export function mairAttributes(byte: number, sh: number): PackedAttributes {
  const high = byte >> 4;
  const low = byte & 0xf;
  const raw = byte | (sh << 8);
  if (high === 0) {
    return pack(low === 4 ? MEMORY_DEVICE : MEMORY_STRONGLY_ORDERED, 0, 0, true, true, raw);
  }
  if (low === 0) return pack(MEMORY_STRONGLY_ORDERED, 0, 0, true, true, raw);
  const inner = mairCacheability(low);
  const outer = mairCacheability(high);
  // Memory that no level caches is Outer Shareable whatever SH says.
  const uncached = inner === 0 && outer === 0;
  return pack(MEMORY_NORMAL, inner, outer, uncached || sh >= 2, uncached || sh === 2, raw);
}

/** MMU off (B3.2.1): data is Strongly-ordered; fetches are Normal memory, write-through when SCTLR.I is set. */
export const FLAT_DATA_ATTRIBUTES: PackedAttributes = pack(MEMORY_STRONGLY_ORDERED, 0, 0, true, true);
export const FLAT_FETCH_UNCACHED: PackedAttributes = pack(MEMORY_NORMAL, 0, 0, true, true);
export const FLAT_FETCH_CACHED: PackedAttributes = pack(MEMORY_NORMAL, 2, 2, true, true);
