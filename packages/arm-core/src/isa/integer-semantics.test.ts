import type { AccessPort, StateViews } from '@tablewalk/engine';
import { ClosureCompiler, Frame, layout, ops } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import type { CoreProfile } from '../profiles/profile.js';
import { ArmBuilder } from './arm-builder.js';
import { Disassembler } from './disassembler.js';
import type { InstructionSet } from './encoding.js';
import { qemuSamples } from './integer-semantics.fixture.js';

const disassembler = new Disassembler();
const CODE = 0x1000;

interface Setup {
  readonly regs?: ReadonlyMap<number, number>;
  /** CPSR bits 31:16. */
  readonly flags?: number;
  readonly privileged?: boolean;
  readonly core?: Readonly<Record<string, unknown>>;
}

/** Runs one instruction through the closures; calls on the core are logged. */
const run = (isa: InstructionSet, word: number, { regs = new Map(), flags = 0, privileged = false, core = {} }: Setup = {}) => {
  const buffer = new ArrayBuffer(layout.STATE_BYTES);
  const state = new Int32Array(buffer);
  for (const [n, value] of regs) state[n] = value;
  state[layout.PC] = CODE;
  state[layout.PAGE_VA] = CODE;
  state[layout.FLAG_N] = flags << 16;
  state[layout.FLAG_Z] = (flags & 0x4000) === 0 ? 1 : 0;
  state[layout.FLAG_C] = (flags >>> 13) & 1;
  state[layout.FLAG_V] = flags << 19;
  state[layout.FLAG_Q] = (flags >>> 11) & 1;
  state[layout.FLAG_GE] = flags & 15;
  const log: string[] = [];
  const access = {
    frame: new Frame(),
    exchange(target: number) {
      log.push(`exchange ${(target >>> 0).toString(16)}`);
      state[layout.PC] = target & ~1;
    },
  } as unknown as AccessPort;
  const logging = new Proxy(core, {
    get:
      (target, name) =>
      (...values: number[]) => {
        log.push([String(name), ...values.map((value) => (value >>> 0).toString(16))].join(' '));
        return target[name as string] ?? 0;
      },
  });
  const views = { words: state, u32: new Uint32Array(buffer) } as unknown as StateViews;
  const none = { m8: new Uint8Array(0), m16: new Uint16Array(0), m32: new Int32Array(0) };
  const compiler = new ClosureCompiler({ state: views, ...none, access, core: logging as never, bound: new Map() });
  const b = new ArmBuilder({ features: new Set(), id: {} } as unknown as CoreProfile);
  const thumb = isa !== 'A32';
  b.setMode({ thumb, bigEndian: false, privileged, vfpEnabled: true, simdEnabled: true, shortVectors: false, alignmentChecked: false });
  const { entry, fields } = disassembler.table(isa).decode(word)!;
  b.size = isa === 'T16' ? 2 : 4;
  b.word = word;
  b.instruction(0, b.size, 0);
  b.cond = fields['c'] ?? 14;
  if (b.cond < 14) b.if(b.condition(b.cond));
  entry.encoding.semantics(b, fields);
  if (b.cond < 14) {
    b.endIf();
    b.goto(b.size);
  } else if (!b.ended) b.goto(b.size);
  const code = Array.from({ length: b.count }, (_, i) => b.code[i * ops.STRIDE]!);
  for (const statement of compiler.compile(b, privileged, thumb).statements) statement();
  const bit = (value: boolean, k: number): number => (value ? 1 << k : 0);
  const after =
    bit(state[layout.FLAG_N]! < 0, 15) |
    bit(state[layout.FLAG_Z] === 0, 14) |
    bit(state[layout.FLAG_C] === 1, 13) |
    bit(state[layout.FLAG_V]! < 0, 12) |
    bit(state[layout.FLAG_Q] !== 0, 11) |
    state[layout.FLAG_GE]!;
  return { r: Array.from(state.subarray(0, 15), (value) => value >>> 0), pc: state[layout.PC]! >>> 0, flags: after, log, code };
};

const registersIn = (text: string): Map<number, number> =>
  new Map([...text.matchAll(/r(\d+)=([0-9a-f]+)/g)].map((match) => [Number(match[1]), Number.parseInt(match[2]!, 16)]));

describe('integer instructions', () => {
  it('do what QEMU does, three words of each encoding', () => {
    expect(qemuSamples.length).toBeGreaterThan(900);
    for (const sample of qemuSamples) {
      const [before, after] = sample.split(' -> ') as [string, string];
      const [isa, word, flags, registers = ''] = before.split(' ') as [InstructionSet, string, string, string?];
      const regs = registersIn(registers);
      const out = run(isa, Number.parseInt(word, 16), { regs, flags: Number.parseInt(flags, 16) });
      const expected = Array.from({ length: 15 }, (_, n) => registersIn(after).get(n) ?? regs.get(n) ?? 0);
      expect([sample, ...out.r, out.flags]).toEqual([sample, ...expected, Number.parseInt(/flags=([0-9a-f]+)/.exec(after)![1]!, 16)]);
      expect(out.log).toEqual([]);
    }
  });

  it('are few micro-operations', () => {
    // ADD r0, r1, #4; the jump is the end of the block.
    expect(run('A32', 0xe2810004).code).toEqual([ops.GET_REG, ops.CONST, ops.ADD, ops.SET_REG, ops.GOTO]);
    expect(run('A32', 0xe3510004).code).toEqual([ops.GET_REG, ops.CONST, ops.SUB_FLAGS, ops.GOTO]);
  });
});

describe('branches', () => {
  it('B, BL and BLX', () => {
    expect(run('A32', 0xea000002).pc).toBe(CODE + 16);
    expect(run('A32', 0xeb000002)).toMatchObject({ pc: CODE + 16 });
    expect(run('A32', 0xeb000002).r[14]).toBe(CODE + 4);
    expect(run('A32', 0xfb000002).log).toEqual(['exchange 1013']);
    expect(run('T32', 0xf000f802).r[14]).toBe(CODE + 5);
    expect(run('T32', 0xf000e802).log).toEqual(['exchange 1008']);
  });
  it('BLX LR reads its register before the link is written', () => {
    const out = run('A32', 0xe12fff3e, { regs: new Map([[14, 0x2001]]) });
    expect(out.log).toEqual(['exchange 2001']);
    expect(out.r[14]).toBe(CODE + 4);
  });
  it('CBZ and CBNZ', () => {
    expect(run('T16', 0xb118).pc).toBe(CODE + 10);
    expect(run('T16', 0xb918).pc).toBe(CODE + 2);
  });
  it('a PC result is an interworking branch in A32, a plain one in T32', () => {
    expect(run('A32', 0xe1a0f000, { regs: new Map([[0, 0x2001]]) }).log).toEqual(['exchange 2001']);
    expect(run('T16', 0x4687, { regs: new Map([[0, 0x2001]]) })).toMatchObject({ pc: 0x2000, log: [] });
  });
});

describe('exceptions', () => {
  it('SUBS PC, LR returns with SPSR, and is UNDEFINED in User mode', () => {
    const setup = { regs: new Map([[14, 0x2008]]), privileged: true, core: { readSpsr: 0x1d3 } };
    expect(run('A32', 0xe25ef004, setup).log).toEqual(['readSpsr', 'exceptionReturn 2004 1d3']);
    expect(run('T32', 0xf3de8f04, setup).log).toEqual(['readSpsr', 'exceptionReturn 2004 1d3']);
    expect(run('A32', 0xe25ef004, { regs: setup.regs }).log).toEqual(['takeUndefined']);
  });
  it('calls, breakpoints and semihosting', () => {
    expect(run('A32', 0xef000005).log).toEqual(['takeSvc 5']);
    expect(run('A32', 0xef123456).log).toEqual(['semihosting', 'takeSvc 123456']);
    expect(run('A32', 0xef123456, { core: { semihosting: 1 } })).toMatchObject({ log: ['semihosting'], pc: CODE + 4 });
    expect(run('T16', 0xbe03).log).toEqual(['takeBreakpoint 3']);
    expect(run('A32', 0xe1400071, { privileged: true })).toMatchObject({ log: ['hypervisorCall 1'], pc: CODE + 4 });
    expect(run('A32', 0xe1400071).log).toEqual(['takeUndefined']);
    expect(run('A32', 0xe7f000f0).log).toEqual(['takeUndefined']);
  });
  it('hints', () => {
    expect(run('A32', 0xe320f003).log).toEqual(['waitForInterrupt']);
    expect(run('T16', 0xbf20).log).toEqual(['waitForEvent']);
    expect(run('T32', 0xf3af8004).log).toEqual(['sendEvent']);
    expect(run('A32', 0xe320f077)).toMatchObject({ log: [], pc: CODE + 4 });
  });
});
