import type { PureKernel } from '../kernel.js';
import * as op from '../ops.js';

type Value = () => number;

/** The rest of the two-operand values, one shape each. */
export const binaryValue = (kind: number, a: Value, b: Value): Value => {
  switch (kind) {
    case op.ROTR:
      return () => {
        const x = a();
        const n = b() & 31;
        return (x >>> n) | (x << (32 - n));
      };
    case op.MUL_HIGH_S:
      return () => multiplyHighSigned(a(), b());
    case op.MUL_HIGH_U:
      return () => multiplyHighUnsigned(a(), b());
    case op.DIV_S:
      return () => {
        const x = a();
        const y = b();
        return y === 0 ? 0 : (x / y) | 0;
      };
    case op.DIV_U:
      return () => {
        const x = a() >>> 0;
        const y = b() >>> 0;
        return y === 0 ? 0 : (x / y) | 0;
      };
    case op.LSL_REG:
      return () => {
        const x = a();
        const n = b() & 255;
        return n < 32 ? x << n : 0;
      };
    case op.LSR_REG:
      return () => {
        const x = a();
        const n = b() & 255;
        return n < 32 ? (x >>> n) | 0 : 0;
      };
    case op.ASR_REG:
      return () => {
        const x = a();
        const n = b() & 255;
        return x >> (n < 32 ? n : 31);
      };
    case op.ROR_REG:
      return () => {
        const x = a();
        const n = b() & 31;
        return (x >>> n) | (x << (32 - n));
      };
    default:
      throw new Error(`[engine] [closures] no two-operand micro-operation ${kind}`);
  }
};

/** Carry out of a shift by register; `n` = 0 gives the carry in (ARM DDI 0406C, A2.2.1 Shift_C). */
export const carryValue = (kind: number, a: Value, b: Value, c: Value): Value => {
  switch (kind) {
    case op.LSL_CARRY:
      return () => {
        const x = a();
        const n = b() & 255;
        return n === 0 ? c() : n <= 32 ? (x >>> (32 - n)) & 1 : 0;
      };
    case op.LSR_CARRY:
      return () => {
        const x = a();
        const n = b() & 255;
        return n === 0 ? c() : n <= 32 ? (x >>> (n - 1)) & 1 : 0;
      };
    case op.ASR_CARRY:
      return () => {
        const x = a();
        const n = b() & 255;
        return n === 0 ? c() : n <= 32 ? (x >>> (n - 1)) & 1 : x >>> 31;
      };
    default:
      return () => {
        const x = a();
        const n = b() & 255;
        return n === 0 ? c() : (x >>> ((n - 1) & 31)) & 1;
      };
  }
};

export const unaryValue = (kind: number, a: Value): Value => {
  switch (kind) {
    case op.NOT:
      return () => ~a();
    case op.NEG:
      return () => -a() | 0;
    case op.CLZ:
      return () => Math.clz32(a());
    case op.REV:
      return () => reverseBytes(a());
    case op.REV16:
      return () => {
        const x = a();
        return ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
      };
    case op.REVSH:
      return () => {
        const x = a();
        return ((x << 24) >> 16) | ((x >>> 8) & 0xff);
      };
    case op.RBIT:
      return () => reverseBits(a());
    case op.SXT8:
      return () => (a() << 24) >> 24;
    case op.SXT16:
      return () => (a() << 16) >> 16;
    case op.UXT8:
      return () => a() & 0xff;
    case op.UXT16:
      return () => a() & 0xffff;
    case op.EQZ:
      return () => (a() === 0 ? 1 : 0);
    default:
      throw new Error(`[engine] [closures] no one-operand micro-operation ${kind}`);
  }
};

/** Both arms are computed: they are values without effects, but for a load that must happen either way. */
export const selectValue =
  (condition: Value, yes: Value, no: Value): Value =>
  () => {
    const c = condition();
    const y = yes();
    const n = no();
    return c !== 0 ? y : n;
  };

export const pureValue = (kernel: PureKernel, a: Value, b: Value | undefined, c: Value | undefined): Value => {
  const { run } = kernel;
  if (b === undefined) return () => run(a(), 0, 0);
  if (c === undefined) return () => run(a(), b(), 0);
  return () => run(a(), b(), c());
};

/** Bits 63:32 of the unsigned product of two 32-bit words, by 16-bit halves (a double holds no 64-bit product). Signed result. */
export const multiplyHighUnsigned = (x: number, y: number): number => {
  const xl = x & 0xffff;
  const xh = x >>> 16;
  const yl = y & 0xffff;
  const yh = y >>> 16;
  const low = xl * yl;
  const middle = xh * yl + (low >>> 16);
  const cross = xl * yh + (middle & 0xffff);
  return (xh * yh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) | 0;
};
/** Bits 63:32 of the signed product. */
export const multiplyHighSigned = (x: number, y: number): number => (multiplyHighUnsigned(x, y) - (x < 0 ? y : 0) - (y < 0 ? x : 0)) | 0;

export const reverseBytes = (x: number): number => (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);

export const reverseBits = (x: number): number => {
  let v = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  return reverseBytes(v);
};
