import type { PureKernel, Value } from '@tablewalk/engine';
import { systemKernel } from '../system/kernels.js';
import type { ArmBuilder } from './arm-builder.js';

/** Parts that integer semantics share: the barrel shifter, the data-processing operations and how their results are written. */

/** SP and PC: registers that most T32 operands may not be. */
export const spOrPc = (n: number): boolean => n === 13 || n === 15;

export const isPc = (n: number): boolean => n === 15;

/** A shifter result. `carry` is undefined when the shifter leaves the carry flag alone. */
export interface Shifted {
  readonly value: Value;
  readonly carry: Value | undefined;
}

/** Bit `k` of `v` as 0 or 1. */
export const bit = (b: ArmBuilder, v: Value, k: number): Value => {
  const moved = k === 0 ? v : b.shr(v, b.const(k));
  return k === 31 ? moved : b.and(moved, b.const(1));
};

/** DecodeImmShift and Shift_C (ARM DDI 0406C, A8.4.3): `type` and the five-bit amount as encoded. The carry is only made when wanted. */
export const shiftImmediate = (b: ArmBuilder, v: Value, type: number, amount: number, wantCarry: boolean): Shifted => {
  const carryOf = (k: number): Value | undefined => (wantCarry ? bit(b, v, k) : undefined);
  const n = amount === 0 ? 32 : amount;
  switch (type) {
    case 0:
      return amount === 0 ? { value: v, carry: undefined } : { value: b.shl(v, b.const(amount)), carry: carryOf(32 - amount) };
    case 1:
      return { value: n === 32 ? b.const(0) : b.shr(v, b.const(n)), carry: carryOf(n - 1) };
    case 2:
      return { value: b.sar(v, b.const(Math.min(n, 31))), carry: carryOf(n - 1) };
    default:
      if (amount !== 0) return { value: b.rotr(v, b.const(amount)), carry: carryOf(amount - 1) };
      return { value: b.or(b.shr(v, b.const(1)), b.shl(b.carry(), b.const(31))), carry: carryOf(0) };
  }
};

/** Shift by a register, bits 7:0 of `amount`. */
export const shiftRegister = (b: ArmBuilder, v: Value, type: number, amount: Value, wantCarry: boolean): Shifted => {
  switch (type) {
    case 0:
      return { value: b.lslReg(v, amount), carry: wantCarry ? b.lslCarry(v, amount, b.carry()) : undefined };
    case 1:
      return { value: b.lsrReg(v, amount), carry: wantCarry ? b.lsrCarry(v, amount, b.carry()) : undefined };
    case 2:
      return { value: b.asrReg(v, amount), carry: wantCarry ? b.asrCarry(v, amount, b.carry()) : undefined };
    default:
      return { value: b.rorReg(v, amount), carry: wantCarry ? b.rorCarry(v, amount, b.carry()) : undefined };
  }
};

const rotateRight = (value: number, amount: number): number => ((value >>> amount) | (value << ((32 - amount) & 31))) >>> 0;

/** ARMExpandImm (A5.2.4): eight bits and half the rotation. */
export const expandA32 = (rotation: number, bits: number): number => rotateRight(bits, rotation * 2);

/** ThumbExpandImm (A6.3.2): twelve bits. */
export const expandT32 = (imm12: number): number => {
  const byte = imm12 & 0xff;
  if (imm12 >>> 10 !== 0) return rotateRight(0x80 | (imm12 & 0x7f), imm12 >>> 7);
  const pair = byte | (byte << 16);
  switch (imm12 >>> 8) {
    case 0:
      return byte;
    case 1:
      return pair >>> 0;
    case 2:
      return (pair << 8) >>> 0;
    default:
      return (pair | (pair << 8)) >>> 0;
  }
};

/** An immediate operand with the carry of its rotation. */
export const immediateA32 = (b: ArmBuilder, rotation: number, bits: number): Shifted => {
  const value = expandA32(rotation, bits);
  return { value: b.const(value), carry: rotation === 0 ? undefined : b.const(value >>> 31) };
};
export const immediateT32 = (b: ArmBuilder, imm12: number): Shifted => {
  const value = expandT32(imm12);
  return { value: b.const(value), carry: imm12 >>> 10 === 0 ? undefined : b.const(value >>> 31) };
};

/** Eight bits twice with a zero byte pattern: UNPREDICTABLE in ThumbExpandImm. */
export const emptyPatternT32 = (imm12: number): boolean => imm12 >>> 10 === 0 && imm12 >>> 8 !== 0 && (imm12 & 0xff) === 0;

/** What one data-processing mnemonic computes. */
export interface Operation {
  /** Logical operations take C from the shifter and leave V. */
  readonly logical: boolean;
  /** The result alone. */
  readonly plain: (b: ArmBuilder, n: Value, m: Value) => Value;
  /** The result with N, Z, C and V (arithmetic only; for a logical operation the same as `plain`). */
  readonly withFlags: (b: ArmBuilder, n: Value, m: Value) => Value;
}

/** NOT with constants folded. */
export const invert = (b: ArmBuilder, v: Value): Value => {
  const constant = b.constantOf(v);
  return constant === undefined ? b.not(v) : b.const(~constant);
};

const logical = (plain: Operation['plain']): Operation => ({ logical: true, plain, withFlags: plain });

export const AND = logical((b, n, m) => b.and(n, m));
export const EOR = logical((b, n, m) => b.xor(n, m));
export const ORR = logical((b, n, m) => b.or(n, m));
export const ORN = logical((b, n, m) => b.or(n, invert(b, m)));
export const BIC = logical((b, n, m) => b.and(n, invert(b, m)));
export const MOV = logical((_b, _n, m) => m);
export const MVN = logical((b, _n, m) => invert(b, m));
export const ADD: Operation = { logical: false, plain: (b, n, m) => b.add(n, m), withFlags: (b, n, m) => b.addFlags(n, m) };
export const SUB: Operation = { logical: false, plain: (b, n, m) => b.sub(n, m), withFlags: (b, n, m) => b.subFlags(n, m) };
export const RSB: Operation = { logical: false, plain: (b, n, m) => b.sub(m, n), withFlags: (b, n, m) => b.subFlags(m, n) };
export const ADC: Operation = {
  logical: false,
  plain: (b, n, m) => b.add(b.add(n, m), b.carry()),
  withFlags: (b, n, m) => b.adcFlags(n, m, b.carry()),
};
/** n - m - NOT C is n + NOT m + C. */
export const SBC: Operation = {
  logical: false,
  plain: (b, n, m) => ADC.plain(b, n, invert(b, m)),
  withFlags: (b, n, m) => ADC.withFlags(b, n, invert(b, m)),
};
export const RSC: Operation = {
  logical: false,
  plain: (b, n, m) => SBC.plain(b, m, n),
  withFlags: (b, n, m) => SBC.withFlags(b, m, n),
};

/** SUBS PC, LR and its relatives: CPSR := SPSR, PC := the value. */
const exceptionReturn = systemKernel('exception-return', (core, pc) => core.exceptionReturn(pc, core.readSpsr()));

/** Exception return to `pc`. UNPREDICTABLE in User mode, where QEMU takes it as UNDEFINED. */
export const returnFromException = (b: ArmBuilder, pc: Value): void => {
  if (!b.privileged) {
    b.undefined();
    return;
  }
  b.call(exceptionReturn, pc);
  b.resync();
};

/** Writes the flags of an operation, not its result; gives the result. */
const computeWithFlags = (b: ArmBuilder, op: Operation, n: Value, m: Shifted): Value => {
  const value = op.withFlags(b, n, m.value);
  if (op.logical) {
    if (m.carry === undefined) b.setNZ(value);
    else b.setNZC(value, m.carry);
  }
  return value;
};

/** R[d] := op(n, m), with flags when `s`. R[15] is a branch; the caller deals with exception returns. */
export const compute = (b: ArmBuilder, op: Operation, d: number, n: Value, m: Shifted, s: boolean): void =>
  b.writeAlu(d, s ? computeWithFlags(b, op, n, m) : op.plain(b, n, m.value));

/** As `compute`; with `s` and R[15] in A32 it is an exception return (B9.3.20). */
export const computeOrReturn = (b: ArmBuilder, op: Operation, d: number, n: Value, m: Shifted, s: boolean): void => {
  if (s && d === 15 && !b.thumb) returnFromException(b, op.plain(b, n, m.value));
  else compute(b, op, d, n, m, s);
};

/** Flags only: TST, TEQ, CMP, CMN. */
export const compare = (b: ArmBuilder, op: Operation, n: Value, m: Shifted): void => {
  computeWithFlags(b, op, n, m);
};

/** A pure kernel. */
export const pureKernel = (name: string, run: (a: number, b: number, c: number) => number): PureKernel => ({ kind: 'pure', name, run });
