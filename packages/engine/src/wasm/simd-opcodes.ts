/**
 * Vector instructions, after the prefix (WebAssembly Core Specification 2.0, section 5.4.8). Tables are by lane size (0: 8 bits, 3: 64), those of both
 * signs by sign first (0: signed).
 */
export const V128_LOAD = 0;
export const V128_STORE = 11;
export const V128_CONST = 12;
export const SHUFFLE = 13;
export const SWIZZLE = 14;
export const SPLAT_I32 = 17;
export const SPLAT_F64 = 20;
export const F64_EXTRACT_LANE = 33;
export const NOT = 77;
export const AND = 78;
/** a & ~b. */
export const AND_NOT = 79;
export const OR = 80;
export const XOR = 81;
/** (a & c) | (b & ~c). */
export const BITSELECT = 82;
export const ANY_TRUE = 83;
export const LOAD64_LANE = 87;
export const STORE64_LANE = 91;
export const LOAD64_ZERO = 93;

export const EQ = [35, 45, 55, 214] as const;
export const NE = [36, 46, 56, 215] as const;
export const LT_S = [37, 47, 57] as const;
export const LE_S = [41, 51, 61] as const;
export const GT = [
  [39, 49, 59],
  [40, 50, 60],
] as const;
export const GE = [
  [43, 53, 63],
  [44, 54, 64],
] as const;
export const ABS = [96, 128, 160, 192] as const;
export const NEG = [97, 129, 161, 193] as const;
export const POPCNT = 98;
export const BITMASK_I8 = 100;
export const SHL = [107, 139, 171, 203] as const;
export const SHR = [
  [108, 140, 172, 204],
  [109, 141, 173, 205],
] as const;
export const ADD = [110, 142, 174, 206] as const;
export const SUB = [113, 145, 177, 209] as const;
export const ADD_SATURATING = [
  [111, 143],
  [112, 144],
] as const;
export const SUB_SATURATING = [
  [114, 146],
  [115, 147],
] as const;
export const MIN = [
  [118, 150, 182],
  [119, 151, 183],
] as const;
export const MAX = [
  [120, 152, 184],
  [121, 153, 185],
] as const;
/** Not for 8 bits. */
export const MUL = [-1, 149, 181, 213] as const;
/** By the size of the narrow lanes: the low half, twice as wide. */
export const EXTEND_LOW = [
  [135, 167, 199],
  [137, 169, 201],
] as const;
export const EXTENDED_PRODUCT_LOW = [
  [156, 188, 220],
  [158, 190, 222],
] as const;
/** Sums of neighbours, by the size of the narrow lanes. */
export const PAIRWISE_LONG = [
  [124, 126],
  [125, 127],
] as const;
/** Two operands of signed lanes into lanes half as wide, saturated: by the sign of the result, then its size. */
export const NARROW = [
  [101, 133],
  [102, 134],
] as const;

export const F32_EQ = 65;
export const F32_NE = 66;
export const F32_LT = 67;
export const F32_GT = 68;
export const F32_LE = 69;
export const F32_GE = 70;
export const F64_EQ = 71;
export const F64_NE = 72;
export const F32_TRUNC = 105;
export const F32_ABS = 224;
export const F32_ADD = 228;
export const F32_SUB = 229;
export const F32_MUL = 230;
export const F32_MIN = 232;
export const F32_MAX = 233;
export const F64_NEG = 237;
export const F64_ADD = 240;
export const F64_MUL = 242;
export const F32_FROM_I32 = [250, 251] as const;
/** Of the lower two lanes. */
export const F64_FROM_I32 = [254, 255] as const;
export const I32_FROM_F32 = [248, 249] as const;
export const PROMOTE_LOW = 95;
export const DEMOTE_ZERO = 94;
