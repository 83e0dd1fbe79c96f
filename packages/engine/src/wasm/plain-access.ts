import type { Builder } from '../builder.js';
import { isPure } from '../op-info.js';
import * as ops from '../ops.js';

/** A load or a store of one register that does nothing else, but for writing back its base register. */
export interface PlainAccess {
  readonly isStore: boolean;
  /** MEM_ flags. */
  readonly flags: number;
  /** Loaded or stored. */
  readonly register: number;
  /**
   * The address is that of the base register plus `offset` plus the index register, if any (else -1). The base is -1 when the address is computed otherwise or
   * the instruction is conditional.
   */
  readonly base: number;
  readonly index: number;
  readonly offset: number;
  /** Register that is written afterwards, or -1: it becomes itself plus `delta`. */
  readonly written: number;
  readonly delta: number;
}

/** An address that only the instruction says. */
const ELSEWHERE = { base: -1, index: -1, offset: 0 } as const;

/** What micro-operations [from, to) of `builder` are, when that is one plain access that goes on at the next instruction. */
export const plainAccessOf = (builder: Builder, from = 0, to = builder.count): PlainAccess | undefined => {
  const { code } = builder;
  const word = (i: number, n: number): number => code[i * ops.STRIDE + n]!;
  const isRegister = (v: number): boolean => word(v, 0) === ops.GET_REG && word(v, 1) < 15;
  /** A register, or one plus a constant or another one. */
  const addressOf = (v: number): Pick<PlainAccess, 'base' | 'index' | 'offset'> | undefined => {
    if (isRegister(v)) return { base: word(v, 1), index: -1, offset: 0 };
    const kind = word(v, 0);
    const a = word(v, 1);
    const b = word(v, 2);
    if ((kind !== ops.ADD && kind !== ops.SUB) || !isRegister(a)) return undefined;
    const distance = builder.constantOf(b);
    if (distance !== undefined) return { base: word(a, 1), index: -1, offset: kind === ops.ADD ? distance : -distance };
    return kind === ops.ADD && isRegister(b) ? { base: word(a, 1), index: word(b, 1), offset: 0 } : undefined;
  };
  let access = -1;
  let loaded = -1;
  let written = -1;
  let delta = 0;
  let isConditional = false;
  for (let i = from; i < to; i++) {
    const kind = word(i, 0);
    switch (kind) {
      case ops.IF:
        if (isConditional || access >= 0) return undefined;
        isConditional = true;
        break;
      case ops.END_IF:
        if (access < 0) return undefined;
        break;
      case ops.GOTO:
        if (i < to - 1 || word(i, 1) !== builder.nextOffset) return undefined;
        break;
      case ops.LOAD:
      case ops.STORE:
        if (access >= 0) return undefined;
        access = i;
        break;
      case ops.SET_REG: {
        const v = word(i, 2);
        if (access < 0) return undefined;
        if (v === access && loaded < 0) {
          loaded = word(i, 1);
          break;
        }
        const to = addressOf(v);
        if (written >= 0 || to === undefined || to.index >= 0 || to.base !== word(i, 1)) return undefined;
        written = to.base;
        delta = to.offset;
        break;
      }
      default:
        if (!isPure(kind)) return undefined;
    }
  }
  if (access < 0) return undefined;
  const isStore = word(access, 0) === ops.STORE;
  if (isStore ? !isRegister(word(access, 3)) : loaded < 0 || loaded > 14 || loaded === written) return undefined;
  const address = (isConditional ? undefined : addressOf(word(access, 1))) ?? ELSEWHERE;
  return { isStore, flags: word(access, 2), register: isStore ? word(word(access, 3), 1) : loaded, ...address, written, delta };
};
