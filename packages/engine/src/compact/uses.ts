import type { Builder } from '../builder.js';
import { valueOperands } from '../op-info.js';
import * as op from '../ops.js';

/** Who uses the values of a block. Instances are reused. */
export class ValueUses {
  /** By value: how often it is used, and the micro-operation that does so last, or -1. */
  count = new Int32Array(4096);
  last = new Int32Array(4096);

  collect({ code, lists, count: length }: Builder): void {
    if (length > this.count.length) {
      this.count = new Int32Array(2 * length);
      this.last = new Int32Array(2 * length);
    }
    const { count, last } = this;
    for (let i = 0; i < length; i++) {
      count[i] = 0;
      last[i] = -1;
      const base = i * op.STRIDE;
      const kind = code[base]!;
      const bits = valueOperands(kind);
      for (let n = 0; bits >>> n !== 0; n++) {
        const v = code[base + 1 + n]!;
        if (((bits >>> n) & 1) === 0 || v < 0) continue;
        count[v]!++;
        last[v] = i;
      }
      if (kind !== op.STORE_MULTIPLE) continue;
      for (let n = 0; n < code[base + 3]!; n++) {
        const item = lists[code[base + 2]! + n]!;
        if (item >= 0) continue;
        count[~item]!++;
        last[~item] = i;
      }
    }
  }
}
