import { attributeInner, attributeOuter, attributeOuterShareable, attributeSh, attributeShareable, attributeType } from './attributes.js';

const PAR_F = 1;
const PAR_SS = 1 << 1;
const PAR_NS = 1 << 9;
const PAR_LPAE = 1 << 11;

/**
 * PAR[31:0] after a translation that succeeded (B4.1.112). NS reads as one: this core has no Secure state. With 32 bits a supersection returns
 * PA[31:24] and SS; PA[39:32] would follow in bits 23:16.
 */
export function parSuccessLow(pa: number, sizeLog2: number, long: boolean, attributes: number, withAttributes: boolean): number {
  const low = (pa % 0x100000000) >>> 0;
  if (long) {
    const sh = attributeSh(attributes);
    return ((low & 0xfffff000) | PAR_LPAE | PAR_NS | (sh << 7)) >>> 0;
  }
  const bits = PAR_NS | (withAttributes ? shortAttributes(attributes) : 0);
  if (sizeLog2 !== 24) return ((low & 0xfffff000) | bits) >>> 0;
  const extended = withAttributes ? Math.floor(pa / 0x100000000) << 16 : 0;
  return ((low & 0xff000000) | extended | PAR_SS | bits) >>> 0;
}

/** PAR[63:32] of the 64-bit format: PA[39:32] and the MAIR byte in bits 63:56. */
export function parSuccessHigh(pa: number, attributeByte: number): number {
  return (Math.floor(pa / 0x100000000) | (attributeByte << 24)) >>> 0;
}

/** PAR[31:0] after a fault: `status` is the six-bit field. */
export function parFailure(status: number, long: boolean): number {
  return (status << 1) | PAR_F | (long ? PAR_LPAE : 0);
}

/** NOS (10), SH (7), Inner (6:4), Outer (3:2) of the 32-bit format. */
function shortAttributes(attributes: number): number {
  const type = attributeType(attributes);
  const inner = attributeInner(attributes);
  // Inner: 0 non-cacheable, 1 Strongly-ordered, 3 Device, 5 WB-WA, 6 WT, 7 WB. Outer has the coding of the packed word.
  const innerField = type === 0 ? 1 : type === 1 ? 3 : inner === 0 ? 0 : 4 + inner;
  const shareable = attributeShareable(attributes);
  const notOuter = shareable && !attributeOuterShareable(attributes);
  return (notOuter ? 1 << 10 : 0) | (shareable ? 1 << 7 : 0) | (innerField << 4) | (attributeOuter(attributes) << 2);
}
