import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { FpUnit, OP_ADD, OP_MUL, OP_SUB } from './fp-unit.js';
import { DZC, IOC, NZCV_EQUAL, NZCV_GREATER, NZCV_UNORDERED, ROUND_NEAREST, ROUND_ZERO, UFC } from './fpscr.js';
import { addNearest32, fmaNearest32, MIN_NORMAL_32, mulNearest32, OddRounding } from './host-arithmetic.js';
import { kernel } from './kernel.js';
import { INFINITE, QUIET_NAN, ZERO } from './unpacked.js';

/**
 * Single-precision Advanced SIMD: always with StandardFPSCRValue (ARM DDI 0406C, A2.7.7): default NaN, flush to zero, round to nearest. Registers are D
 * register numbers, also for Q forms; kernels come in pairs, D then Q.
 */

const D0 = layout.D0;
const SIGN = 0x80000000 | 0;

/** Zero or a normal number: what flush-to-zero leaves alone. */
const isReady = (x: number): boolean => x === 0 || Math.abs(x) >= MIN_NORMAL_32;

/** On the host: the result, or NaN to decline. */
type HostLane = (words: Int32Array, a: number, b: number, accumulator: number) => number;
/** Exactly: bits to bits. */
type ExactLane = (unit: FpUnit, a: number, b: number, accumulator: number) => number;

/** Immediates d, n, m. */
const lanes = (name: string, accumulates: boolean, makeHost: () => HostLane, exact: ExactLane): readonly VectorKernel[] =>
  [false, true].map((q) =>
    kernel(q ? `${name}.q` : name, ({ words, f32 }) => {
      const unit = new FpUnit(words);
      const host = makeHost();
      const count = q ? 4 : 2;
      return (d, n, m) => {
        let to = D0 + 2 * d;
        let left = D0 + 2 * n;
        let right = D0 + 2 * m;
        for (const end = to + count; to < end; to++, left++, right++) {
          const a = f32[left]!;
          const b = f32[right]!;
          const c = f32[to]!;
          if (isReady(a) && isReady(b) && (!accumulates || isReady(c))) {
            const r = host(words, a, b, c);
            if (r === r) {
              f32[to] = r;
              continue;
            }
          }
          unit.beginStandard();
          words[to] = exact(unit, words[left]!, words[right]!, words[to]!);
          unit.end();
        }
      };
    }),
  );

const decline: HostLane = () => NaN;
const arithmetic = (unit: FpUnit, op: number, a: number, b: number): number => {
  unit.unpack32(unit.a, a);
  unit.unpack32(unit.b, b);
  unit.binary(op);
  return unit.pack32(unit.r);
};

export const vaddF32 = lanes(
  'vadd.f32.simd',
  false,
  () => addNearest32,
  (unit, a, b) => arithmetic(unit, OP_ADD, a, b),
);
export const vsubF32 = lanes(
  'vsub.f32.simd',
  false,
  () => (words, a, b) => addNearest32(words, a, -b),
  (unit, a, b) => arithmetic(unit, OP_SUB, a, b),
);
export const vmulF32 = lanes(
  'vmul.f32.simd',
  false,
  () => mulNearest32,
  (unit, a, b) => arithmetic(unit, OP_MUL, a, b),
);
export const vabdF32 = lanes(
  'vabd.f32.simd',
  false,
  () => (words, a, b) => Math.abs(addNearest32(words, a, -b)),
  (unit, a, b) => arithmetic(unit, OP_SUB, a, b) & 0x7fffffff,
);
/** Rounded product, then rounded sum. */
const chained = (name: string, negate: boolean): readonly VectorKernel[] =>
  lanes(
    name,
    true,
    () => (words, a, b, c) => {
      const p = mulNearest32(words, a, b);
      return addNearest32(words, c, negate ? -p : p);
    },
    (unit, a, b, c) => arithmetic(unit, OP_ADD, c, arithmetic(unit, OP_MUL, a, b) ^ (negate ? SIGN : 0)),
  );
export const vmlaF32 = chained('vmla.f32.simd', false);
export const vmlsF32 = chained('vmls.f32.simd', true);
const fusedLanes = (name: string, negate: boolean): readonly VectorKernel[] =>
  lanes(
    name,
    true,
    () => {
      const odd = new OddRounding();
      return (words, a, b, c) => fmaNearest32(words, odd, c, negate ? -a : a, b);
    },
    (unit, a, b, c) => {
      unit.unpack32(unit.c, c);
      unit.unpack32(unit.a, a ^ (negate ? SIGN : 0));
      unit.unpack32(unit.b, b);
      unit.multiplyAdd();
      return unit.pack32(unit.r);
    },
  );
export const vfmaF32 = fusedLanes('vfma.f32.simd', false);
export const vfmsF32 = fusedLanes('vfms.f32.simd', true);

/** FPMax, FPMin: NaNs as in arithmetic; of two zeros the positive one is greater. */
const extreme = (unit: FpUnit, a: number, b: number, maximum: boolean): number => {
  unit.unpack32(unit.a, a);
  unit.unpack32(unit.b, b);
  if (!unit.nans(unit.a, unit.b)) {
    if (unit.a.cls === ZERO && unit.b.cls === ZERO) unit.r.set(ZERO, maximum ? unit.a.sign & unit.b.sign : unit.a.sign | unit.b.sign);
    else unit.r.copy(unit.order(unit.a, unit.b) > 0 === maximum ? unit.a : unit.b);
  }
  return unit.pack32(unit.r);
};
const hostMaximum: HostLane = (_, a, b) => Math.max(a, b);
const hostMinimum: HostLane = (_, a, b) => Math.min(a, b);
export const vmaxF32 = lanes(
  'vmax.f32.simd',
  false,
  () => hostMaximum,
  (unit, a, b) => extreme(unit, a, b, true),
);
export const vminF32 = lanes(
  'vmin.f32.simd',
  false,
  () => hostMinimum,
  (unit, a, b) => extreme(unit, a, b, false),
);

const ONE_AND_HALF = 0x3fc00000;
const TWO = 0x40000000;
const THREE = 0x40400000;
const HALF = 0x3f000000;
const isZeroTimesInfinity = (unit: FpUnit): boolean => unit.a.cls + unit.b.cls === ZERO + INFINITE && unit.a.cls !== unit.b.cls;

/** Newton-Raphson steps: 2 - a * b and (3 - a * b) / 2; zero times infinity counts as 0 without being invalid (FPRecipStep, FPRSqrtStep). */
const step = (name: string, root: boolean): readonly VectorKernel[] =>
  lanes(
    name,
    false,
    () => decline,
    (unit, a, b) => {
      unit.unpack32(unit.a, a);
      unit.unpack32(unit.b, b);
      if (isZeroTimesInfinity(unit)) return root ? ONE_AND_HALF : TWO;
      unit.binary(OP_MUL);
      const difference = arithmetic(unit, OP_SUB, root ? THREE : TWO, unit.pack32(unit.r));
      return root ? arithmetic(unit, OP_MUL, difference, HALF) : difference;
    },
  );
export const vrecpsF32 = step('vrecps.f32', false);
export const vrsqrtsF32 = step('vrsqrts.f32', true);

/** Comparisons give all ones or zeros. VCEQ is quiet, the others signal for any NaN. */
type Relation = 'eq' | 'ge' | 'gt';
const holds = (relation: Relation, nzcv: number): boolean =>
  nzcv !== NZCV_UNORDERED &&
  (relation === 'eq' ? nzcv === NZCV_EQUAL : relation === 'gt' ? nzcv === NZCV_GREATER : nzcv === NZCV_EQUAL || nzcv === NZCV_GREATER);
/** `a` and `b`: state word of an operand from (lane word of n, of m). */
const compareLanes = (name: string, relation: Relation, absolute: boolean, order: 'nm' | 'mn' | 'm0' | '0m'): readonly VectorKernel[] =>
  [false, true].map((q) =>
    kernel(q ? `${name}.q` : name, ({ words }) => {
      const unit = new FpUnit(words);
      const count = q ? 4 : 2;
      const mask = absolute ? 0x7fffffff : -1;
      return (d, n, m) => {
        for (let i = 0; i < count; i++) {
          const left = words[D0 + 2 * n + i]! & mask;
          const right = words[D0 + 2 * m + i]! & mask;
          unit.beginStandard();
          unit.unpack32(unit.a, order === 'nm' ? left : order === 'm0' ? right : order === 'mn' ? right : 0);
          unit.unpack32(unit.b, order === 'nm' ? right : order === 'm0' ? 0 : order === 'mn' ? left : right);
          words[D0 + 2 * d + i] = holds(relation, unit.compare(relation !== 'eq')) ? -1 : 0;
          unit.end();
        }
      };
    }),
  );
export const vceqF32 = compareLanes('vceq.f32', 'eq', false, 'nm');
export const vcgeF32 = compareLanes('vcge.f32', 'ge', false, 'nm');
export const vcgtF32 = compareLanes('vcgt.f32', 'gt', false, 'nm');
export const vacgeF32 = compareLanes('vacge.f32', 'ge', true, 'nm');
export const vacgtF32 = compareLanes('vacgt.f32', 'gt', true, 'nm');
/** With zero: immediates d, m, m. */
export const vceqZeroF32 = compareLanes('vceq.f32.zero', 'eq', false, 'm0');
export const vcgeZeroF32 = compareLanes('vcge.f32.zero', 'ge', false, 'm0');
export const vcgtZeroF32 = compareLanes('vcgt.f32.zero', 'gt', false, 'm0');
export const vcleZeroF32 = compareLanes('vcle.f32.zero', 'ge', false, '0m');
export const vcltZeroF32 = compareLanes('vclt.f32.zero', 'gt', false, '0m');

/** Pairwise (D only): d, n, m. */
const pairs = (name: string, exact: (unit: FpUnit, a: number, b: number) => number): VectorKernel =>
  kernel(name, ({ words }) => {
    const unit = new FpUnit(words);
    return (d, n, m) => {
      unit.beginStandard();
      const first = exact(unit, words[D0 + 2 * n]!, words[D0 + 2 * n + 1]!);
      const second = exact(unit, words[D0 + 2 * m]!, words[D0 + 2 * m + 1]!);
      unit.end();
      words[D0 + 2 * d] = first;
      words[D0 + 2 * d + 1] = second;
    };
  });
export const vpaddF32 = pairs('vpadd.f32', (unit, a, b) => arithmetic(unit, OP_ADD, a, b));
export const vpmaxF32 = pairs('vpmax.f32', (unit, a, b) => extreme(unit, a, b, true));
export const vpminF32 = pairs('vpmin.f32', (unit, a, b) => extreme(unit, a, b, false));

/** One operand: d, m and an immediate. */
const unaryLanes = (name: string, exact: (unit: FpUnit, a: number, immediate: number) => number): readonly VectorKernel[] =>
  [false, true].map((q) =>
    kernel(q ? `${name}.q` : name, ({ words }) => {
      const unit = new FpUnit(words);
      const count = q ? 4 : 2;
      return (d, m, immediate) => {
        for (let i = 0; i < count; i++) {
          unit.beginStandard();
          words[D0 + 2 * d + i] = exact(unit, words[D0 + 2 * m + i]!, immediate);
          unit.end();
        }
      };
    }),
  );

/** RecipEstimate (A2.7.5): 256 times the estimate of 1/a for a in [0.5, 1): 256 to 511. */
const reciprocalEstimate = (a: number): number => Math.floor(256 / ((Math.floor(a * 512) + 0.5) / 512) + 0.5);
/** RecipSqrtEstimate: likewise for 1/sqrt(a), a in [0.25, 1). */
const rootEstimate = (a: number): number => {
  const scale = a < 0.5 ? 512 : 256;
  return Math.floor(256 / Math.sqrt((Math.floor(a * scale) + 0.5) / scale) + 0.5);
};

export const vrecpeF32 = unaryLanes('vrecpe.f32', (unit, bits) => {
  const a = unit.a;
  unit.unpack32(a, bits);
  if (a.cls >= QUIET_NAN) {
    unit.quieten(a);
    return unit.pack32(unit.r);
  }
  const sign = a.sign << 31;
  if (a.cls === INFINITE) return sign;
  if (a.cls === ZERO) {
    unit.exceptions |= DZC;
    return sign | 0x7f800000;
  }
  if (a.exp >= 126) {
    unit.exceptions |= UFC;
    return sign;
  }
  const estimate = reciprocalEstimate((0x800000 | (bits & 0x7fffff)) / 0x1000000);
  return sign | ((253 - ((bits >>> 23) & 0xff)) << 23) | ((estimate & 0xff) << 15);
});
export const vrsqrteF32 = unaryLanes('vrsqrte.f32', (unit, bits) => {
  const a = unit.a;
  unit.unpack32(a, bits);
  if (a.cls >= QUIET_NAN) {
    unit.quieten(a);
    return unit.pack32(unit.r);
  }
  if (a.cls === ZERO) {
    unit.exceptions |= DZC;
    return (a.sign << 31) | 0x7f800000;
  }
  if (a.sign === 1) {
    unit.exceptions |= IOC;
    return 0x7fc00000;
  }
  if (a.cls === INFINITE) return 0;
  const field = (bits >>> 23) & 0xff;
  const estimate = rootEstimate((0x800000 | (bits & 0x7fffff)) / ((field & 1) === 0 ? 0x1000000 : 0x2000000));
  return (((380 - field) >> 1) << 23) | ((estimate & 0xff) << 15);
});
export const vrecpeU32 = unaryLanes('vrecpe.u32', (_, bits) => (bits >= 0 ? -1 : reciprocalEstimate((bits >>> 0) / 2 ** 32) << 23));
export const vrsqrteU32 = unaryLanes('vrsqrte.u32', (_, bits) => (bits >>> 30 === 0 ? -1 : rootEstimate((bits >>> 0) / 2 ** 32) << 23));

/** Immediate: fraction bits. */
const toFixed = (name: string, unsigned: boolean): readonly VectorKernel[] =>
  unaryLanes(name, (unit, bits, fractionBits) => {
    unit.unpack32(unit.a, bits);
    return unit.toInteger(32, unsigned, fractionBits, ROUND_ZERO);
  });
const fromFixed = (name: string, unsigned: boolean): readonly VectorKernel[] =>
  unaryLanes(name, (unit, bits, fractionBits) => {
    unit.fromInteger(bits, unsigned, fractionBits);
    return unit.pack32(unit.r, ROUND_NEAREST);
  });
export const vcvtS32F32 = toFixed('vcvt.s32.f32.simd', false);
export const vcvtU32F32 = toFixed('vcvt.u32.f32.simd', true);
export const vcvtF32S32 = fromFixed('vcvt.f32.s32.simd', false);
export const vcvtF32U32 = fromFixed('vcvt.f32.u32.simd', true);

/** Four halves of D register m to the singles of Q register d. */
export const vcvtF32F16 = kernel('vcvt.f32.f16.simd', ({ words }) => {
  const unit = new FpUnit(words);
  return (d, m) => {
    unit.beginStandard();
    const low = words[D0 + 2 * m]!;
    const high = words[D0 + 2 * m + 1]!;
    for (let i = 0; i < 4; i++) {
      unit.unpack16(unit.a, ((i < 2 ? low : high) >>> (16 * (i & 1))) & 0xffff);
      unit.convert();
      words[D0 + 2 * d + i] = unit.pack32(unit.r);
    }
    unit.end();
  };
});
/** The singles of Q register m to four halves in D register d. */
export const vcvtF16F32 = kernel('vcvt.f16.f32.simd', ({ words }) => {
  const unit = new FpUnit(words);
  const half = (word: number): number => {
    unit.unpack32(unit.a, word);
    return unit.convertTo16();
  };
  return (d, m) => {
    unit.beginStandard();
    const from = D0 + 2 * m;
    const low = half(words[from]!) | (half(words[from + 1]!) << 16);
    const high = half(words[from + 2]!) | (half(words[from + 3]!) << 16);
    words[D0 + 2 * d] = low;
    words[D0 + 2 * d + 1] = high;
    unit.end();
  };
});
