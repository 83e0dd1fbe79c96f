import type { Builder } from '../builder.js';
import { TEMP0 } from '../layout.js';
import * as op from '../ops.js';

/** Whether a jump to value `v` is, but for rare exceptions, a return: its target comes from the link register or the stack. */
export const isReturn = (builder: Builder, v: number): boolean => {
  const { code } = builder;
  const base = v * op.STRIDE;
  const kind = code[base];
  if (kind === op.AND) return isReturn(builder, code[base + 1]!);
  if (kind === op.GET_REG) return code[base + 1] === 14;
  if (kind === op.GET_STATE) return code[base + 1] === TEMP0;
  return kind === op.LOAD && code[code[base + 1]! * op.STRIDE] === op.GET_REG && code[code[base + 1]! * op.STRIDE + 1] === 13;
};
