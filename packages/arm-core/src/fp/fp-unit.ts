import { layout } from '@tablewalk/engine';
import {
  DZC,
  FPSCR_AHP,
  FPSCR_DN,
  FPSCR_FZ,
  IDC,
  IOC,
  IXC,
  NZCV_EQUAL,
  NZCV_GREATER,
  NZCV_LESS,
  NZCV_UNORDERED,
  OFC,
  ROUND_MINUS,
  ROUND_NEAREST,
  ROUND_PLUS,
  UFC,
} from './fpscr.js';
import { addSig, compareSig, divideSig, mulTop, normalise, rootSig, shiftRightJam, subSig } from './significand.js';
import { FINITE, INFINITE, QUIET_NAN, SIGNALLING_NAN, Unpacked, ZERO } from './unpacked.js';

/** Two-operand operations of `FpUnit.binary`. */
export const OP_ADD = 0;
export const OP_SUB = 1;
export const OP_MUL = 2;
export const OP_DIV = 3;

/**
 * Exact floating-point arithmetic in integers: every rounding mode, NaN rule and exception flag of ARM DDI 0406C, A2.7. The kernels turn to it whenever
 * the host's arithmetic would not do (and the tests hold it against rationals). One object per bound kernel: it keeps scratch space, nothing else.
 *
 * Call `begin` with the control bits, then operations, then `end`, which adds the exceptions to the FPSCR. f32 and f16 travel as their bits, f64 as
 * two words: operands given as (high, low), the result left in `high` and `low`.
 */
export class FpUnit {
  /** FPSCR control bits in force. */
  control = 0;
  exceptions = 0;
  high = 0;
  low = 0;
  readonly a = new Unpacked();
  readonly b = new Unpacked();
  readonly c = new Unpacked();
  readonly r = new Unpacked();
  private readonly product = new Unpacked();

  private readonly words: Int32Array;

  /** `words`: the core's state words. */
  constructor(words: Int32Array) {
    this.words = words;
  }

  /** Arithmetic as the FPSCR says. */
  begin(): void {
    this.control = this.words[layout.FPSCR_CONTROL]!;
    this.exceptions = 0;
  }
  /** Arithmetic of Advanced SIMD: StandardFPSCRValue (A2.7.7). */
  beginStandard(): void {
    this.control = (this.words[layout.FPSCR_CONTROL]! & FPSCR_AHP) | FPSCR_DN | FPSCR_FZ;
    this.exceptions = 0;
  }
  end(): void {
    this.words[layout.FPSCR_EXCEPTIONS] = this.words[layout.FPSCR_EXCEPTIONS]! | this.exceptions;
  }

  get mode(): number {
    return (this.control >>> 22) & 3;
  }

  unpack32(u: Unpacked, bits: number): void {
    u.sign = bits >>> 31;
    const field = (bits >>> 23) & 0xff;
    const fraction = bits & 0x7fffff;
    if (field === 0xff) {
      u.cls = fraction === 0 ? INFINITE : (fraction & 0x400000) !== 0 ? QUIET_NAN : SIGNALLING_NAN;
      u.setTop(fraction << 8, 0);
    } else if (field !== 0) {
      u.cls = FINITE;
      u.exp = field - 127;
      u.setTop((fraction | 0x800000) << 8, 0);
    } else if (fraction === 0) u.cls = ZERO;
    else if ((this.control & FPSCR_FZ) !== 0) this.flushInput(u);
    else {
      u.cls = FINITE;
      u.setTop(fraction << 8, 0);
      u.exp = -126 - normalise(u.sig);
    }
  }

  unpack64(u: Unpacked, high: number, low: number): void {
    u.sign = high >>> 31;
    const field = (high >>> 20) & 0x7ff;
    const fraction = high & 0xfffff;
    const top = (fraction << 11) | (low >>> 21);
    if (field === 0x7ff) {
      u.cls = (fraction | low) === 0 ? INFINITE : (fraction & 0x80000) !== 0 ? QUIET_NAN : SIGNALLING_NAN;
      u.setTop(top, low << 11);
    } else if (field !== 0) {
      u.cls = FINITE;
      u.exp = field - 1023;
      u.setTop(top | 0x80000000, low << 11);
    } else if ((fraction | low) === 0) u.cls = ZERO;
    else if ((this.control & FPSCR_FZ) !== 0) this.flushInput(u);
    else {
      u.cls = FINITE;
      u.setTop(top, low << 11);
      u.exp = -1022 - normalise(u.sig);
    }
  }

  /** Half precision: denormals are never flushed; with AHP the highest exponent is a number like any other (A2.7.4). */
  unpack16(u: Unpacked, bits: number): void {
    u.sign = (bits >>> 15) & 1;
    const field = (bits >>> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (field === 0x1f && (this.control & FPSCR_AHP) === 0) {
      u.cls = fraction === 0 ? INFINITE : (fraction & 0x200) !== 0 ? QUIET_NAN : SIGNALLING_NAN;
      u.setTop(fraction << 21, 0);
    } else if (field !== 0) {
      u.cls = FINITE;
      u.exp = field - 15;
      u.setTop((fraction | 0x400) << 21, 0);
    } else if (fraction === 0) u.cls = ZERO;
    else {
      u.cls = FINITE;
      u.setTop(fraction << 21, 0);
      u.exp = -14 - normalise(u.sig);
    }
  }

  private flushInput(u: Unpacked): void {
    u.cls = ZERO;
    this.exceptions |= IDC;
  }

  /**
   * Rounds the significand of a FINITE value to `precision` bits with `field` as its biased exponent (<= 0: denormal) and leaves in `high` and `low`
   * the packed exponent and fraction, the carry of rounding having moved on into the exponent. Returns the two bits below: 0 exact, 2 half way.
   */
  private roundSig(u: Unpacked, precision: number, field: number, mode: number): number {
    const s = u.sig;
    shiftRightJam(s, 126 - precision + (field < 1 ? 1 - field : 0));
    const rest = s[3]! & 3;
    let low = (s[3]! >>> 2) | (s[2]! << 30);
    let high = s[2]! >>> 2;
    const up =
      mode === ROUND_NEAREST
        ? rest === 3 || (rest === 2 && (low & 1) !== 0)
        : mode === ROUND_PLUS
          ? rest !== 0 && u.sign === 0
          : mode === ROUND_MINUS && rest !== 0 && u.sign !== 0;
    if (up) {
      low = (low + 1) | 0;
      if (low === 0) high++;
    }
    this.high = high;
    this.low = low;
    return rest;
  }

  /** True when overflow gives infinity rather than the largest finite value. */
  private overflowsToInfinity(sign: number, mode: number): boolean {
    return mode === ROUND_NEAREST || mode === (sign === 0 ? ROUND_PLUS : ROUND_MINUS);
  }

  /** Rounds and packs to single precision. `mode` defaults to FPSCR.RMode. */
  pack32(u: Unpacked, mode = this.mode): number {
    const sign = u.sign << 31;
    if (u.cls === ZERO) return sign;
    if (u.cls === INFINITE) return sign | 0x7f800000;
    if (u.cls >= QUIET_NAN) return sign | 0x7fc00000 | (u.sig[0]! >>> 8);
    const field = u.exp + 127;
    if (field < 1 && (this.control & FPSCR_FZ) !== 0) {
      this.exceptions |= UFC;
      return sign;
    }
    if (field < 0xff) {
      const rest = this.roundSig(u, 24, field, mode);
      const packed = this.low + ((field < 1 ? 0 : field - 1) << 23);
      if (packed >>> 23 < 0xff) {
        if (rest !== 0) this.exceptions |= field < 1 ? UFC | IXC : IXC;
        return sign | packed;
      }
    }
    this.exceptions |= OFC | IXC;
    return sign | (this.overflowsToInfinity(u.sign, mode) ? 0x7f800000 : 0x7f7fffff);
  }

  /** Rounds and packs to double precision, into `high` and `low`. */
  pack64(u: Unpacked, mode = this.mode): void {
    const sign = u.sign << 31;
    this.low = 0;
    if (u.cls === ZERO) this.high = sign;
    else if (u.cls === INFINITE) this.high = sign | 0x7ff00000;
    else if (u.cls >= QUIET_NAN) {
      this.high = sign | 0x7ff80000 | (u.sig[0]! >>> 11);
      this.low = (u.sig[0]! << 21) | (u.sig[1]! >>> 11);
    } else {
      const field = u.exp + 1023;
      if (field < 1 && (this.control & FPSCR_FZ) !== 0) {
        this.exceptions |= UFC;
        this.high = sign;
        return;
      }
      if (field < 0x7ff) {
        const rest = this.roundSig(u, 53, field, mode);
        const high = this.high + ((field < 1 ? 0 : field - 1) << 20);
        if (high >>> 20 < 0x7ff) {
          if (rest !== 0) this.exceptions |= field < 1 ? UFC | IXC : IXC;
          this.high = sign | high;
          return;
        }
      }
      this.exceptions |= OFC | IXC;
      const infinite = this.overflowsToInfinity(u.sign, mode);
      this.high = sign | (infinite ? 0x7ff00000 : 0x7fefffff);
      this.low = infinite ? 0 : -1;
    }
  }

  /** Rounds and packs to half precision: never flushed to zero; AHP has no infinities and no NaNs (FPRound, A2.7.4). */
  pack16(u: Unpacked): number {
    const sign = u.sign << 15;
    const alternative = (this.control & FPSCR_AHP) !== 0;
    if (u.cls === ZERO) return sign;
    if (u.cls === INFINITE) {
      if (!alternative) return sign | 0x7c00;
      this.exceptions |= IOC;
      return sign | 0x7fff;
    }
    if (u.cls >= QUIET_NAN) {
      if (!alternative) return sign | 0x7e00 | (u.sig[0]! >>> 21);
      this.exceptions |= IOC;
      return sign;
    }
    const field = u.exp + 15;
    const most = alternative ? 0x20 : 0x1f;
    if (field < most) {
      const rest = this.roundSig(u, 11, field, this.mode);
      const packed = this.low + ((field < 1 ? 0 : field - 1) << 10);
      if (packed >>> 10 < most) {
        if (rest !== 0) this.exceptions |= field < 1 ? UFC | IXC : IXC;
        return sign | packed;
      }
    }
    if (alternative) {
      this.exceptions |= IOC;
      return sign | 0x7fff;
    }
    this.exceptions |= OFC | IXC;
    return sign | (this.overflowsToInfinity(u.sign, this.mode) ? 0x7c00 : 0x7bff);
  }

  /** r := the default NaN. */
  defaultNan(): void {
    this.r.cls = QUIET_NAN;
    this.r.sign = 0;
    this.r.setTop(0x40000000, 0);
  }
  private invalid(): void {
    this.exceptions |= IOC;
    this.defaultNan();
  }
  /** r := what the NaN `u` becomes as a result (FPProcessNaN). */
  quieten(u: Unpacked): void {
    if (u.cls === SIGNALLING_NAN) this.exceptions |= IOC;
    if ((this.control & FPSCR_DN) !== 0) this.defaultNan();
    else {
      const r = this.r;
      r.copy(u);
      r.cls = QUIET_NAN;
      r.sig[0] = r.sig[0]! | 0x40000000;
    }
  }
  /** r := a, ready to be packed in another format (FPConvertNaN for NaNs). */
  convert(): void {
    if (this.a.cls >= QUIET_NAN) this.quieten(this.a);
    else this.r.copy(this.a);
  }
  /** The half-precision bits of a. The alternative format has no NaN: a zero with the NaN's own sign stands for it, DN or not. */
  convertTo16(): number {
    this.convert();
    if ((this.control & FPSCR_AHP) !== 0) this.r.sign = this.a.sign;
    return this.pack16(this.r);
  }
  /** FPProcessNaNs: a signalling NaN first, then in operand order. False when neither is a NaN. */
  nans(a: Unpacked, b: Unpacked): boolean {
    if (a.cls < QUIET_NAN && b.cls < QUIET_NAN) return false;
    if (a.cls === SIGNALLING_NAN) this.quieten(a);
    else if (b.cls === SIGNALLING_NAN) this.quieten(b);
    else this.quieten(a.cls === QUIET_NAN ? a : b);
    return true;
  }

  /** r := a `op` b, exactly up to the bits that `pack` does not need. */
  binary(op: number): void {
    const { a, b, r } = this;
    if (this.nans(a, b)) return;
    if (op === OP_ADD) this.addFinite(a, b);
    else if (op === OP_SUB) {
      b.sign ^= 1;
      this.addFinite(a, b);
    } else if (op === OP_MUL) {
      const sign = a.sign ^ b.sign;
      if (a.cls === FINITE && b.cls === FINITE) this.multiply(r, a, b);
      else if (a.cls + b.cls === ZERO + INFINITE && a.cls !== b.cls) this.invalid();
      else r.set(a.cls === ZERO || b.cls === ZERO ? ZERO : INFINITE, sign);
    } else this.divide();
  }

  /** r := a + b; neither is a NaN. Destroys both. */
  private addFinite(a: Unpacked, b: Unpacked): void {
    const r = this.r;
    if (a.cls === INFINITE || b.cls === INFINITE) {
      if (a.cls === b.cls && a.sign !== b.sign) this.invalid();
      else r.set(INFINITE, a.cls === INFINITE ? a.sign : b.sign);
      return;
    }
    if (a.cls === ZERO || b.cls === ZERO) {
      if (a.cls !== b.cls) r.copy(a.cls === ZERO ? b : a);
      else r.set(ZERO, a.sign === b.sign ? a.sign : this.mode === ROUND_MINUS ? 1 : 0);
      return;
    }
    const order = a.exp !== b.exp ? a.exp - b.exp : compareSig(a.sig, b.sig);
    const more = order >= 0 ? a : b;
    const less = order >= 0 ? b : a;
    // One place of headroom for the carry: the lowest bits of both are 0 (at most 106 of 128 are in use).
    shiftRightJam(more.sig, 1);
    shiftRightJam(less.sig, 1 + more.exp - less.exp);
    if (a.sign === b.sign) addSig(more.sig, less.sig);
    else {
      subSig(more.sig, less.sig);
      if (order === 0) {
        r.set(ZERO, this.mode === ROUND_MINUS ? 1 : 0);
        return;
      }
    }
    r.copy(more);
    r.exp = more.exp + 1 - normalise(r.sig);
  }

  private multiply(r: Unpacked, a: Unpacked, b: Unpacked): void {
    r.cls = FINITE;
    r.sign = a.sign ^ b.sign;
    mulTop(r.sig, a.sig, b.sig);
    r.exp = a.exp + b.exp + 1 - normalise(r.sig);
  }

  private divide(): void {
    const { a, b, r } = this;
    const sign = a.sign ^ b.sign;
    if (a.cls !== FINITE || b.cls !== FINITE) {
      if (a.cls === b.cls) this.invalid();
      else if (a.cls === INFINITE || b.cls === ZERO) {
        if (b.cls === ZERO && a.cls === FINITE) this.exceptions |= DZC;
        r.set(INFINITE, sign);
      } else r.set(ZERO, sign);
      return;
    }
    r.cls = FINITE;
    r.sign = sign;
    divideSig(r.sig, a.sig, b.sig);
    r.exp = a.exp - b.exp - normalise(r.sig);
  }

  /** r := square root of a. */
  squareRoot(): void {
    const { a, r } = this;
    if (a.cls >= QUIET_NAN) this.quieten(a);
    else if (a.cls === ZERO) r.set(ZERO, a.sign);
    else if (a.sign !== 0) this.invalid();
    else if (a.cls === INFINITE) r.set(INFINITE, 0);
    else {
      r.cls = FINITE;
      r.sign = 0;
      // The exponent made even: the radicand is in [1, 4).
      if ((a.exp & 1) === 0) shiftRightJam(a.sig, 1);
      rootSig(r.sig, a.sig, this.b.sig, this.c.sig);
      normalise(r.sig);
      r.exp = a.exp >> 1;
    }
  }

  /** r := c + a * b, rounded once by `pack` (FPMulAdd). */
  multiplyAdd(): void {
    const { a, b, c } = this;
    const zeroTimesInfinity = (a.cls === INFINITE && b.cls === ZERO) || (a.cls === ZERO && b.cls === INFINITE);
    if (c.cls === QUIET_NAN && zeroTimesInfinity) {
      this.invalid();
      return;
    }
    if (a.cls >= QUIET_NAN || b.cls >= QUIET_NAN || c.cls >= QUIET_NAN) {
      if (c.cls === SIGNALLING_NAN) this.quieten(c);
      else if (a.cls === SIGNALLING_NAN) this.quieten(a);
      else if (b.cls === SIGNALLING_NAN) this.quieten(b);
      else this.quieten(c.cls === QUIET_NAN ? c : a.cls === QUIET_NAN ? a : b);
      return;
    }
    if (zeroTimesInfinity) {
      this.invalid();
      return;
    }
    const p = this.product;
    if (a.cls === FINITE && b.cls === FINITE) this.multiply(p, a, b);
    else p.set(a.cls === INFINITE || b.cls === INFINITE ? INFINITE : ZERO, a.sign ^ b.sign);
    this.addFinite(c, p);
  }

  /** NZCV of comparing a with b; `signalling`: quiet NaNs are invalid too (VCMPE). */
  compare(signalling: boolean): number {
    const { a, b } = this;
    if (a.cls >= QUIET_NAN || b.cls >= QUIET_NAN) {
      if (signalling || a.cls === SIGNALLING_NAN || b.cls === SIGNALLING_NAN) this.exceptions |= IOC;
      return NZCV_UNORDERED;
    }
    const order = this.order(a, b);
    return order === 0 ? NZCV_EQUAL : order < 0 ? NZCV_LESS : NZCV_GREATER;
  }

  /** < 0, 0 or > 0; neither is a NaN. */
  order(a: Unpacked, b: Unpacked): number {
    if (a.cls === ZERO && b.cls === ZERO) return 0;
    const negative = a.cls === ZERO ? 1 - b.sign : a.sign;
    if (a.cls !== ZERO && b.cls !== ZERO && a.sign !== b.sign) return a.sign === 1 ? -1 : 1;
    let magnitude = a.cls - b.cls;
    if (magnitude === 0 && a.cls === FINITE) magnitude = a.exp !== b.exp ? a.exp - b.exp : compareSig(a.sig, b.sig);
    if (a.cls === ZERO || b.cls === ZERO) return negative === 1 ? -1 : 1;
    return negative === 1 ? -magnitude : magnitude;
  }

  /**
   * a * 2^fractionBits as an integer of `size` bits (at most 32), saturated (FPToFixed). NaN gives 0; both it and saturation are invalid, not inexact.
   * The result is an i32 (u32 values above 2^31 - 1 as their bits).
   */
  toInteger(size: number, unsigned: boolean, fractionBits: number, mode: number): number {
    const a = this.a;
    if (a.cls === ZERO) return 0;
    if (a.cls >= QUIET_NAN) {
      this.exceptions |= IOC;
      return 0;
    }
    const least = unsigned ? 0 : -(2 ** (size - 1));
    const most = unsigned ? 2 ** size - 1 : 2 ** (size - 1) - 1;
    const exp = a.exp + fractionBits;
    let value = Infinity;
    let rest = 0;
    if (a.cls === FINITE && exp < 33) {
      const s = a.sig;
      shiftRightJam(s, 125 - exp);
      rest = s[3]! & 3;
      value = s[2]! * 0x40000000 + (s[3]! >>> 2);
      if (
        mode === ROUND_NEAREST
          ? rest === 3 || (rest === 2 && value % 2 === 1)
          : rest !== 0 && mode === (a.sign === 0 ? ROUND_PLUS : ROUND_MINUS)
      )
        value++;
    }
    if (a.sign !== 0) value = -value;
    if (value < least || value > most) {
      this.exceptions |= IOC;
      return (value < least ? least : most) | 0;
    }
    if (rest !== 0) this.exceptions |= IXC;
    return value | 0;
  }

  /** r := value / 2^fractionBits (FixedToFP); `value` is an i32, or its u32 reading when `unsigned`. */
  fromInteger(value: number, unsigned: boolean, fractionBits: number): void {
    const r = this.r;
    const negative = !unsigned && value < 0;
    const magnitude = (negative ? -value : value) >>> 0;
    if (magnitude === 0) {
      r.set(ZERO, 0);
      return;
    }
    r.set(FINITE, negative ? 1 : 0);
    r.setTop(magnitude, 0);
    r.exp = 31 - normalise(r.sig) - fractionBits;
  }
}
