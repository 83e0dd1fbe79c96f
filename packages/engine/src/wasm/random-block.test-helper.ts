import type { Value } from '../builder.js';
import { Builder } from '../builder.js';
import type { CallKernel, PureKernel, VectorKernel } from '../kernel.js';
import * as layout from '../layout.js';
import * as op from '../ops.js';

export const mixKernel: PureKernel = { kind: 'pure', name: 'mix', run: (a, b, c) => (Math.imul(a, 31) ^ (b + c)) | 0 };
export const accumulateKernel: VectorKernel = {
  kind: 'vector',
  name: 'accumulate',
  bind:
    ({ words }) =>
    (a, b, c) => {
      words[layout.D0 + 2 * a] = words[layout.D0 + 2 * a]! + words[layout.D0 + 2 * b]! + c;
      words[layout.FPSCR_QC] = 1;
    },
};
/** Changes r3 and a flag of the state words it is given as the core. */
export const systemKernel: CallKernel<Int32Array> = {
  kind: 'call',
  name: 'system',
  run: (words, a, b) => {
    words[3] = words[3]! ^ a;
    words[layout.FLAG_C] = b & 1;
    return (a + b) | 0;
  },
};

/** Seeded 32-bit generator (xorshift). */
export const randomSource = (seed: number): ((below: number) => number) => {
  let x = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
};

const BINARY = [
  op.ADD,
  op.SUB,
  op.AND,
  op.OR,
  op.XOR,
  op.MUL,
  op.SHL,
  op.SHR,
  op.SAR,
  op.ROTR,
  op.MUL_HIGH_S,
  op.MUL_HIGH_U,
  op.DIV_S,
  op.DIV_U,
  op.EQ,
  op.NE,
  op.LT_S,
  op.LT_U,
  op.LSL_REG,
  op.LSR_REG,
  op.ASR_REG,
  op.ROR_REG,
] as const;
const binaryName: Record<number, keyof Builder> = {
  [op.ADD]: 'add',
  [op.SUB]: 'sub',
  [op.AND]: 'and',
  [op.OR]: 'or',
  [op.XOR]: 'xor',
  [op.MUL]: 'mul',
  [op.SHL]: 'shl',
  [op.SHR]: 'shr',
  [op.SAR]: 'sar',
  [op.ROTR]: 'rotr',
  [op.MUL_HIGH_S]: 'mulHighS',
  [op.MUL_HIGH_U]: 'mulHighU',
  [op.DIV_S]: 'divS',
  [op.DIV_U]: 'divU',
  [op.EQ]: 'eq',
  [op.NE]: 'ne',
  [op.LT_S]: 'ltS',
  [op.LT_U]: 'ltU',
  [op.LSL_REG]: 'lslReg',
  [op.LSR_REG]: 'lsrReg',
  [op.ASR_REG]: 'asrReg',
  [op.ROR_REG]: 'rorReg',
};
const UNARY = ['not', 'neg', 'clz', 'rev', 'rev16', 'revsh', 'rbit', 'sxt8', 'sxt16', 'uxt8', 'uxt16', 'eqz'] as const;
const INTERESTING = [0, 1, -1, 2, 31, 32, 33, 255, 256, 0x7fffffff, -0x80000000, 0x8000, 0xffff, 0x1000];

/** First VA of the random programs' data; pages after the fourth are not in the fast table. */
export const DATA_VA = 0x40000000;

/** A random block of some instructions: every micro-operation with random operands. Ends with a random exit; may loop. */
export const randomBlock = (seed: number): Builder => {
  const random = randomSource(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const b = new Builder();
  let pool: Value[] = [];
  const value = (): Value => (pool.length > 0 && random(4) > 0 ? pick(pool) : leaf());
  const leaf = (): Value => {
    switch (random(6)) {
      case 0:
        return b.const(pick(INTERESTING));
      case 1:
        return b.const(random(0x7fffffff));
      case 2:
        return b.getState(pick([layout.FLAG_C, layout.FLAG_Q, layout.D0 + random(8)]));
      case 3:
        return b.pagePc(random(64) * 4);
      default:
        return b.getReg(random(8));
    }
  };
  const bit = (): Value => (random(2) ? b.getState(layout.FLAG_C) : b.eqz(value()));
  /** Mostly aligned addresses in the mapped pages, some astray. */
  const address = (): Value => {
    const within = b.and(value(), b.const(random(8) === 0 ? 0x7fff : 0x3ffc));
    return b.add(within, b.const(DATA_VA));
  };
  const flags = (): number => {
    const size = pick([1, 2, 4]);
    return (
      size | (size < 4 && random(2) ? op.MEM_SIGNED : 0) | (random(6) === 0 ? op.MEM_SWAP : 0) | (random(6) === 0 ? op.MEM_UNPRIVILEGED : 0)
    );
  };
  const word = (): number => (random(4) ? random(8) : layout.D0 + random(12));
  const words = (): number[] => [...new Set(Array.from({ length: 1 + random(6) }, word))];

  const produce = (): void => {
    switch (random(10)) {
      case 0:
      case 1:
      case 2: {
        const name = binaryName[pick(BINARY)]!;
        const x = value();
        const y = value();
        pool.push((b[name] as (p: Value, q: Value) => Value).call(b, x, y));
        return;
      }
      case 3:
        pool.push(b[pick(UNARY)](value()));
        return;
      case 4:
        pool.push(b.select(value(), value(), value()));
        return;
      case 5:
        pool.push(b.condition(random(14)));
        return;
      case 6:
        pool.push(b[pick(['lslCarry', 'lsrCarry', 'asrCarry', 'rorCarry'] as const)](value(), value(), bit()));
        return;
      case 7:
        pool.push(random(2) ? b.pure(mixKernel, value(), value(), value()) : b.pure(mixKernel, value()));
        return;
      case 8:
        pool.push(leaf());
        return;
      default:
        pool.push(b.load(address(), flags()));
    }
  };
  const effect = (): void => {
    switch (random(16)) {
      case 0:
        pool.push(b.addFlags(value(), value()));
        return;
      case 1:
      case 2:
        pool.push(b.subFlags(value(), value()));
        return;
      case 3:
        pool.push(b.adcFlags(value(), value(), bit()));
        return;
      case 4:
        b.setNZ(value());
        return;
      case 5:
        b.setNZC(value(), bit());
        return;
      case 6:
        b.store(address(), flags() & ~op.MEM_SIGNED, value());
        return;
      case 7:
        b.loadMultiple(address(), words(), 4 | (random(6) === 0 ? op.MEM_SWAP : 0));
        return;
      case 8:
        b.storeMultiple(
          address(),
          words().map((item) => (random(3) === 0 ? ~value() : item)),
          4 | (random(6) === 0 ? op.MEM_SWAP : 0),
        );
        return;
      case 9:
        b.vector(accumulateKernel, random(6), random(6), random(100));
        return;
      case 10:
        b.setState(layout.D0 + random(12), value());
        return;
      case 11: {
        const flag = random(4);
        if (flag === 0) b.setState(layout.FLAG_C, bit());
        else b.setState([layout.FLAG_N, layout.FLAG_Z, layout.FLAG_V][flag - 1]!, value());
        return;
      }
      case 12:
        if (random(3) === 0) pool.push(b.call(systemKernel as CallKernel<never>, value(), value()));
        return;
      default:
        b.setReg(random(8), value());
    }
  };
  const some = (depth: number): void => {
    for (let n = 1 + random(3); n > 0; n--) produce();
    for (let n = random(3); n >= 0; n--) {
      if (depth < 2 && random(4) === 0) {
        const outside = pool.slice();
        b.if(random(2) ? b.condition(random(14)) : value());
        some(depth + 1);
        b.endIf();
        pool = outside;
      } else effect();
      if (random(2)) produce();
    }
  };

  const instructions = 1 + random(8);
  const start = 4 * random(16);
  for (let k = 0; k < instructions; k++) {
    b.instruction(start + 4 * k, 4, 0);
    pool = [];
    some(0);
  }
  b.instruction(start + 4 * instructions, 4, 0);
  pool = [];
  if (random(2)) produce();
  const other = 512 + 4 * random(16);
  switch (random(8)) {
    case 0:
      b.goto(random(2) ? start : other);
      break;
    case 1:
      b.branchIf(b.condition(random(14)), start, b.nextOffset);
      break;
    case 2:
      b.branchIf(value(), other, start);
      break;
    case 3:
      b.branchIf(b.condition(random(14)), other, b.nextOffset);
      break;
    case 4:
      b.jump(b.and(value(), b.const(~1)));
      break;
    case 5:
      b.jumpExchange(value());
      break;
    case 6:
      b.setState(layout.PC, value());
      b.resync();
      break;
    default:
      b.if(b.condition(random(14)));
      b.setReg(7, value());
      b.goto(random(2) ? start : other);
      b.endIf();
  }
  return b;
};

/** Loads and stores at small distances from r6, r7 and whatever is moved from these, in every size, some of them conditional. Leads to the next instruction. */
export const randomGroups = (seed: number): Builder => {
  const random = randomSource(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const b = new Builder();
  const address = (): Value => {
    const base = b.getReg(pick([5, 6, 6, 6, 7]));
    const distance = pick([0, 4, 8, -4, 12, 2, 1, 40, 600]);
    return random(4) === 0 ? b.sub(base, b.const(distance)) : b.add(base, b.const(distance));
  };
  const access = (): void => {
    const flags = pick([4, 4, 4, 2, 1, 4 | op.MEM_SWAP, 4 | op.MEM_ELEMENTS]);
    switch (random(6)) {
      case 0:
        b.loadMultiple(address(), [1, 2, layout.D0], 4);
        return;
      case 1:
        b.storeMultiple(address(), [3, layout.D0, layout.D0 + 1], 4);
        return;
      case 2:
      case 3:
        b.store(address(), flags, b.getReg(random(8)));
        return;
      default:
        b.setReg(random(5), b.load(address(), flags));
    }
  };
  const instructions = 2 + random(10);
  for (let k = 0; k < instructions; k++) {
    b.instruction(4 * k, 4, 0);
    switch (random(8)) {
      case 0:
        b.if(b.condition(random(14)));
        if (random(3) === 0) b.setReg(6, b.add(b.getReg(6), b.const(8)));
        access();
        b.endIf();
        break;
      case 1:
        b.setReg(pick([5, 6]), b.add(b.getReg(pick([6, 7])), b.const(pick([4, -8, 16, 2]))));
        break;
      case 2:
        b.setReg(5, b.subFlags(b.getReg(6), b.const(4)));
        break;
      default:
        access();
    }
  }
  b.instruction(4 * instructions, 4, 0);
  b.goto(b.nextOffset);
  return b;
};
