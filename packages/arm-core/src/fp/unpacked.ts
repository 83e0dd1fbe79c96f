/** Classes of a floating-point value. NaNs are the two highest. */
export const ZERO = 0;
export const FINITE = 1;
export const INFINITE = 2;
export const QUIET_NAN = 3;
export const SIGNALLING_NAN = 4;

/**
 * A floating-point value taken apart: (-1)^sign * sig * 2^(exp - 127), where sig is a 128-bit integer, most significant word first, whose bit 127 is set
 * for FINITE values. Wide enough for the exact product of two doubles and for the sum of such a product and a third, with the bits that fall off the
 * end kept as one (`shiftRightJam`). A NaN keeps its fraction with the quiet bit at bit 126, so that payloads move between formats by truncation.
 */
export class Unpacked {
  cls = ZERO;
  sign = 0;
  exp = 0;
  readonly sig = new Uint32Array(4);

  set(cls: number, sign: number): void {
    this.cls = cls;
    this.sign = sign;
  }
  copy(from: Unpacked): void {
    this.cls = from.cls;
    this.sign = from.sign;
    this.exp = from.exp;
    const to = this.sig;
    const s = from.sig;
    to[0] = s[0]!;
    to[1] = s[1]!;
    to[2] = s[2]!;
    to[3] = s[3]!;
  }
  /** Significand := the 64 bits given, at the top. */
  setTop(high: number, low: number): void {
    const s = this.sig;
    s[0] = high;
    s[1] = low;
    s[2] = 0;
    s[3] = 0;
  }
}
