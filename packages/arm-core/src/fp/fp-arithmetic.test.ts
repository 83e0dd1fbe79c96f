import type { StateViews, VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import { DZC, FPSCR_DN, FPSCR_FZ, IDC, IOC, IXC, OFC, UFC } from './fpscr.js';
import * as neon from './neon-float-kernels.js';
import { vcvtS32F32 } from './vfp-convert-kernels.js';
import * as vfp from './vfp-kernels.js';

/*
 * The kernels against a second implementation in rationals of BigInt: finite operands, every rounding mode, flush-to-zero, the flags. Both of a kernel's
 * ways are taken: the host's arithmetic (nearest) and the exact one (other modes), with IXC set before and not.
 */

interface Format {
  readonly bits: number;
  readonly precision: number;
  readonly least: number;
  readonly most: number;
}
const f32: Format = { bits: 32, precision: 24, least: -126, most: 127 };
const f64: Format = { bits: 64, precision: 53, least: -1022, most: 1023 };

/** num / den * 2^exp, den > 0; `sign` of a zero. */
interface Exact {
  readonly num: bigint;
  readonly den: bigint;
  readonly exp: number;
  readonly negative: boolean;
}
interface Outcome {
  readonly bits: bigint;
  readonly flags: number;
}

const state = (): StateViews => {
  const buffer = new ArrayBuffer(layout.STATE_BYTES);
  return {
    words: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    u8: new Uint8Array(buffer),
    i8: new Int8Array(buffer),
    u16: new Uint16Array(buffer),
    i16: new Int16Array(buffer),
  };
};

const abs = (x: bigint): bigint => (x < 0n ? -x : x);
const fractionBits = (format: Format): number => format.precision - 1;
const biasOf = (format: Format): number => format.most;

/** Operand as a rational; denormals are flushed with FZ. */
const decode = (format: Format, bits: bigint, flush: boolean): { value: Exact; flags: number } => {
  const p = BigInt(fractionBits(format));
  const negative = bits >> BigInt(format.bits - 1) === 1n;
  const field = Number((bits >> p) & ((1n << BigInt(format.bits - format.precision)) - 1n));
  const fraction = bits & ((1n << p) - 1n);
  const denormal = field === 0 && fraction !== 0n;
  const magnitude = field === 0 ? (flush ? 0n : fraction) : fraction | (1n << p);
  const exp = (field === 0 ? format.least : field - biasOf(format)) - fractionBits(format);
  return { value: { num: negative ? -magnitude : magnitude, den: 1n, exp, negative }, flags: denormal && flush ? IDC : 0 };
};

/** Rounds a rational: ARM's rules, tininess before rounding. */
const round = (format: Format, x: Exact, mode: number, flush: boolean): Outcome => {
  const sign = (x.num === 0n ? x.negative : x.num < 0n) ? 1n << BigInt(format.bits - 1) : 0n;
  const negative = sign !== 0n;
  let num = abs(x.num);
  if (num === 0n) return { bits: sign, flags: 0 };
  let den = x.den;
  if (x.exp >= 0) num <<= BigInt(x.exp);
  else den <<= BigInt(-x.exp);
  // Exponent e with 2^e <= num / den < 2^(e + 1).
  let e = num.toString(2).length - den.toString(2).length;
  const below = e >= 0 ? num < den << BigInt(e) : num << BigInt(-e) < den;
  if (below) e--;
  const tiny = e < format.least;
  if (tiny && flush) return { bits: sign, flags: UFC };
  const unit = (tiny ? format.least : e) - fractionBits(format);
  const scaledNum = unit >= 0 ? num : num << BigInt(-unit);
  const scaledDen = unit >= 0 ? den << BigInt(unit) : den;
  let q = scaledNum / scaledDen;
  const rest = 2n * (scaledNum % scaledDen);
  const up =
    mode === 0
      ? rest > scaledDen || (rest === scaledDen && q % 2n === 1n)
      : mode === 1
        ? rest > 0n && !negative
        : mode === 2 && rest > 0n && negative;
  if (up) q++;
  const packed = q + (tiny ? 0n : BigInt(e + biasOf(format) - 1) << BigInt(fractionBits(format)));
  const infinity = ((1n << BigInt(format.bits - format.precision)) - 1n) << BigInt(fractionBits(format));
  if (packed >= infinity) {
    const toInfinity = mode === 0 || mode === (negative ? 2 : 1);
    return { bits: sign | (toInfinity ? infinity : infinity - 1n), flags: OFC | IXC };
  }
  return { bits: sign | packed, flags: rest !== 0n ? IXC | (tiny ? UFC : 0) : 0 };
};

const add = (a: Exact, b: Exact, mode: number): Exact => {
  const exp = Math.min(a.exp, b.exp);
  const left = (a.num * b.den) << BigInt(a.exp - exp);
  const right = (b.num * a.den) << BigInt(b.exp - exp);
  const bothZero = a.num === 0n && b.num === 0n;
  return { num: left + right, den: a.den * b.den, exp, negative: bothZero && a.negative === b.negative ? a.negative : mode === 2 };
};
const mul = (a: Exact, b: Exact): Exact => ({
  num: a.num * b.num,
  den: a.den * b.den,
  exp: a.exp + b.exp,
  negative: a.negative !== b.negative,
});
const negate = (a: Exact): Exact => ({ ...a, num: -a.num, negative: !a.negative });
const div = (a: Exact, b: Exact): Exact => ({
  num: b.num < 0n ? -a.num : a.num,
  den: abs(b.num),
  exp: a.exp - b.exp,
  negative: a.negative !== b.negative,
});

let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return (t ^ (t >>> 14)) >>> 0;
};
/** Finite operands: near the ends of the range, near 1, with few and with many bits. */
const operand = (format: Format): bigint => {
  const highest = 2 * format.most;
  const middle = [0, 1, 2, format.precision, format.most - format.precision, format.most, format.most + 1, highest - 1, highest];
  const pick = random() % 4;
  const field =
    pick === 0
      ? middle[random() % middle.length]!
      : pick === 1
        ? format.most - 30 + (random() % 60)
        : pick === 2
          ? random() % (highest + 1)
          : format.most;
  const p = fractionBits(format);
  let fraction = ((BigInt(random()) << 32n) | BigInt(random())) & ((1n << BigInt(p)) - 1n);
  if (random() % 3 === 0) fraction = [0n, 1n, (1n << BigInt(p)) - 1n, 1n << BigInt(p - 1)][random() % 4]!;
  if (random() % 3 === 0) fraction = (fraction >> BigInt(p - 8)) << BigInt(p - 8);
  return (BigInt(random() & 1) << BigInt(format.bits - 1)) | (BigInt(field) << BigInt(p)) | fraction;
};

class Bench {
  readonly views = state();
  readonly bound = new Map<VectorKernel, (a: number, b: number, c: number) => void>();

  put(format: Format, n: number, bits: bigint): void {
    if (format.bits === 32) this.views.words[layout.D0 + n] = Number(BigInt.asIntN(32, bits));
    else {
      this.views.words[layout.D0 + 2 * n] = Number(BigInt.asIntN(32, bits));
      this.views.words[layout.D0 + 2 * n + 1] = Number(BigInt.asIntN(32, bits >> 32n));
    }
  }
  get(format: Format, n: number): bigint {
    const { u32 } = this.views;
    return format.bits === 32
      ? BigInt(u32[layout.D0 + n]!)
      : (BigInt(u32[layout.D0 + 2 * n + 1]!) << 32n) | BigInt(u32[layout.D0 + 2 * n]!);
  }
  run(kernel: VectorKernel, a: number, b: number, c: number): void {
    let run = this.bound.get(kernel);
    if (run === undefined) this.bound.set(kernel, (run = kernel.bind(this.views)));
    run(a, b, c);
  }
}

type Reference = (format: Format, d: Exact, n: Exact, m: Exact, mode: number, flush: boolean) => Outcome;
const chained =
  (negateD: boolean, negateP: boolean): Reference =>
  (format, d, n, m, mode, flush) => {
    const product = round(format, mul(n, m), mode, flush);
    const p = decode(format, product.bits, flush).value;
    if ((product.flags & OFC) !== 0) return { bits: -1n, flags: 0 };
    const sum = round(format, add(negateD ? negate(d) : d, negateP ? negate(p) : p, mode), mode, flush);
    return { bits: sum.bits, flags: sum.flags | product.flags | decode(format, product.bits, flush).flags };
  };
const fused =
  (negateD: boolean, negateN: boolean): Reference =>
  (format, d, n, m, mode, flush) =>
    round(format, add(negateD ? negate(d) : d, mul(negateN ? negate(n) : n, m), mode), mode, flush);

const cases: readonly [name: string, double: VectorKernel, single: VectorKernel, reference: Reference, usesD: boolean][] = [
  ['vadd', vfp.vaddF64, vfp.vaddF32, (f, _, n, m, mode, flush) => round(f, add(n, m, mode), mode, flush), false],
  ['vsub', vfp.vsubF64, vfp.vsubF32, (f, _, n, m, mode, flush) => round(f, add(n, negate(m), mode), mode, flush), false],
  ['vmul', vfp.vmulF64, vfp.vmulF32, (f, _, n, m, mode, flush) => round(f, mul(n, m), mode, flush), false],
  [
    'vdiv',
    vfp.vdivF64,
    vfp.vdivF32,
    (f, _, n, m, mode, flush) => (m.num === 0n ? { bits: -1n, flags: 0 } : round(f, div(n, m), mode, flush)),
    false,
  ],
  ['vmla', vfp.vmlaF64, vfp.vmlaF32, chained(false, false), true],
  ['vmls', vfp.vmlsF64, vfp.vmlsF32, chained(false, true), true],
  ['vnmla', vfp.vnmlaF64, vfp.vnmlaF32, chained(true, true), true],
  ['vnmls', vfp.vnmlsF64, vfp.vnmlsF32, chained(true, false), true],
  ['vfma', vfp.vfmaF64, vfp.vfmaF32, fused(false, false), true],
  ['vfms', vfp.vfmsF64, vfp.vfmsF32, fused(false, true), true],
  ['vfnma', vfp.vfnmaF64, vfp.vfnmaF32, fused(true, true), true],
  ['vfnms', vfp.vfnmsF64, vfp.vfnmsF32, fused(true, false), true],
];

describe.each(cases)('%s', (_, double, single, reference, usesD) => {
  it.each([
    ['f64', f64, double],
    ['f32', f32, single],
  ] as const)('%s equals rationals in every mode', (__, format, kernel) => {
    const bench = new Bench();
    const { words } = bench.views;
    for (let i = 0; i < 4000; i++) {
      const bits = [operand(format), operand(format), operand(format)] as const;
      // Cancellation: an accumulator near the product, a difference near zero.
      const near = random() % 4 === 0;
      const d = bits[0];
      const n = bits[1];
      const m = near ? bits[1] ^ BigInt(random() % 4) : bits[2];
      const mode = random() % 2 === 0 ? 0 : random() % 4;
      const flush = random() % 3 === 0;
      const before = random() % 2 === 0 ? IXC : 0;
      bench.put(format, 0, d);
      bench.put(format, 1, n);
      bench.put(format, 2, m);
      words[layout.FPSCR_CONTROL] = (mode << 22) | (flush ? FPSCR_FZ : 0);
      words[layout.FPSCR_EXCEPTIONS] = before;
      const [vd, vn, vm] = [decode(format, d, flush), decode(format, n, flush), decode(format, m, flush)];
      const expected = reference(format, vd.value, vn.value, vm.value, mode, flush);
      if (expected.bits < 0n) continue;
      bench.run(kernel, 0, 1, 2);
      const flags = expected.flags | vn.flags | vm.flags | (usesD ? vd.flags : 0) | before;
      const shown = `${n.toString(16)} ${m.toString(16)} ${d.toString(16)} mode ${mode} fz ${flush}`;
      expect([bench.get(format, 0).toString(16), words[layout.FPSCR_EXCEPTIONS]!.toString(16), shown]).toEqual([
        expected.bits.toString(16),
        flags.toString(16),
        shown,
      ]);
    }
  });
});

describe('square root', () => {
  it.each([
    ['f64', f64, vfp.vsqrtF64],
    ['f32', f32, vfp.vsqrtF32],
  ] as const)('%s: the square of the result and of its neighbour enclose the operand', (_, format, kernel) => {
    const bench = new Bench();
    const { words } = bench.views;
    for (let i = 0; i < 2000; i++) {
      const a = operand(format) & ((1n << BigInt(format.bits - 1)) - 1n);
      const exact = decode(format, a, false).value;
      bench.put(format, 1, a);
      const results: bigint[] = [];
      for (const mode of [0, 1, 2, 3]) {
        words[layout.FPSCR_CONTROL] = mode << 22;
        words[layout.FPSCR_EXCEPTIONS] = 0;
        bench.run(kernel, 0, 1, 0);
        results.push(bench.get(format, 0));
        const root = decode(format, bench.get(format, 0), false).value;
        const square = add(mul(root, root), negate(exact), 0);
        expect(words[layout.FPSCR_EXCEPTIONS]).toBe(square.num === 0n ? 0 : IXC);
        if (mode === 1) expect(square.num >= 0n).toBe(true);
        if (mode >= 2) expect(square.num <= 0n).toBe(true);
      }
      const [nearest, up, down, zero] = results as [bigint, bigint, bigint, bigint];
      expect(zero).toBe(down);
      expect(up - down <= 1n).toBe(true);
      // The middle between the neighbours, squared, decides.
      const low = decode(format, down, false).value;
      const middle: Exact = { num: 2n * low.num + 1n, den: 1n, exp: low.exp - 1, negative: false };
      if (up !== down) expect(nearest).toBe(add(mul(middle, middle), negate(exact), 0).num < 0n ? up : down);
    }
  });
});

describe('special operands', () => {
  const run = (kernel: VectorKernel, control: number, d: number, n: number, m: number): readonly [number, number] => {
    const bench = new Bench();
    bench.views.words.set([d | 0, n | 0, m | 0], layout.D0);
    bench.views.words[layout.FPSCR_CONTROL] = control;
    bench.run(kernel, 0, 1, 2);
    return [bench.views.u32[layout.D0]!, bench.views.words[layout.FPSCR_EXCEPTIONS]!];
  };
  const [one, inf, qnan, snan, other] = [0x3f800000, 0x7f800000, 0x7fc00123, 0xff800456, 0xffc00789];

  it('propagates NaNs in operand order, signalling ones first', () => {
    expect(run(vfp.vaddF32, 0, 0, qnan, other)).toEqual([qnan, 0]);
    expect(run(vfp.vaddF32, 0, 0, qnan, snan)).toEqual([0xffc00456, IOC]);
    expect(run(vfp.vaddF32, FPSCR_DN, 0, other, one)).toEqual([0x7fc00000, 0]);
    expect(run(vfp.vmlsF32, 0, one, other, one)).toEqual([0x7fc00789, 0]);
    expect(run(vfp.vfmaF32, 0, qnan, 0, inf)).toEqual([0x7fc00000, IOC]);
    expect(run(vfp.vfmaF32, 0, qnan, other, one)).toEqual([qnan, 0]);
  });
  it('knows what is invalid and what is division by zero', () => {
    expect(run(vfp.vsubF32, 0, 0, inf, inf)).toEqual([0x7fc00000, IOC]);
    expect(run(vfp.vmulF32, 0, 0, inf, 0x80000000)).toEqual([0x7fc00000, IOC]);
    expect(run(vfp.vdivF32, 0, 0, one, 0x80000000)).toEqual([0xff800000, DZC]);
    expect(run(vfp.vdivF32, 0, 0, 0, 0)).toEqual([0x7fc00000, IOC]);
    expect(run(vfp.vdivF32, 0, 0, inf, 0)).toEqual([inf, 0]);
  });
  it('saturates conversions to integers', () => {
    const convert = (value: number): readonly [number, number] => run(vcvtS32F32, 0, 0, value, 0);
    const bench = new Bench();
    const results: number[][] = [];
    for (const value of [3e9, -3e9, Number.NaN, 1.5, -0.5]) {
      bench.views.f32[layout.D0 + 1] = value;
      bench.views.words[layout.FPSCR_EXCEPTIONS] = 0;
      bench.run(vcvtS32F32, 0, 1, 1);
      results.push([bench.views.words[layout.D0]!, bench.views.words[layout.FPSCR_EXCEPTIONS]!]);
    }
    expect(results).toEqual([
      [0x7fffffff, IOC],
      [-0x80000000, IOC],
      [0, IOC],
      [1, IXC],
      [0, IXC],
    ]);
    expect(convert(0)[1]).toBe(0);
  });
  it('flushes and defaults in Advanced SIMD whatever the FPSCR says', () => {
    expect(run(neon.vaddF32[0]!, 3 << 22, 0, 0, 0)[0]).toBe(0);
    const bench = new Bench();
    bench.views.words.set([1, 1, 0x3f800000, 0xffc00001 | 0], layout.D0 + 2);
    bench.run(neon.vaddF32[0]!, 0, 1, 2);
    expect([bench.views.u32[layout.D0], bench.views.u32[layout.D0 + 1]]).toEqual([one, 0x7fc00000]);
    expect(bench.views.words[layout.FPSCR_EXCEPTIONS]).toBe(IDC);
  });
});
