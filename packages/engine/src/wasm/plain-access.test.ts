import { describe, expect, it } from 'vitest';
import { Builder } from '../builder.js';
import * as ops from '../ops.js';
import type { PlainAccess } from './plain-access.js';
import { plainAccessOf } from './plain-access.js';

const of = (write: (b: Builder) => void): PlainAccess | undefined => {
  const b = new Builder();
  b.instruction(16, 4, 0);
  write(b);
  if (!b.ended) b.goto(b.nextOffset);
  return plainAccessOf(b);
};

describe('plain accesses', () => {
  it('are loads and stores of one register, with a base that may be written back', () => {
    expect(of((b) => b.setReg(3, b.load(b.add(b.getReg(2), b.const(24)), 4)))).toEqual({
      ...{ isStore: false, flags: 4, register: 3, base: 2, index: -1, offset: 24, written: -1, delta: 0 },
    });
    expect(of((b) => b.store(b.add(b.getReg(1), b.getReg(5)), 1, b.getReg(0)))).toEqual({
      ...{ isStore: true, flags: 1, register: 0, base: 1, index: 5, offset: 0, written: -1, delta: 0 },
    });
    const postIndexed = of((b) => {
      b.setReg(0, b.load(b.getReg(1), 2 | ops.MEM_SIGNED));
      b.setReg(1, b.sub(b.getReg(1), b.const(2)));
    });
    const scaled = of((b) => b.setReg(3, b.load(b.add(b.getReg(2), b.shl(b.getReg(4), b.const(2))), 4)));
    expect(scaled).toEqual({ isStore: false, flags: 4, register: 3, base: -1, index: -1, offset: 0, written: -1, delta: 0 });
    const conditional = of((b) => {
      b.if(b.condition(0));
      b.setReg(0, b.load(b.getReg(1), 4));
      b.setReg(1, b.add(b.getReg(1), b.const(4)));
      b.endIf();
    });
    expect(conditional).toMatchObject({ register: 0, base: -1, written: 1, delta: 4 });
    expect(postIndexed).toMatchObject({ flags: 2 | ops.MEM_SIGNED, register: 0, base: 1, offset: 0, written: 1, delta: -2 });
  });

  it('are nothing else', () => {
    const others: readonly ((b: Builder) => void)[] = [
      (b) => b.setReg(0, b.const(1)),
      (b) => {
        b.setReg(1, b.add(b.getReg(1), b.const(4)));
        b.setReg(0, b.load(b.getReg(1), 4));
      },
      (b) => {
        b.if(b.condition(0));
        b.setReg(0, b.load(b.getReg(1), 4));
        b.endIf();
        b.setReg(2, b.const(1));
      },
      (b) => {
        b.setReg(0, b.load(b.getReg(1), 4));
        b.if(b.condition(0));
        b.setReg(1, b.add(b.getReg(1), b.const(4)));
        b.endIf();
      },
      (b) => {
        b.setReg(0, b.load(b.getReg(1), 4));
        b.setReg(2, b.load(b.getReg(1), 4));
      },
      (b) => {
        b.setReg(0, b.load(b.getReg(1), 4));
        b.setReg(1, b.add(b.getReg(2), b.const(4)));
      },
      (b) => b.jump(b.load(b.getReg(1), 4)),
      (b) => b.setReg(0, b.uxt8(b.load(b.getReg(1), 4))),
      (b) => b.store(b.getReg(1), 4, b.pagePc(24)),
      (b) => b.loadMultiple(b.getReg(1), [2, 3], 4),
    ];
    for (const write of others) expect(of(write)).toBeUndefined();
  });
});
