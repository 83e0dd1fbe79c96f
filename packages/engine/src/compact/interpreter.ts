import type { ClosureEnvironment } from '../closures/environment.js';
import { multiplyHighSigned, multiplyHighUnsigned, reverseBits, reverseBytes } from '../closures/values.js';
import { FAST_ADDEND, FAST_WRITE_TAG, FLAG_C, FLAG_N, FLAG_V, FLAG_Z, PAGE_VA, PC } from '../layout.js';
import * as op from '../ops.js';
import { compactAccesses } from './accesses.js';
import { holds } from './condition.js';
import type { KernelNumbers } from './kernels.js';
import * as compact from './opcodes.js';
import type { CompactStore } from './store.js';

/** Executes compact code from the word index on, as far as `frame.limit`; result: where it stopped. */
export type CompactRun = (from: number) => number;

/**
 * The interpreter of compact code for one core. One function with everything in its scope, since what it costs is its loop: a block is here because it was
 * executed a few times only, so that what counts is how much memory a first visit touches.
 */
export const compactInterpreter = (env: ClosureEnvironment, store: CompactStore, kernels: KernelNumbers): CompactRun => {
  const { m8, m16, m32, access, core } = env;
  const R = env.state.words;
  const { frame } = access;
  const { pure, vector, call } = kernels;
  const operand = (w: number): number => (w < 0 ? 0 : R[w]!);
  const { storeLine, loadAsking, storeAsking, storeMany } = compactAccesses(env);

  return (from) => {
    const code = store.words;
    let pc = from;
    while (pc < frame.limit) {
      const head = code[pc]!;
      switch (head & 0xff) {
        case compact.NOTHING:
          pc += 1;
          break;
        case compact.SET_CONST:
          R[code[pc + 1]!] = code[pc + 2]!;
          pc += 3;
          break;
        case compact.MOVE:
          R[code[pc + 1]!] = R[code[pc + 2]!]!;
          pc += 3;
          break;
        case compact.SET_CONDITION:
          R[code[pc + 1]!] = holds(R, code[pc + 2]!) ? 1 : 0;
          pc += 3;
          break;
        case op.ADD:
          R[code[pc + 1]!] = R[code[pc + 2]!]! + R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.SUB:
          R[code[pc + 1]!] = R[code[pc + 2]!]! - R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.AND:
          R[code[pc + 1]!] = R[code[pc + 2]!]! & R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.OR:
          R[code[pc + 1]!] = R[code[pc + 2]!]! | R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.XOR:
          R[code[pc + 1]!] = R[code[pc + 2]!]! ^ R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.MUL:
          R[code[pc + 1]!] = Math.imul(R[code[pc + 2]!]!, R[code[pc + 3]!]!);
          pc += 4;
          break;
        case op.SHL:
          R[code[pc + 1]!] = R[code[pc + 2]!]! << R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.SHR:
          R[code[pc + 1]!] = R[code[pc + 2]!]! >>> R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.SAR:
          R[code[pc + 1]!] = R[code[pc + 2]!]! >> R[code[pc + 3]!]!;
          pc += 4;
          break;
        case op.ROTR:
        case op.ROR_REG: {
          const x = R[code[pc + 2]!]!;
          const n = R[code[pc + 3]!]! & 31;
          R[code[pc + 1]!] = (x >>> n) | (x << (32 - n));
          pc += 4;
          break;
        }
        case op.MUL_HIGH_S:
          R[code[pc + 1]!] = multiplyHighSigned(R[code[pc + 2]!]!, R[code[pc + 3]!]!);
          pc += 4;
          break;
        case op.MUL_HIGH_U:
          R[code[pc + 1]!] = multiplyHighUnsigned(R[code[pc + 2]!]!, R[code[pc + 3]!]!);
          pc += 4;
          break;
        case op.DIV_S: {
          const y = R[code[pc + 3]!]!;
          R[code[pc + 1]!] = y === 0 ? 0 : (R[code[pc + 2]!]! / y) | 0;
          pc += 4;
          break;
        }
        case op.DIV_U: {
          const y = R[code[pc + 3]!]! >>> 0;
          R[code[pc + 1]!] = y === 0 ? 0 : ((R[code[pc + 2]!]! >>> 0) / y) | 0;
          pc += 4;
          break;
        }
        case op.EQ:
          R[code[pc + 1]!] = R[code[pc + 2]!]! === R[code[pc + 3]!]! ? 1 : 0;
          pc += 4;
          break;
        case op.NE:
          R[code[pc + 1]!] = R[code[pc + 2]!]! !== R[code[pc + 3]!]! ? 1 : 0;
          pc += 4;
          break;
        case op.LT_S:
          R[code[pc + 1]!] = R[code[pc + 2]!]! < R[code[pc + 3]!]! ? 1 : 0;
          pc += 4;
          break;
        case op.LT_U:
          R[code[pc + 1]!] = R[code[pc + 2]!]! >>> 0 < R[code[pc + 3]!]! >>> 0 ? 1 : 0;
          pc += 4;
          break;
        case op.LSL_REG: {
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = n < 32 ? R[code[pc + 2]!]! << n : 0;
          pc += 4;
          break;
        }
        case op.LSR_REG: {
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = n < 32 ? R[code[pc + 2]!]! >>> n : 0;
          pc += 4;
          break;
        }
        case op.ASR_REG: {
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = R[code[pc + 2]!]! >> (n < 32 ? n : 31);
          pc += 4;
          break;
        }
        case op.LSL_CARRY: {
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : n <= 32 ? (R[code[pc + 2]!]! >>> (32 - n)) & 1 : 0;
          pc += 5;
          break;
        }
        case op.LSR_CARRY: {
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : n <= 32 ? (R[code[pc + 2]!]! >>> (n - 1)) & 1 : 0;
          pc += 5;
          break;
        }
        case op.ASR_CARRY: {
          const x = R[code[pc + 2]!]!;
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : n <= 32 ? (x >>> (n - 1)) & 1 : x >>> 31;
          pc += 5;
          break;
        }
        case op.ROR_CARRY: {
          const n = R[code[pc + 3]!]! & 255;
          R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : (R[code[pc + 2]!]! >>> ((n - 1) & 31)) & 1;
          pc += 5;
          break;
        }
        case op.NOT:
          R[code[pc + 1]!] = ~R[code[pc + 2]!]!;
          pc += 3;
          break;
        case op.NEG:
          R[code[pc + 1]!] = -R[code[pc + 2]!]!;
          pc += 3;
          break;
        case op.CLZ:
          R[code[pc + 1]!] = Math.clz32(R[code[pc + 2]!]!);
          pc += 3;
          break;
        case op.REV:
          R[code[pc + 1]!] = reverseBytes(R[code[pc + 2]!]!);
          pc += 3;
          break;
        case op.REV16: {
          const x = R[code[pc + 2]!]!;
          R[code[pc + 1]!] = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
          pc += 3;
          break;
        }
        case op.REVSH: {
          const x = R[code[pc + 2]!]!;
          R[code[pc + 1]!] = ((x << 24) >> 16) | ((x >>> 8) & 0xff);
          pc += 3;
          break;
        }
        case op.RBIT:
          R[code[pc + 1]!] = reverseBits(R[code[pc + 2]!]!);
          pc += 3;
          break;
        case op.SXT8:
          R[code[pc + 1]!] = (R[code[pc + 2]!]! << 24) >> 24;
          pc += 3;
          break;
        case op.SXT16:
          R[code[pc + 1]!] = (R[code[pc + 2]!]! << 16) >> 16;
          pc += 3;
          break;
        case op.UXT8:
          R[code[pc + 1]!] = R[code[pc + 2]!]! & 0xff;
          pc += 3;
          break;
        case op.UXT16:
          R[code[pc + 1]!] = R[code[pc + 2]!]! & 0xffff;
          pc += 3;
          break;
        case op.EQZ:
          R[code[pc + 1]!] = R[code[pc + 2]!]! === 0 ? 1 : 0;
          pc += 3;
          break;
        case op.SELECT:
          R[code[pc + 1]!] = R[code[pc + 2]!]! !== 0 ? R[code[pc + 3]!]! : R[code[pc + 4]!]!;
          pc += 5;
          break;
        case compact.PURE:
          R[code[pc + 1]!] = pure[code[pc + 2]!]!(operand(code[pc + 3]!), operand(code[pc + 4]!), operand(code[pc + 5]!));
          pc += 6;
          break;
        case op.ADD_FLAGS:
        case compact.ADD_FLAGS_CONST: {
          const x = R[code[pc + 2]!]!;
          const y = (head & 0xff) === op.ADD_FLAGS ? R[code[pc + 3]!]! : code[pc + 3]!;
          const r = (x + y) | 0;
          R[FLAG_N] = r;
          R[FLAG_Z] = r;
          R[FLAG_C] = r >>> 0 < x >>> 0 ? 1 : 0;
          R[FLAG_V] = (x ^ r) & (y ^ r);
          R[code[pc + 1]!] = r;
          pc += 4;
          break;
        }
        case op.SUB_FLAGS:
        case compact.SUB_FLAGS_CONST: {
          const x = R[code[pc + 2]!]!;
          const y = (head & 0xff) === op.SUB_FLAGS ? R[code[pc + 3]!]! : code[pc + 3]!;
          const r = (x - y) | 0;
          R[FLAG_N] = r;
          R[FLAG_Z] = r;
          R[FLAG_C] = x >>> 0 >= y >>> 0 ? 1 : 0;
          R[FLAG_V] = (x ^ y) & (x ^ r);
          R[code[pc + 1]!] = r;
          pc += 4;
          break;
        }
        case op.ADC_FLAGS: {
          const x = R[code[pc + 2]!]!;
          const y = R[code[pc + 3]!]!;
          const sum = (x >>> 0) + (y >>> 0) + R[code[pc + 4]!]!;
          const r = sum | 0;
          R[FLAG_N] = r;
          R[FLAG_Z] = r;
          R[FLAG_C] = sum > 0xffffffff ? 1 : 0;
          R[FLAG_V] = (x ^ r) & (y ^ r);
          R[code[pc + 1]!] = r;
          pc += 5;
          break;
        }
        case compact.SET_NZ: {
          const r = R[code[pc + 1]!]!;
          R[FLAG_N] = r;
          R[FLAG_Z] = r;
          pc += 2;
          break;
        }
        case compact.SET_NZC: {
          const r = R[code[pc + 1]!]!;
          R[FLAG_C] = R[code[pc + 2]!]!;
          R[FLAG_N] = r;
          R[FLAG_Z] = r;
          pc += 3;
          break;
        }
        case compact.ADD_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! + code[pc + 3]!;
          pc += 4;
          break;
        case compact.AND_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! & code[pc + 3]!;
          pc += 4;
          break;
        case compact.OR_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! | code[pc + 3]!;
          pc += 4;
          break;
        case compact.XOR_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! ^ code[pc + 3]!;
          pc += 4;
          break;
        case compact.SHL_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! << code[pc + 3]!;
          pc += 4;
          break;
        case compact.SHR_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! >>> code[pc + 3]!;
          pc += 4;
          break;
        case compact.SAR_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! >> code[pc + 3]!;
          pc += 4;
          break;
        case compact.ROTR_CONST: {
          const x = R[code[pc + 2]!]!;
          const n = code[pc + 3]! & 31;
          R[code[pc + 1]!] = (x >>> n) | (x << (32 - n));
          pc += 4;
          break;
        }
        case compact.LOAD_WORD: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          R[code[pc + 1]!] =
            R[e] === (va & -4093) ? m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2]! : access.load(va, head >>> 24, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.LOAD_HALF: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          R[code[pc + 1]!] =
            R[e] === (va & -4095) ? m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! : access.load(va, head >>> 24, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.LOAD_BYTE: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          R[code[pc + 1]!] =
            R[e] === (va & -4096) ? m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! : access.load(va, head >>> 24, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.LOAD_SIGNED_HALF: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          R[code[pc + 1]!] =
            R[e] === (va & -4095)
              ? (m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! << 16) >> 16
              : access.load(va, head >>> 24, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.LOAD_SIGNED_BYTE: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          R[code[pc + 1]!] =
            R[e] === (va & -4096)
              ? (m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! << 24) >> 24
              : access.load(va, head >>> 24, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.STORE_WORD: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          if (R[e + FAST_WRITE_TAG] === (va & -4093)) m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2] = R[code[pc + 1]!]!;
          else access.store(va, head >>> 24, R[code[pc + 1]!]!, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.STORE_HALF: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          if (R[e + FAST_WRITE_TAG] === (va & -4095)) m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1] = R[code[pc + 1]!]!;
          else access.store(va, head >>> 24, R[code[pc + 1]!]!, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.STORE_BYTE: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          if (R[e + FAST_WRITE_TAG] === (va & -4096)) m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0] = R[code[pc + 1]!]!;
          else access.store(va, head >>> 24, R[code[pc + 1]!]!, (head >>> 8) & 0xff);
          pc += 5;
          break;
        }
        case compact.LOAD_ASKING:
          R[code[pc + 1]!] = access.load((R[code[pc + 2]!]! + code[pc + 3]!) | 0, head >>> 24, (head >>> 8) & 0xff);
          pc += 5;
          break;
        case compact.STORE_ASKING:
          access.store((R[code[pc + 2]!]! + code[pc + 3]!) | 0, head >>> 24, R[code[pc + 1]!]!, (head >>> 8) & 0xff);
          pc += 5;
          break;
        case compact.STORE_LINE:
          storeLine(head, code[pc + 1]!, (R[code[pc + 2]!]! + code[pc + 3]!) | 0, code[pc + 4]!);
          pc += 5;
          break;
        case compact.LOAD_MANY: {
          const length = (head >>> 16) & 0xff;
          const va = (R[code[pc + 1]!]! + code[pc + 2]!) | 0;
          const e = code[pc + 3]! + ((va >>> 10) & 0x3ffc);
          if (R[e] === (va & -4093) && (va & 0xfff) <= 4096 - 4 * (length - 4)) {
            const host = (((va + R[e + FAST_ADDEND]!) | 0) >>> 2) - 4;
            for (let i = 4; i < length; i++) R[code[pc + i]!] = m32[host + i]!;
          } else loadAsking(code, pc, va);
          pc += length;
          break;
        }
        case compact.STORE_MANY:
          storeMany(code, pc, false);
          pc += (head >>> 16) & 0xff;
          break;
        case compact.STORE_MANY_LINES:
          storeMany(code, pc, true);
          pc += (head >>> 16) & 0xff;
          break;
        case compact.LOAD_MANY_ASKING:
          loadAsking(code, pc, (R[code[pc + 1]!]! + code[pc + 2]!) | 0);
          pc += (head >>> 16) & 0xff;
          break;
        case compact.STORE_MANY_ASKING:
          storeAsking(code, pc, (R[code[pc + 1]!]! + code[pc + 2]!) | 0);
          pc += (head >>> 16) & 0xff;
          break;
        case compact.CALL:
          frame.index = (head >>> 8) & 0xff;
          R[code[pc + 1]!] = call[code[pc + 2]!]!(core, operand(code[pc + 3]!), operand(code[pc + 4]!), operand(code[pc + 5]!));
          pc += 6;
          break;
        case compact.VECTOR:
          vector[code[pc + 1]!]!(code[pc + 2]!, code[pc + 3]!, code[pc + 4]!);
          pc += 5;
          break;
        case compact.IF_CONDITION:
          pc += holds(R, code[pc + 1]!) ? 3 : code[pc + 2]!;
          break;
        case compact.IF_VALUE:
          pc += R[code[pc + 1]!] !== 0 ? 3 : code[pc + 2]!;
          break;
        case compact.GOTO:
          R[PC] = R[PAGE_VA]! + code[pc + 1]!;
          pc += 2;
          break;
        case compact.BRANCH_CONDITION:
          R[PC] = R[PAGE_VA]! + (holds(R, code[pc + 1]!) ? code[pc + 2]! : code[pc + 3]!);
          pc += 4;
          break;
        case compact.BRANCH_VALUE:
          R[PC] = R[PAGE_VA]! + (R[code[pc + 1]!] !== 0 ? code[pc + 2]! : code[pc + 3]!);
          pc += 4;
          break;
        case compact.JUMP:
          R[PC] = R[code[pc + 1]!]!;
          pc += 2;
          break;
        case compact.EXCHANGE_FROM_A32: {
          const target = R[code[pc + 1]!]!;
          if (target & 1) access.exchange(target);
          else R[PC] = target & ~3;
          pc += 2;
          break;
        }
        case compact.EXCHANGE_FROM_T32: {
          const target = R[code[pc + 1]!]!;
          if (target & 1) R[PC] = target & ~1;
          else access.exchange(target);
          pc += 2;
          break;
        }
        default:
          throw new Error(`[engine] [compact] unknown operation ${head & 0xff}`);
      }
    }
    return pc;
  };
};
