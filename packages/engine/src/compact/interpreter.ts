import type { ClosureEnvironment } from '../closures/environment.js';
import { FAST_ADDEND, FAST_WRITE_TAG, FLAG_C, FLAG_N, FLAG_V, FLAG_Z, PAGE_VA, PC } from '../layout.js';
import { compactAccesses } from './accesses.js';
import { holds } from './condition.js';
import type { KernelNumbers } from './kernels.js';
import * as compact from './opcodes.js';
import { rareOperations } from './rare.js';
import type { CompactStore } from './store.js';

/** Executes compact code from the word index on, as far as `frame.limit`; result: where it stopped. */
export type CompactRun = (from: number) => number;

/**
 * The interpreter of compact code for one core: a loop over what is common, which calls a function for the rest. Hosts compile a function the later the longer it
 * is, and this one matters from the first second.
 */
export const compactInterpreter = (env: ClosureEnvironment, store: CompactStore, kernels: KernelNumbers): CompactRun => {
  const { m8, m16, m32, access, core } = env;
  const R = env.state.words;
  const { frame } = access;
  const { call } = kernels;
  const operand = (w: number): number => (w < 0 ? 0 : R[w]!);
  const accesses = compactAccesses(env);
  const { loadAsking, storeMany } = accesses;
  const rare = rareOperations(env, accesses, kernels);

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
        case compact.ADD:
          R[code[pc + 1]!] = R[code[pc + 2]!]! + R[code[pc + 3]!]!;
          pc += 4;
          break;
        case compact.SUB:
          R[code[pc + 1]!] = R[code[pc + 2]!]! - R[code[pc + 3]!]!;
          pc += 4;
          break;
        case compact.AND:
          R[code[pc + 1]!] = R[code[pc + 2]!]! & R[code[pc + 3]!]!;
          pc += 4;
          break;
        case compact.OR:
          R[code[pc + 1]!] = R[code[pc + 2]!]! | R[code[pc + 3]!]!;
          pc += 4;
          break;
        case compact.XOR:
          R[code[pc + 1]!] = R[code[pc + 2]!]! ^ R[code[pc + 3]!]!;
          pc += 4;
          break;
        case compact.SUB_FLAGS:
        case compact.SUB_FLAGS_CONST: {
          const x = R[code[pc + 2]!]!;
          const y = (head & 0xff) === compact.SUB_FLAGS ? R[code[pc + 3]!]! : code[pc + 3]!;
          const r = (x - y) | 0;
          R[FLAG_N] = r;
          R[FLAG_Z] = r;
          R[FLAG_C] = x >>> 0 >= y >>> 0 ? 1 : 0;
          R[FLAG_V] = (x ^ y) & (x ^ r);
          R[code[pc + 1]!] = r;
          pc += 4;
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
        case compact.SHL_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! << code[pc + 3]!;
          pc += 4;
          break;
        case compact.SHR_CONST:
          R[code[pc + 1]!] = R[code[pc + 2]!]! >>> code[pc + 3]!;
          pc += 4;
          break;
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
        case compact.STORE_WORD: {
          const va = (R[code[pc + 2]!]! + code[pc + 3]!) | 0;
          const e = code[pc + 4]! + ((va >>> 10) & 0x3ffc);
          if (R[e + FAST_WRITE_TAG] === (va & -4093)) m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2] = R[code[pc + 1]!]!;
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
        case compact.CALL:
          frame.index = (head >>> 8) & 0xff;
          R[code[pc + 1]!] = call[code[pc + 2]!]!(core, operand(code[pc + 3]!), operand(code[pc + 4]!), operand(code[pc + 5]!));
          pc += 6;
          break;
        case compact.IF_CONDITION:
          pc += holds(R, code[pc + 1]!) ? 3 : code[pc + 2]!;
          break;
        case compact.GOTO:
          R[PC] = R[PAGE_VA]! + code[pc + 1]!;
          pc += 2;
          break;
        case compact.BRANCH_CONDITION:
          R[PC] = R[PAGE_VA]! + (holds(R, code[pc + 1]!) ? code[pc + 2]! : code[pc + 3]!);
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
          pc = rare(code, pc, head);
      }
    }
    return pc;
  };
};
