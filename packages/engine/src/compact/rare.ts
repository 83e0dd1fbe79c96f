import type { ClosureEnvironment } from '../closures/environment.js';
import { multiplyHighSigned, multiplyHighUnsigned, reverseBits, reverseBytes } from '../closures/values.js';
import { FAST_ADDEND, FAST_WRITE_TAG, FLAG_C, FLAG_N, FLAG_V, FLAG_Z, PAGE_VA, PC } from '../layout.js';
import type { CompactAccesses } from './accesses.js';
import { holds } from './condition.js';
import type { KernelNumbers } from './kernels.js';
import * as compact from './opcodes.js';

/** Executes the operation at `pc`, whose head is `head`; result: where the next one is. */
export type RareOperation = (code: Int32Array, pc: number, head: number) => number;

/** The second group of opcodes.ts. */
export const rareOperations = (env: ClosureEnvironment, accesses: CompactAccesses, kernels: KernelNumbers): RareOperation => {
  const { m8, m16, access } = env;
  const R = env.state.words;
  const { pure, vector } = kernels;
  const { storeLine, loadAsking, storeAsking, storeMany } = accesses;
  const operand = (w: number): number => (w < 0 ? 0 : R[w]!);

  return (code, pc, head) => {
    switch (head & 0xff) {
      case compact.SET_CONDITION:
        R[code[pc + 1]!] = holds(R, code[pc + 2]!) ? 1 : 0;
        return pc + 3;
      case compact.MUL:
        R[code[pc + 1]!] = Math.imul(R[code[pc + 2]!]!, R[code[pc + 3]!]!);
        return pc + 4;
      case compact.SHL:
        R[code[pc + 1]!] = R[code[pc + 2]!]! << R[code[pc + 3]!]!;
        return pc + 4;
      case compact.SHR:
        R[code[pc + 1]!] = R[code[pc + 2]!]! >>> R[code[pc + 3]!]!;
        return pc + 4;
      case compact.SAR:
        R[code[pc + 1]!] = R[code[pc + 2]!]! >> R[code[pc + 3]!]!;
        return pc + 4;
      case compact.ROTR:
      case compact.ROR_REG: {
        const x = R[code[pc + 2]!]!;
        const n = R[code[pc + 3]!]! & 31;
        R[code[pc + 1]!] = (x >>> n) | (x << (32 - n));
        return pc + 4;
      }
      case compact.MUL_HIGH_S:
        R[code[pc + 1]!] = multiplyHighSigned(R[code[pc + 2]!]!, R[code[pc + 3]!]!);
        return pc + 4;
      case compact.MUL_HIGH_U:
        R[code[pc + 1]!] = multiplyHighUnsigned(R[code[pc + 2]!]!, R[code[pc + 3]!]!);
        return pc + 4;
      case compact.DIV_S: {
        const y = R[code[pc + 3]!]!;
        R[code[pc + 1]!] = y === 0 ? 0 : (R[code[pc + 2]!]! / y) | 0;
        return pc + 4;
      }
      case compact.DIV_U: {
        const y = R[code[pc + 3]!]! >>> 0;
        R[code[pc + 1]!] = y === 0 ? 0 : ((R[code[pc + 2]!]! >>> 0) / y) | 0;
        return pc + 4;
      }
      case compact.EQ:
        R[code[pc + 1]!] = R[code[pc + 2]!]! === R[code[pc + 3]!]! ? 1 : 0;
        return pc + 4;
      case compact.NE:
        R[code[pc + 1]!] = R[code[pc + 2]!]! !== R[code[pc + 3]!]! ? 1 : 0;
        return pc + 4;
      case compact.LT_S:
        R[code[pc + 1]!] = R[code[pc + 2]!]! < R[code[pc + 3]!]! ? 1 : 0;
        return pc + 4;
      case compact.LT_U:
        R[code[pc + 1]!] = R[code[pc + 2]!]! >>> 0 < R[code[pc + 3]!]! >>> 0 ? 1 : 0;
        return pc + 4;
      case compact.LSL_REG: {
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = n < 32 ? R[code[pc + 2]!]! << n : 0;
        return pc + 4;
      }
      case compact.LSR_REG: {
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = n < 32 ? R[code[pc + 2]!]! >>> n : 0;
        return pc + 4;
      }
      case compact.ASR_REG: {
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = R[code[pc + 2]!]! >> (n < 32 ? n : 31);
        return pc + 4;
      }
      case compact.LSL_CARRY: {
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : n <= 32 ? (R[code[pc + 2]!]! >>> (32 - n)) & 1 : 0;
        return pc + 5;
      }
      case compact.LSR_CARRY: {
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : n <= 32 ? (R[code[pc + 2]!]! >>> (n - 1)) & 1 : 0;
        return pc + 5;
      }
      case compact.ASR_CARRY: {
        const x = R[code[pc + 2]!]!;
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : n <= 32 ? (x >>> (n - 1)) & 1 : x >>> 31;
        return pc + 5;
      }
      case compact.ROR_CARRY: {
        const n = R[code[pc + 3]!]! & 255;
        R[code[pc + 1]!] = n === 0 ? R[code[pc + 4]!]! : (R[code[pc + 2]!]! >>> ((n - 1) & 31)) & 1;
        return pc + 5;
      }
      case compact.NOT:
        R[code[pc + 1]!] = ~R[code[pc + 2]!]!;
        return pc + 3;
      case compact.NEG:
        R[code[pc + 1]!] = -R[code[pc + 2]!]!;
        return pc + 3;
      case compact.CLZ:
        R[code[pc + 1]!] = Math.clz32(R[code[pc + 2]!]!);
        return pc + 3;
      case compact.REV:
        R[code[pc + 1]!] = reverseBytes(R[code[pc + 2]!]!);
        return pc + 3;
      case compact.REV16: {
        const x = R[code[pc + 2]!]!;
        R[code[pc + 1]!] = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
        return pc + 3;
      }
      case compact.REVSH: {
        const x = R[code[pc + 2]!]!;
        R[code[pc + 1]!] = ((x << 24) >> 16) | ((x >>> 8) & 0xff);
        return pc + 3;
      }
      case compact.RBIT:
        R[code[pc + 1]!] = reverseBits(R[code[pc + 2]!]!);
        return pc + 3;
      case compact.SXT8:
        R[code[pc + 1]!] = (R[code[pc + 2]!]! << 24) >> 24;
        return pc + 3;
      case compact.SXT16:
        R[code[pc + 1]!] = (R[code[pc + 2]!]! << 16) >> 16;
        return pc + 3;
      case compact.UXT8:
        R[code[pc + 1]!] = R[code[pc + 2]!]! & 0xff;
        return pc + 3;
      case compact.UXT16:
        R[code[pc + 1]!] = R[code[pc + 2]!]! & 0xffff;
        return pc + 3;
      case compact.EQZ:
        R[code[pc + 1]!] = R[code[pc + 2]!]! === 0 ? 1 : 0;
        return pc + 3;
      case compact.SELECT:
        R[code[pc + 1]!] = R[code[pc + 2]!]! !== 0 ? R[code[pc + 3]!]! : R[code[pc + 4]!]!;
        return pc + 5;
      case compact.PURE:
        R[code[pc + 1]!] = pure[code[pc + 2]!]!(operand(code[pc + 3]!), operand(code[pc + 4]!), operand(code[pc + 5]!));
        return pc + 6;
      case compact.ADD_FLAGS:
      case compact.ADD_FLAGS_CONST: {
        const x = R[code[pc + 2]!]!;
        const y = (head & 0xff) === compact.ADD_FLAGS ? R[code[pc + 3]!]! : code[pc + 3]!;
        const r = (x + y) | 0;
        R[FLAG_N] = r;
        R[FLAG_Z] = r;
        R[FLAG_C] = r >>> 0 < x >>> 0 ? 1 : 0;
        R[FLAG_V] = (x ^ r) & (y ^ r);
        R[code[pc + 1]!] = r;
        return pc + 4;
      }
      case compact.ADC_FLAGS: {
        const x = R[code[pc + 2]!]!;
        const y = R[code[pc + 3]!]!;
        const sum = (x >>> 0) + (y >>> 0) + R[code[pc + 4]!]!;
        const r = sum | 0;
        R[FLAG_N] = r;
        R[FLAG_Z] = r;
        R[FLAG_C] = sum > 0xffffffff ? 1 : 0;
        R[FLAG_V] = (x ^ r) & (y ^ r);
        R[code[pc + 1]!] = r;
        return pc + 5;
      }
      case compact.OR_CONST:
        R[code[pc + 1]!] = R[code[pc + 2]!]! | code[pc + 3]!;
        return pc + 4;
      case compact.XOR_CONST:
        R[code[pc + 1]!] = R[code[pc + 2]!]! ^ code[pc + 3]!;
        return pc + 4;
      case compact.SAR_CONST:
        R[code[pc + 1]!] = R[code[pc + 2]!]! >> code[pc + 3]!;
        return pc + 4;
      case compact.ROTR_CONST: {
        const x = R[code[pc + 2]!]!;
        const n = code[pc + 3]! & 31;
        R[code[pc + 1]!] = (x >>> n) | (x << (32 - n));
        return pc + 4;
      }
      case compact.LOAD_SIGNED_HALF: {
        const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
        const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
        R[code[pc + 1]!] =
          R[e] === (va & -4095)
            ? (m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! << 16) >> 16
            : access.load(va, head >>> 24, (head >>> 8) & 0xff);
        return pc + 5;
      }
      case compact.LOAD_SIGNED_BYTE: {
        const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
        const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
        R[code[pc + 1]!] =
          R[e] === (va & -4096)
            ? (m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! << 24) >> 24
            : access.load(va, head >>> 24, (head >>> 8) & 0xff);
        return pc + 5;
      }
      case compact.STORE_HALF: {
        const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
        const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
        if (R[e + FAST_WRITE_TAG] === (va & -4095)) m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1] = R[code[pc + 1]!]!;
        else access.store(va, head >>> 24, R[code[pc + 1]!]!, (head >>> 8) & 0xff);
        return pc + 5;
      }
      case compact.LOAD_ASKING:
        R[code[pc + 1]!] = access.load((R[code[pc + 2]!]! + code[pc + 3]!) | 0, head >>> 24, (head >>> 8) & 0xff);
        return pc + 5;
      case compact.STORE_ASKING:
        access.store((R[code[pc + 2]!]! + code[pc + 3]!) | 0, head >>> 24, R[code[pc + 1]!]!, (head >>> 8) & 0xff);
        return pc + 5;
      case compact.STORE_LINE:
        storeLine(head, code[pc + 1]!, (R[code[pc + 2]!]! + code[pc + 3]!) | 0, code[pc + 4]!);
        return pc + 5;
      case compact.STORE_MANY_LINES:
        storeMany(code, pc, true);
        return pc + ((head >>> 16) & 0xff);
      case compact.LOAD_MANY_ASKING:
        loadAsking(code, pc, (R[code[pc + 1]!]! + code[pc + 2]!) | 0);
        return pc + ((head >>> 16) & 0xff);
      case compact.STORE_MANY_ASKING:
        storeAsking(code, pc, (R[code[pc + 1]!]! + code[pc + 2]!) | 0);
        return pc + ((head >>> 16) & 0xff);
      case compact.VECTOR:
        vector[code[pc + 1]!]!(code[pc + 2]!, code[pc + 3]!, code[pc + 4]!);
        return pc + 5;
      case compact.IF_VALUE:
        return pc + (R[code[pc + 1]!] !== 0 ? 3 : code[pc + 2]!);
      case compact.BRANCH_VALUE:
        R[PC] = R[PAGE_VA]! + (R[code[pc + 1]!] !== 0 ? code[pc + 2]! : code[pc + 3]!);
        return pc + 4;
      default:
        throw new Error(`[engine] [compact] unknown operation ${head & 0xff}`);
    }
  };
};
