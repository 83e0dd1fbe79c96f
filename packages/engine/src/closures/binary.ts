import * as op from '../ops.js';

/*
 * Two-operand values by the shapes of their operands: r a state word, c a constant, x any closure. Written out because the shape is what the
 * interpreter's speed comes from: each closure has its operands in its context and no call that it can do without. `set...` shapes store into word d
 * (an Int32Array store wraps to 32 bits); the others return an int32.
 */
type Words = Int32Array;
type Value = () => number;
type Effect = () => void;

interface BinaryShapes {
  readonly rr: (R: Words, a: number, b: number) => Value;
  readonly rc: (R: Words, a: number, b: number) => Value;
  readonly rx: (R: Words, a: number, b: Value) => Value;
  readonly xr: (R: Words, a: Value, b: number) => Value;
  readonly xc: (a: Value, b: number) => Value;
  readonly xx: (a: Value, b: Value) => Value;
  readonly setRr: (R: Words, d: number, a: number, b: number) => Effect;
  readonly setRc: (R: Words, d: number, a: number, b: number) => Effect;
  readonly setRx: (R: Words, d: number, a: number, b: Value) => Effect;
  readonly setXr: (R: Words, d: number, a: Value, b: number) => Effect;
  readonly setXc: (R: Words, d: number, a: Value, b: number) => Effect;
  readonly setXx: (R: Words, d: number, a: Value, b: Value) => Effect;
}

export const binaryShapes: Readonly<Record<number, BinaryShapes>> = {
  [op.ADD]: {
    rr: (R, a, b) => () => (R[a]! + R[b]!) | 0,
    rc: (R, a, b) => () => (R[a]! + b) | 0,
    rx: (R, a, b) => () => (R[a]! + b()) | 0,
    xr: (R, a, b) => () => (a() + R[b]!) | 0,
    xc: (a, b) => () => (a() + b) | 0,
    xx: (a, b) => () => (a() + b()) | 0,
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! + R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! + b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! + b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() + R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() + b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() + b();
    },
  },
  [op.SUB]: {
    rr: (R, a, b) => () => (R[a]! - R[b]!) | 0,
    rc: (R, a, b) => () => (R[a]! - b) | 0,
    rx: (R, a, b) => () => (R[a]! - b()) | 0,
    xr: (R, a, b) => () => (a() - R[b]!) | 0,
    xc: (a, b) => () => (a() - b) | 0,
    xx: (a, b) => () => (a() - b()) | 0,
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! - R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! - b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! - b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() - R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() - b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() - b();
    },
  },
  [op.AND]: {
    rr: (R, a, b) => () => R[a]! & R[b]!,
    rc: (R, a, b) => () => R[a]! & b,
    rx: (R, a, b) => () => R[a]! & b(),
    xr: (R, a, b) => () => a() & R[b]!,
    xc: (a, b) => () => a() & b,
    xx: (a, b) => () => a() & b(),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! & R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! & b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! & b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() & R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() & b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() & b();
    },
  },
  [op.OR]: {
    rr: (R, a, b) => () => R[a]! | R[b]!,
    rc: (R, a, b) => () => R[a]! | b,
    rx: (R, a, b) => () => R[a]! | b(),
    xr: (R, a, b) => () => a() | R[b]!,
    xc: (a, b) => () => a() | b,
    xx: (a, b) => () => a() | b(),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! | R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! | b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! | b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() | R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() | b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() | b();
    },
  },
  [op.XOR]: {
    rr: (R, a, b) => () => R[a]! ^ R[b]!,
    rc: (R, a, b) => () => R[a]! ^ b,
    rx: (R, a, b) => () => R[a]! ^ b(),
    xr: (R, a, b) => () => a() ^ R[b]!,
    xc: (a, b) => () => a() ^ b,
    xx: (a, b) => () => a() ^ b(),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! ^ R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! ^ b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! ^ b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() ^ R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() ^ b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() ^ b();
    },
  },
  [op.MUL]: {
    rr: (R, a, b) => () => Math.imul(R[a]!, R[b]!),
    rc: (R, a, b) => () => Math.imul(R[a]!, b),
    rx: (R, a, b) => () => Math.imul(R[a]!, b()),
    xr: (R, a, b) => () => Math.imul(a(), R[b]!),
    xc: (a, b) => () => Math.imul(a(), b),
    xx: (a, b) => () => Math.imul(a(), b()),
    setRr: (R, d, a, b) => () => {
      R[d] = Math.imul(R[a]!, R[b]!);
    },
    setRc: (R, d, a, b) => () => {
      R[d] = Math.imul(R[a]!, b);
    },
    setRx: (R, d, a, b) => () => {
      R[d] = Math.imul(R[a]!, b());
    },
    setXr: (R, d, a, b) => () => {
      R[d] = Math.imul(a(), R[b]!);
    },
    setXc: (R, d, a, b) => () => {
      R[d] = Math.imul(a(), b);
    },
    setXx: (R, d, a, b) => () => {
      R[d] = Math.imul(a(), b());
    },
  },
  [op.SHL]: {
    rr: (R, a, b) => () => R[a]! << R[b]!,
    rc: (R, a, b) => () => R[a]! << b,
    rx: (R, a, b) => () => R[a]! << b(),
    xr: (R, a, b) => () => a() << R[b]!,
    xc: (a, b) => () => a() << b,
    xx: (a, b) => () => a() << b(),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! << R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! << b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! << b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() << R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() << b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() << b();
    },
  },
  [op.SHR]: {
    rr: (R, a, b) => () => (R[a]! >>> R[b]!) | 0,
    rc: (R, a, b) => () => (R[a]! >>> b) | 0,
    rx: (R, a, b) => () => (R[a]! >>> b()) | 0,
    xr: (R, a, b) => () => (a() >>> R[b]!) | 0,
    xc: (a, b) => () => (a() >>> b) | 0,
    xx: (a, b) => () => (a() >>> b()) | 0,
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! >>> R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! >>> b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! >>> b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() >>> R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() >>> b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() >>> b();
    },
  },
  [op.SAR]: {
    rr: (R, a, b) => () => R[a]! >> R[b]!,
    rc: (R, a, b) => () => R[a]! >> b,
    rx: (R, a, b) => () => R[a]! >> b(),
    xr: (R, a, b) => () => a() >> R[b]!,
    xc: (a, b) => () => a() >> b,
    xx: (a, b) => () => a() >> b(),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! >> R[b]!;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! >> b;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! >> b();
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() >> R[b]!;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() >> b;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() >> b();
    },
  },
  [op.EQ]: {
    rr: (R, a, b) => () => (R[a]! === R[b]! ? 1 : 0),
    rc: (R, a, b) => () => (R[a]! === b ? 1 : 0),
    rx: (R, a, b) => () => (R[a]! === b() ? 1 : 0),
    xr: (R, a, b) => () => (a() === R[b]! ? 1 : 0),
    xc: (a, b) => () => (a() === b ? 1 : 0),
    xx: (a, b) => () => (a() === b() ? 1 : 0),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! === R[b]! ? 1 : 0;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! === b ? 1 : 0;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! === b() ? 1 : 0;
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() === R[b]! ? 1 : 0;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() === b ? 1 : 0;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() === b() ? 1 : 0;
    },
  },
  [op.NE]: {
    rr: (R, a, b) => () => (R[a]! !== R[b]! ? 1 : 0),
    rc: (R, a, b) => () => (R[a]! !== b ? 1 : 0),
    rx: (R, a, b) => () => (R[a]! !== b() ? 1 : 0),
    xr: (R, a, b) => () => (a() !== R[b]! ? 1 : 0),
    xc: (a, b) => () => (a() !== b ? 1 : 0),
    xx: (a, b) => () => (a() !== b() ? 1 : 0),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! !== R[b]! ? 1 : 0;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! !== b ? 1 : 0;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! !== b() ? 1 : 0;
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() !== R[b]! ? 1 : 0;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() !== b ? 1 : 0;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() !== b() ? 1 : 0;
    },
  },
  [op.LT_S]: {
    rr: (R, a, b) => () => (R[a]! < R[b]! ? 1 : 0),
    rc: (R, a, b) => () => (R[a]! < b ? 1 : 0),
    rx: (R, a, b) => () => (R[a]! < b() ? 1 : 0),
    xr: (R, a, b) => () => (a() < R[b]! ? 1 : 0),
    xc: (a, b) => () => (a() < b ? 1 : 0),
    xx: (a, b) => () => (a() < b() ? 1 : 0),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! < R[b]! ? 1 : 0;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! < b ? 1 : 0;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! < b() ? 1 : 0;
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() < R[b]! ? 1 : 0;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() < b ? 1 : 0;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() < b() ? 1 : 0;
    },
  },
  [op.LT_U]: {
    rr: (R, a, b) => () => (R[a]! >>> 0 < R[b]! >>> 0 ? 1 : 0),
    rc: (R, a, b) => () => (R[a]! >>> 0 < b >>> 0 ? 1 : 0),
    rx: (R, a, b) => () => (R[a]! >>> 0 < b() >>> 0 ? 1 : 0),
    xr: (R, a, b) => () => (a() >>> 0 < R[b]! >>> 0 ? 1 : 0),
    xc: (a, b) => () => (a() >>> 0 < b >>> 0 ? 1 : 0),
    xx: (a, b) => () => (a() >>> 0 < b() >>> 0 ? 1 : 0),
    setRr: (R, d, a, b) => () => {
      R[d] = R[a]! >>> 0 < R[b]! >>> 0 ? 1 : 0;
    },
    setRc: (R, d, a, b) => () => {
      R[d] = R[a]! >>> 0 < b >>> 0 ? 1 : 0;
    },
    setRx: (R, d, a, b) => () => {
      R[d] = R[a]! >>> 0 < b() >>> 0 ? 1 : 0;
    },
    setXr: (R, d, a, b) => () => {
      R[d] = a() >>> 0 < R[b]! >>> 0 ? 1 : 0;
    },
    setXc: (R, d, a, b) => () => {
      R[d] = a() >>> 0 < b >>> 0 ? 1 : 0;
    },
    setXx: (R, d, a, b) => () => {
      R[d] = a() >>> 0 < b() >>> 0 ? 1 : 0;
    },
  },
};
