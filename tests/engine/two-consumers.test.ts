import { assemble, coreProfiles, DecodeTable, encodings } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { Builder, CompiledBlock } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import { Translator } from '../../packages/arm-core/src/core/translator.js';
import { singleBlock } from '../../packages/engine/src/wasm/region.js';
import { instantiateRegions, type RegionFunction, RegionModuleBuilder } from '../../packages/engine/src/wasm/region-module.js';
import { makeTrampoline } from '../../packages/engine/src/wasm/trampoline.js';

/*
 * Telling encodings through both consumers of the micro-operations: one machine interprets them, on the other a Wasm region made of the same list runs
 * first and the interpreter goes on where it left. State and memory must be the same.
 */
const ORIGIN = 0x40010000;
const RAM = 0x40000000;
/** Two pages that the fast table holds when the code starts, and one that it does not. */
const DATA = 0x40100000;
const DATA_BYTES = 3 * 4096;
/** Nothing is at this address: an external abort. */
const NOWHERE = 0x0b000000;
const TRIALS = 10;
/** Of snippets that need new machines each time. */
const FEWER_TRIALS = 3;

const preamble = `
  mrc p15, 0, r0, c1, c0, 2
  orr r0, r0, #0xf00000
  mcr p15, 0, r0, c1, c0, 2
  isb
  mov r0, #0x40000000
  vmsr fpexc, r0
  ldr r1, =${DATA}
  ldr r2, [r1]
  str r2, [r1]
  add r1, r1, #4096
  ldr r2, [r1]
  b ready
  .ltorg
`;

interface Snippet {
  readonly text: string;
  readonly thumb?: boolean;
  /** What the region must do: stay to the end, leave every time, or either. */
  readonly leaves: boolean | undefined;
}
const stays = (text: string, thumb = false): Snippet => ({ text, thumb, leaves: false });
const leaves = (text: string, thumb = false): Snippet => ({ text, thumb, leaves: true });
const either = (text: string, thumb = false): Snippet => ({ text, thumb, leaves: undefined });

/** r8 points into the first page of data, r9 into the second, r10 to one that is not in the fast table, r11 nowhere; r12 is a word offset below 64. */
const snippets: readonly Snippet[] = [
  // Flags and the shifter's carry.
  stays('adds r0, r1, r2; adcs r3, r1, r2; sbcs r4, r3, r0'),
  stays('subs r0, r1, r2; rscs r3, r1, #5; rsbs r4, r2, r3, lsl #3'),
  stays('cmp r1, r2; cmnne r1, r3; teqls r1, r2; movgt r0, #1; movle r0, #2; addvs r4, r4, #1'),
  stays('cmp r1, r2; tst r3, r4; moveq r0, #1; movhi r5, #2; movlt r6, #3; movpl r7, #4'),
  stays('movs r0, r1, lsl #5; movcs r2, #1; movs r3, r1, lsr #32; movcc r4, #7; movs r5, r1, asr #1; rrxs r6, r5'),
  stays('ands r0, r1, r2, ror r3; orrs r4, r1, r2, lsl r3; bics r5, r1, r2, asr r3; eors r6, r1, r2, lsr r3'),
  stays('mvns r0, #0xff000000; movs r1, #0x80000000; adc r2, r1, r0; tst r1, #0xf0000000; sbc r3, r0, r2'),
  leaves('mrs r0, apsr; adds r1, r1, r2; mrs r3, apsr; msr apsr_nzcvq, r4; addcs r5, r5, #1; addmi r6, r6, #1; mrs r7, apsr'),
  // Multiplication, division, bits, saturation, SIMD in the core registers.
  stays('mul r0, r1, r2; mlas r3, r1, r2, r4; umull r5, r6, r1, r2; smlal r5, r6, r3, r4; umaal r5, r6, r0, r1'),
  stays('sdiv r0, r1, r12; udiv r2, r3, r12; sdiv r4, r1, r3; mls r5, r4, r3, r1'),
  stays('clz r0, r1; rbit r2, r1; rev r3, r1; rev16 r4, r2; revsh r5, r1; ubfx r6, r1, #7, #13; sbfx r7, r1, #3, #29; bfi r0, r1, #4, #8'),
  leaves('qadd r0, r1, r2; qdsub r3, r1, r2; ssat r4, #9, r1; usat r5, #7, r2, asr #3; mrs r6, apsr'),
  stays('uadd8 r0, r1, r2; sel r3, r1, r2; ssub16 r4, r1, r2; sel r5, r2, r1; smlad r6, r1, r2, r3; usada8 r7, r1, r2, r3'),
  stays('sxtab r0, r1, r2, ror #8; uxtb16 r3, r1; pkhbt r4, r1, r2, lsl #7; movw r5, #0xbeef; movt r5, #0xdead'),
  // Loads and stores in the fast table.
  stays('ldr r0, [r8, r12, lsl #2]; str r1, [r8, #16]!; ldrsh r2, [r8], #2; strh r3, [r8, #6]; ldrsb r4, [r8, #3]; strb r5, [r8, #1]'),
  stays('ldmia r8!, {r0-r5}; stmdb r8, {r1, r3, r5, r8}; ldmdb r8, {r0, r2, r4, lr}'),
  stays('ldrd r0, r1, [r8, #8]; strd r2, r3, [r8], #24; ldrbne r4, [r8]; ldrheq r5, [r9, #2]'),
  stays('stmfd r8!, {r0-r3, lr}; ldmfd r8!, {r4-r7, lr}; ldr r0, [pc, #-16]'),
  // What is not: left at that instruction.
  leaves('add r0, r0, #1; ldr r1, [r10]; add r1, r1, r0'),
  leaves('adds r0, r1, r2; str r0, [r10, #4]; adc r3, r3, r0'),
  leaves('subs r0, r1, r2; ldr r3, [r8, #1]; sbc r4, r3, r0'),
  leaves('cmp r1, r2; ldmia r11, {r0-r3, r11}; mov r4, #1'),
  leaves('adds r1, r1, #1; ldr r2, [r11, #4]!; mov r3, #1'),
  leaves('str r1, [r8]; stmia r11, {r0-r7}; mov r3, #1'),
  either('cmp r1, r2; ldrhi r0, [r10]; strls r1, [r8]; addcs r3, r3, #1'),
  // Branches.
  stays('cmp r1, r2; bge next; mov r0, #1; next: mov r3, #2'),
  stays('cmp r1, r2; bleq next; next: mov r3, #2'),
  stays('add r0, pc, #8; bx r0; mov r1, #1; mov r1, #2'),
  stays('add r0, pc, #9; bx r0; mov r1, #1; mov r1, #2'),
  // The system: the interpreter's.
  leaves('add r0, r0, #1; mrc p15, 0, r1, c0, c0, 0; mcr p15, 0, r0, c13, c0, 2; mrc p15, 0, r2, c13, c0, 2'),
  leaves('movs r0, r1; svc #1; mov r3, #1'),
  leaves('adds r0, r1, r2; ldrex r3, [r8]; strex r4, r0, [r8]; dmb'),
  either('cmp r1, r2; mrcne p15, 0, r3, c0, c0, 5; addeq r3, r3, #1'),
  leaves('movs r0, r1; .inst 0xe7f000f0; mov r3, #1'),
  // Floating point and vectors.
  stays('vadd.f64 d0, d1, d2; vmul.f64 d3, d0, d1; vsub.f32 s8, s9, s10; vcmp.f64 d0, d1; vmrs apsr_nzcv, fpscr; movgt r0, #1'),
  stays('vcvt.f64.s32 d4, s0; vcvt.s32.f64 s2, d4; vmov r0, s2; vmov d5, r1, r2; vmov.f64 d6, d5; vneg.f64 d7, d6'),
  stays('vldr d0, [r8]; vstr d1, [r8, #8]; vldmia r8!, {d2-d5}; vstmia r8, {s4-s6}'),
  stays('vadd.i32 q0, q1, q2; vmul.i16 d6, d7, d8; veor q4, q5, q6; vshl.u8 d0, d1, d2; vmovl.s16 q7, d3'),
  stays('vld1.32 {d0-d1}, [r8]; vst1.8 {d2}, [r8]!; vdup.16 q2, r1; vext.8 q3, q0, q1, #5'),
  leaves('vadd.i8 d0, d1, d2; vld1.32 {d3-d4}, [r10]; vadd.i8 d0, d3, d4'),
  // T32: IT blocks, narrow forms, tables.
  stays('cmp r1, r2; ite ge; addge r0, r1, #1; sublt r0, r2, #1; adds r3, r3, r0', true),
  stays('lsls r0, r1, #3; itt cs; movcs r2, #1; addcs r3, r3, r2; adc r4, r4, r0', true),
  stays('movs r0, #255; adds r1, r1, r0; muls r2, r1, r2; uxtb r3, r2; cbz r3, next; mov r5, #1; next: mov r4, #1', true),
  stays('ldr.w r0, [r8, r12, lsl #2]; strb.w r1, [r8, #5]; ldrd r2, r3, [r8, #8]; stmia.w r8!, {r0-r3}', true),
  either('cmp r1, r2; it ne; ldrne r0, [r10]; adds r3, r3, r0', true),
  leaves('cmp r1, r1; itt eq; addeq r0, r0, #1; ldreq.w r3, [r11]; mov r4, #1', true),
];

/** Seeded words. */
const wordSource = (seed: number): (() => number) => {
  let x = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x | 0;
  };
};
const INTERESTING = [0, 1, -1, 0x7fffffff, -0x80000000, 31, 32, 33];

class Subject {
  readonly machine: VirtMachine;
  readonly words: Int32Array;
  private readonly start: number;
  private readonly control: number;

  constructor(image: Uint8Array, start: number) {
    this.machine = new VirtMachine({ kernel: image, memory: 16 << 20 });
    this.words = this.machine.cpu.core.words;
    this.start = start & ~1;
    for (let i = 0; this.pc !== this.start; i++) {
      if (i > 200) throw new Error('the code was not reached');
      this.machine.step();
    }
    this.control = this.words[layout.CPSR_CONTROL]!;
  }
  get pc(): number {
    return this.words[layout.PC]! >>> 0;
  }
  private get data(): Uint8Array {
    const host = this.machine.memory.regionAt(DATA)!.hostOffset + (DATA - RAM);
    return this.machine.memory.u8.subarray(host, host + DATA_BYTES);
  }

  randomise(seed: number): void {
    const next = wordSource(seed);
    const R = this.words;
    const value = (): number => (next() & 3 ? next() : INTERESTING[next() & 7]!);
    for (let n = 0; n < 8; n++) R[n] = value();
    R.set([DATA + 256 + ((next() & 63) << 3), DATA + 4096 + 512, DATA + 8192 + 64, NOWHERE, next() & 63, DATA + 1024, next()], 8);
    for (const flag of [layout.FLAG_N, layout.FLAG_Z, layout.FLAG_V]) R[flag] = value();
    R[layout.FLAG_C] = next() & 1;
    R[layout.FLAG_Q] = 0;
    R[layout.FLAG_GE] = next() & 15;
    for (let n = 0; n < 64; n++) R[layout.D0 + n] = next();
    // Ordinary numbers too, so that floating point does more than make NaNs.
    for (let n = 0; n < 4; n++) this.machine.cpu.core.state.f64[layout.D0 / 2 + n] = next() / 256;
    const { data } = this;
    for (let i = 0; i < data.length; i++) data[i] = next();
  }

  /** Back to the start of the snippet, where nothing but registers and data has changed: false when that cannot be said. */
  rewind(): boolean {
    if (this.words[layout.CPSR_CONTROL] !== this.control || this.words[layout.ITSTATE] !== 0) return false;
    this.words[layout.PC] = this.start;
    return true;
  }

  steps(count: number): void {
    for (let i = 0; i < count; i++) this.machine.step();
  }

  visible(): unknown {
    const R = this.words;
    return {
      registers: [...R.subarray(0, 16)],
      flags: [
        R[layout.FLAG_N]! >>> 31,
        R[layout.FLAG_Z] === 0,
        R[layout.FLAG_C],
        R[layout.FLAG_V]! >>> 31,
        R[layout.FLAG_Q],
        R[layout.FLAG_GE],
      ],
      control: [R[layout.CPSR_CONTROL], R[layout.ITSTATE], R[layout.EXCLUSIVE_SIZE]],
      fp: [...R.subarray(layout.FPSCR_CONTROL, layout.FPEXC + 1)],
      simd: [...R.subarray(layout.D0, layout.D0 + 64)],
      memory: Buffer.from(this.data).toString('base64'),
    };
  }
}

const sets = { a32: new DecodeTable('A32', encodings), t32: new DecodeTable('T32', encodings), t16: new DecodeTable('T16', encodings) };
const nothing = {
  compile: (block: Builder): CompiledBlock => ({
    statements: [],
    starts: new Array<number>(block.offsets.length + 1).fill(0),
    from: 0,
    end: 0,
  }),
};

const programOf = ({ text, thumb }: Snippet): { image: Uint8Array; start: number } => {
  const lines = text.split(';').map((line) => line.trim());
  const enter = thumb
    ? 'ready: ldr r0, =snippet + 1\n bx r0\n .ltorg\n .align 6\n .thumb\nsnippet:'
    : 'ready: b snippet\n .align 6\nsnippet:';
  const source = `${preamble}${enter}\n${lines.join('\n').replaceAll('next:', 'next:\n')}\nend: b end\n`;
  const { bytes, labels } = assemble(source, { origin: ORIGIN });
  return { image: bytes, start: labels.get('snippet')! };
};

const regionOf = (subject: Subject, thumb: boolean): { region: RegionFunction; builder: Builder } => {
  const { machine } = subject;
  const translator = new Translator(coreProfiles['cortex-a15']!, sets, nothing as never, (at) => machine.memory.u16[at >>> 1]!);
  const mode = {
    thumb,
    bigEndian: false,
    privileged: true,
    vfpEnabled: true,
    simdEnabled: true,
    shortVectors: false,
    alignmentChecked: false,
  };
  const page = machine.memory.regionAt(ORIGIN)!.hostOffset + ((subject.pc & ~0xfff) - RAM);
  translator.translate(mode, page, subject.pc & 0xfff, 0);
  const modules = new RegionModuleBuilder(machine.cpu.core.state.words.byteOffset);
  modules.add(singleBlock(translator.builder), { ...mode, key: machine.cpu.core.words[layout.DECODE_MODE]! }, 0);
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  const { state } = machine.cpu.core;
  const host = { memory: machine.memory.memory as WebAssembly.Memory, table, state, bound: new Map() };
  instantiateRegions(modules.finish(), { ...host, follow: makeTrampoline(state.words.byteOffset, host).follow });
  return { region: table.get(0) as RegionFunction, builder: translator.builder };
};

describe('closures and Wasm', () => {
  it.each(snippets.map((snippet) => [`${snippet.thumb ? 'T32' : 'A32'} ${snippet.text}`, snippet] as const))('%s', (_, snippet) => {
    const { image, start } = programOf(snippet);
    let interpreted = new Subject(image, start);
    let translated = new Subject(image, start);
    let { region, builder } = regionOf(translated, snippet.thumb === true);
    for (let trial = 0; trial < (snippet.leaves === false ? TRIALS : FEWER_TRIALS); trial++) {
      // What left the region may have filled the fast table or changed the mode: then the next trial has machines of its own.
      const isFresh = snippet.leaves === false && interpreted.rewind() && translated.rewind();
      if (trial > 0 && !isFresh) {
        interpreted = new Subject(image, start);
        translated = new Subject(image, start);
        ({ region, builder } = regionOf(translated, snippet.thumb === true));
      }
      const count = builder.offsets.length;
      interpreted.randomise(trial);
      translated.randomise(trial);
      const R = translated.words;
      R[layout.PAGE_VA] = translated.pc & ~0xfff;
      R[layout.BUDGET] = count;
      const result = region(0, translated.pc, 0);
      const code = result & 1 ? R[layout.EXIT_CODE]! : -1;
      const done = count - R[layout.BUDGET]!;
      if (code === -1) {
        R[layout.PC] = result;
        translated.machine.cpu.core.updateMode();
      }
      if (code >= 0) {
        expect(done).toBe(code);
        R[layout.PC] = R[layout.PAGE_VA]! + builder.offsets[code]!;
        R[layout.ITSTATE] = builder.itstates[code]!;
      }
      if (snippet.leaves !== undefined) expect(code >= 0).toBe(snippet.leaves);
      interpreted.steps(count);
      translated.steps(count - done);
      expect({ trial, ...(translated.visible() as object) }).toEqual({ trial, ...(interpreted.visible() as object) });
    }
  });
});
