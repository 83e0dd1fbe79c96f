import type { CallKernel, InlineCall, InlineCallContext } from '@tablewalk/engine';
import { layout, wasm } from '@tablewalk/engine';
import type { DirectRegion } from '@tablewalk/machine';
import { CPSR_A, CPSR_F, CPSR_I } from '../system/core-system.js';
import {
  claimExclusive,
  clearExclusive,
  dmb,
  dsb,
  isb,
  maintainCache,
  markExclusive,
  readCpsr,
  sendEvent,
  writeCpsr,
} from '../system/kernels-system.js';

/*
 * System kernels written out in WebAssembly, as far as they are common and simple; they leave to the interpreter when they are not. Each does what the
 * kernel of the same name does.
 */

/** A, I and F, which change nothing about how code is translated. */
const MASKS = CPSR_A | CPSR_I | CPSR_F;
const FLAGS = 0xf8000000 | 0;
const GE = 0x000f0000;
/** Bits of CPSR in CPSR_CONTROL. */
const CONTROL = 0x010003ff;
/** Of those, the ones that MRS reads. */
const CONTROL_READABLE = 0x3df;

/** What {@link SystemInlines.setObserved} says has no effect. */
const nothing: InlineCall = ({ w }) => w.i32(0);

const inlineReadCpsr: InlineCall = ({ w }) => {
  const part = (word: number, ...steps: readonly (readonly [number, number])[]): void => {
    w.loadWord(word);
    for (const [operand, opcode] of steps) {
      w.i32(operand);
      w.op(opcode);
    }
  };
  part(layout.FLAG_N, [0x80000000 | 0, wasm.I32_AND]);
  part(layout.FLAG_Z, [0, wasm.I32_EQ], [30, wasm.I32_SHL]);
  w.op(wasm.I32_OR);
  part(layout.FLAG_C, [29, wasm.I32_SHL]);
  w.op(wasm.I32_OR);
  part(layout.FLAG_V, [31, wasm.I32_SHR_U], [28, wasm.I32_SHL]);
  w.op(wasm.I32_OR);
  part(layout.FLAG_Q, [27, wasm.I32_SHL]);
  w.op(wasm.I32_OR);
  part(layout.FLAG_GE, [16, wasm.I32_SHL]);
  w.op(wasm.I32_OR);
  part(layout.CPSR_CONTROL, [CONTROL_READABLE, wasm.I32_AND]);
  w.op(wasm.I32_OR);
};

const inlineWriteCpsr: InlineCall = ({ w, push, constantOf, leaveWhen }) => {
  const mask = constantOf(1);
  const value = w.borrow();
  const control = w.borrow();
  if (mask === undefined) {
    w.i32(1);
    leaveWhen();
  }
  const bits = (mask ?? 0) & CONTROL;
  push(0);
  w.set(value);
  // Another mode, endianness: banks, translations.
  w.get(value);
  w.loadWord(layout.CPSR_CONTROL);
  w.tee(control);
  w.op(wasm.I32_XOR);
  w.i32(bits & ~MASKS);
  w.op(wasm.I32_AND);
  leaveWhen();
  w.get(control);
  w.i32(~bits);
  w.op(wasm.I32_AND);
  w.get(value);
  w.i32(bits);
  w.op(wasm.I32_AND);
  w.op(wasm.I32_OR);
  w.set(control);
  // An interrupt that waits for this.
  w.get(control);
  w.i32(-1);
  w.op(wasm.I32_XOR);
  w.loadWord(layout.INTERRUPT_LINES);
  w.op(wasm.I32_AND);
  leaveWhen();
  w.storeWord(layout.CPSR_CONTROL, () => w.get(control));
  if ((mask ?? 0) & FLAGS) writeFlags(w, value);
  if ((mask ?? 0) & GE) w.storeWord(layout.FLAG_GE, () => field(w, value, 16, 15));
  w.release(control);
  w.release(value);
  w.i32(0);
};

type Writer = InlineCallContext['w'];

const field = (w: Writer, value: number, shift: number, mask: number): void => {
  w.get(value);
  w.i32(shift);
  w.op(wasm.I32_SHR_U);
  w.i32(mask);
  w.op(wasm.I32_AND);
};

const writeFlags = (w: Writer, value: number): void => {
  w.storeWord(layout.FLAG_N, () => w.get(value));
  w.storeWord(layout.FLAG_Z, () => {
    field(w, value, 30, 1);
    w.op(wasm.I32_EQZ);
  });
  w.storeWord(layout.FLAG_C, () => field(w, value, 29, 1));
  w.storeWord(layout.FLAG_V, () => {
    w.get(value);
    w.i32(3);
    w.op(wasm.I32_SHL);
  });
  w.storeWord(layout.FLAG_Q, () => field(w, value, 27, 1));
};

/** The exclusive monitor, for addresses in `ram`. */
const exclusives = (ram: DirectRegion): readonly (readonly [CallKernel<never>, InlineCall])[] => {
  /** Leaves unless operand 0 is a multiple of the size that is operand 1. */
  const aligned = ({ w, push, leaveWhen }: InlineCallContext, size: number): void => {
    push(0);
    w.i32(size - 1);
    w.op(wasm.I32_AND);
    leaveWhen();
  };
  /** Pushes the physical address of operand 0. */
  const physical = ({ w, hostAddress, leaveWhen }: InlineCallContext, size: number, isStore: boolean): void => {
    const host = w.borrow();
    hostAddress(0, Math.min(size, 4), isStore);
    w.tee(host);
    w.i32((ram.hostOffset + ram.byteLength) | 0);
    w.op(wasm.I32_GE_U);
    leaveWhen();
    w.get(host);
    w.i32((ram.base - ram.hostOffset) | 0);
    w.op(wasm.I32_ADD);
    w.release(host);
  };
  const mark: InlineCall = (context) => {
    const { w } = context;
    const size = context.constantOf(1)!;
    const pa = w.borrow();
    aligned(context, size);
    physical(context, size, false);
    w.set(pa);
    w.storeWord(layout.EXCLUSIVE_SIZE, () => w.i32(size));
    w.storeWord(layout.EXCLUSIVE_ADDRESS, () => w.get(pa));
    w.storeWord(layout.EXCLUSIVE_ADDRESS_HIGH, () => w.i32(0));
    w.release(pa);
    w.i32(0);
  };
  const claim: InlineCall = (context) => {
    const { w } = context;
    const size = context.constantOf(1)!;
    const claimed = w.borrow();
    aligned(context, size);
    w.i32(0);
    w.set(claimed);
    w.loadWord(layout.EXCLUSIVE_SIZE);
    w.if();
    physical(context, size, true);
    w.loadWord(layout.EXCLUSIVE_ADDRESS);
    w.op(wasm.I32_EQ);
    w.loadWord(layout.EXCLUSIVE_SIZE);
    w.i32(size);
    w.op(wasm.I32_EQ);
    w.op(wasm.I32_AND);
    w.loadWord(layout.EXCLUSIVE_ADDRESS_HIGH);
    w.op(wasm.I32_EQZ);
    w.op(wasm.I32_AND);
    w.set(claimed);
    w.storeWord(layout.EXCLUSIVE_SIZE, () => w.i32(0));
    w.end();
    w.get(claimed);
    w.release(claimed);
  };
  return [
    [markExclusive, mark],
    [claimExclusive, claim],
  ];
};

const inlineClearExclusive: InlineCall = ({ w }) => {
  w.storeWord(layout.EXCLUSIVE_SIZE, () => w.i32(0));
  w.i32(0);
};

const inlineSendEvent: InlineCall = ({ w }) => {
  w.storeWord(layout.EVENT, () => w.i32(1));
  w.i32(0);
};

export interface InlineConditions {
  /** Effects wait for DSB and ISB. */
  readonly late: boolean;
  /** Caches have no contents: their maintenance is nothing. */
  readonly coherent: boolean;
}

/** What the translator writes out for a machine with this RAM. */
export class SystemInlines {
  readonly calls: ReadonlyMap<CallKernel<never>, InlineCall>;
  private readonly map: Map<CallKernel<never>, InlineCall>;
  private readonly conditions: InlineConditions;

  constructor(ram: DirectRegion | undefined, conditions: InlineConditions) {
    this.conditions = conditions;
    this.map = new Map([
      [readCpsr, inlineReadCpsr],
      [writeCpsr, inlineWriteCpsr],
      [clearExclusive, inlineClearExclusive],
      [sendEvent, inlineSendEvent],
      ...(ram !== undefined && ram.base + ram.byteLength <= 2 ** 32 ? exclusives(ram) : []),
    ] as readonly (readonly [CallKernel<never>, InlineCall])[]);
    this.calls = this.map;
    this.setObserved(false, false);
  }

  /** What an observer hears of is the interpreter's: barriers, writes of system registers. True: this is a change. */
  setObserved(barriers: boolean, writes: boolean): boolean {
    const { late, coherent } = this.conditions;
    let changed = false;
    const wanted: readonly (readonly [CallKernel<never>, boolean])[] = [
      [dmb, !barriers],
      [dsb, !barriers && !late],
      [isb, !barriers && !late],
      [maintainCache, !writes && coherent],
    ];
    for (const [kernel, isInlined] of wanted) {
      if (isInlined === this.map.has(kernel)) continue;
      changed = true;
      if (isInlined) this.map.set(kernel, nothing);
      else this.map.delete(kernel);
    }
    return changed;
  }
}
