import type { Value, VectorKernel } from '@tablewalk/engine';
import { layout, ops } from '@tablewalk/engine';
import { deinterleave, interleave } from '../../fp/neon-permute-kernels.js';
import { systemKernel } from '../../system/kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { elementList, structureAddress, vectorList } from '../operands-simd.js';
import { neon, wordOfD } from './vfp-record.js';

/** Advanced SIMD element and structure loads and stores (ARM DDI 0406C, A7.7). */

const checkLoad = systemKernel('vld alignment', (core, va, size) => core.checkAlignment(va, size, false));
const checkStore = systemKernel('vst alignment', (core, va, size) => core.checkAlignment(va, size, true));

/** The base address, checked against the alignment that the instruction states, in bytes (0 or 1: none). */
const baseAddress = (b: ArmBuilder, f: Fields, alignment: number, load: boolean): Value => {
  const base = b.getReg(f['n']!);
  if (alignment > 1) {
    b.if(b.and(base, b.const(alignment - 1)));
    b.call(load ? checkLoad : checkStore, base, b.const(alignment));
    b.endIf();
  }
  return base;
};
/** Rm = 15: no write-back; 13: the bytes transferred; else the register is added. */
const writeBack = (b: ArmBuilder, f: Fields, base: Value, byteLength: number): void => {
  const m = f['m']!;
  if (m !== 15) b.setReg(f['n']!, b.add(base, m === 13 ? b.const(byteLength) : b.getReg(m)));
};

/**
 * Words from memory to `words`, as elements of 1 << z bytes. Elements of one or two bytes need no word alignment, and with SCTLR.A = 1 the engine's
 * multiple accesses do: then they go one by one.
 */
const readElements = (b: ArmBuilder, address: Value, words: readonly number[], z: number): void => {
  if (z < 2 && b.alignmentChecked) {
    const width = 1 << z;
    const values: Value[] = [];
    for (let at = 0; at < words.length * 4; at += width) values.push(b.read(b.add(address, b.const(at)), width as 1 | 2));
    const perWord = 4 >> z;
    words.forEach((word, i) => {
      let v = values[i * perWord]!;
      for (let k = 1; k < perWord; k++) v = b.or(v, b.shl(values[i * perWord + k]!, b.const(k * 8 * width)));
      b.setState(word, v);
    });
    return;
  }
  b.loadMultiple(address, inMemoryOrder(b, words, z), 4 | ops.MEM_ELEMENTS | (b.bigEndian && z >= 2 ? ops.MEM_SWAP : 0));
  if (b.bigEndian && z === 1) for (const word of words) b.setState(word, b.rev16(b.getState(word)));
};
const writeElements = (b: ArmBuilder, address: Value, words: readonly number[], z: number): void => {
  if (z < 2 && b.alignmentChecked) {
    const width = 1 << z;
    for (let at = 0; at < words.length * 4; at += width) {
      const shift = (at & 3) * 8;
      const word = b.getState(words[at >> 2]!);
      b.write(b.add(address, b.const(at)), width as 1 | 2, shift === 0 ? word : b.shr(word, b.const(shift)));
    }
    return;
  }
  const ordered = inMemoryOrder(b, words, z);
  const entries = b.bigEndian && z === 1 ? ordered.map((word) => ~b.rev16(b.getState(word))) : ordered;
  b.storeMultiple(address, entries, 4 | ops.MEM_ELEMENTS | (b.bigEndian && z >= 2 ? ops.MEM_SWAP : 0));
};
/** Big-endian doublewords have their upper word first. */
const inMemoryOrder = (b: ArmBuilder, words: readonly number[], z: number): readonly number[] =>
  b.bigEndian && z === 3 ? words.map((_, i) => words[i ^ 1]!) : words;

const temporaries = (count: number): number[] => Array.from({ length: count }, (_, i) => layout.TEMP0 + i);

/** One form of the multiple-structure instructions: bits 11:8, elements in a structure, registers for each element, step between elements. */
interface MultipleForm {
  readonly type: string;
  readonly n: 1 | 2 | 3 | 4;
  /** D registers in all. */
  readonly count: number;
  readonly step: number;
  /** Largest value of the align field. */
  readonly mostAlign: number;
}
const multipleForms: readonly MultipleForm[] = [
  { type: '0111', n: 1, count: 1, step: 1, mostAlign: 1 },
  { type: '1010', n: 1, count: 2, step: 1, mostAlign: 2 },
  { type: '0110', n: 1, count: 3, step: 1, mostAlign: 1 },
  { type: '0010', n: 1, count: 4, step: 1, mostAlign: 3 },
  { type: '1000', n: 2, count: 2, step: 1, mostAlign: 2 },
  { type: '1001', n: 2, count: 2, step: 2, mostAlign: 2 },
  { type: '0011', n: 2, count: 4, step: 2, mostAlign: 3 },
  { type: '0100', n: 3, count: 3, step: 1, mostAlign: 1 },
  { type: '0101', n: 3, count: 3, step: 2, mostAlign: 1 },
  { type: '0000', n: 4, count: 4, step: 1, mostAlign: 3 },
  { type: '0001', n: 4, count: 4, step: 2, mostAlign: 3 },
];
const references = {
  load: { multiple: ['', 'A8.8.320', 'A8.8.323', 'A8.8.326', 'A8.8.329'], lane: ['', 'A8.8.321', 'A8.8.324', 'A8.8.327', 'A8.8.330'] },
  store: { multiple: ['', 'A8.8.404', 'A8.8.406', 'A8.8.408', 'A8.8.410'], lane: ['', 'A8.8.405', 'A8.8.407', 'A8.8.409', 'A8.8.411'] },
} as const;
const all = ['', 'A8.8.322', 'A8.8.325', 'A8.8.328', 'A8.8.331'] as const;

const multiple = (load: boolean, form: MultipleForm): readonly Encoding[] => {
  const { n, count, step } = form;
  const stem = `${load ? 'vld' : 'vst'}${n}`;
  // The registers that text and memory order agree on: all of them for four-register VLD2, which takes them two and two.
  const isPairs = n === 2 && count === 4;
  const last = isPairs ? 3 : n === 1 ? count - 1 : (n - 1) * step;
  const outside = (f: Fields): boolean => f['d']! + last > 31 || f['n'] === 15;
  return neon(
    `${stem.toUpperCase()}_multiple_${form.type}`,
    `11110100 0 d ${load ? 1 : 0} 0 nnnn dddd ${form.type} zz aa mmmm`,
    (load ? references.load : references.store).multiple[n]!,
    [`${stem}{c}.{z:8,16,32,64}`, vectorList(count, isPairs || n === 1 ? 1 : step), structureAddress([0, 64, 128, 256])],
    (b, f) => {
      // Registers beyond D31 and a base of PC are UNPREDICTABLE: UNDEFINED here.
      if (outside(f)) {
        b.undefined();
        return;
      }
      const z = f['z']!;
      const d = f['d']!;
      const base = baseAddress(b, f, f['a'] === 0 ? 1 : 4 << f['a']!, load);
      const kernel: VectorKernel | undefined = n === 1 || z === 2 ? undefined : (load ? deinterleave : interleave)[n - 2]![z]!;
      const perElement = isPairs ? 2 : 1;
      let words: number[];
      if (n === 1) words = Array.from({ length: 2 * count }, (_, i) => wordOfD(d) + i);
      else if (z === 2) {
        // Words: their places in memory order, no rearranging needed.
        words = [];
        for (let r = 0; r < perElement; r++)
          for (let half = 0; half < 2; half++) for (let k = 0; k < n; k++) words.push(wordOfD(d + r + k * step) + half);
      } else words = temporaries(2 * count);
      if (load) {
        readElements(b, base, words, z);
        if (kernel !== undefined) b.vector(kernel, d, step, perElement);
      } else {
        if (kernel !== undefined) b.vector(kernel, d, step, perElement);
        writeElements(b, base, words, z);
      }
      writeBack(b, f, base, 8 * count);
    },
    { unless: (f) => f['a']! > form.mostAlign || (n > 1 && f['z'] === 3), unpredictable: outside },
  );
};

/** Mask and place of a lane in its word. */
const laneWord = (d: number, size: number, index: number): number => wordOfD(d) + ((index << size) >> 2);
const laneShift = (size: number, index: number): number => ((index << size) & 3) * 8;

/** `bits`: 7:4 with x the index and a the alignment; `alignments` in bits of memory by field a. */
const lane = (
  load: boolean,
  n: 1 | 2 | 3 | 4,
  size: 0 | 1 | 2,
  step: 1 | 2,
  bits: string,
  alignments: readonly number[],
): readonly Encoding[] => {
  const stem = `${load ? 'vld' : 'vst'}${n}`;
  const outside = (f: Fields): boolean => f['d']! + (n - 1) * step > 31 || f['n'] === 15;
  const width = (1 << size) as 1 | 2 | 4;
  return neon(
    `${stem.toUpperCase()}_lane_${8 << size}_step${step}`,
    `11110100 1 d ${load ? 1 : 0} 0 nnnn dddd ${['00', '01', '10'][size]!} ${['', '00', '01', '10', '11'][n]!} ${bits} mmmm`,
    (load ? references.load : references.store).lane[n]!,
    [`${stem}{c}.${8 << size}`, elementList(n, step, 8 >> size), structureAddress(alignments)],
    (b, f) => {
      if (outside(f)) {
        b.undefined();
        return;
      }
      const index = f['x']!;
      const shift = laneShift(size, index);
      const base = baseAddress(b, f, alignments[f['a'] ?? 0]! / 8, load);
      const registers = Array.from({ length: n }, (_, k) => laneWord(f['d']! + k * step, size, index));
      if (load) {
        const values = registers.map((_, k) => b.read(b.add(base, b.const(k * width)), width));
        registers.forEach((word, k) => {
          if (size === 2) {
            b.setState(word, values[k]!);
            return;
          }
          const mask = (1 << (8 * width)) - 1;
          const kept = b.and(b.getState(word), b.const(~(mask << shift)));
          b.setState(word, b.or(kept, shift === 0 ? values[k]! : b.shl(values[k]!, b.const(shift))));
        });
      } else
        registers.forEach((word, k) => {
          const v = b.getState(word);
          b.write(b.add(base, b.const(k * width)), width, shift === 0 ? v : b.shr(v, b.const(shift)));
        });
      writeBack(b, f, base, n * width);
    },
    { unless: (f) => alignments[f['a'] ?? 0] === undefined || alignments[f['a'] ?? 0]! < 0, unpredictable: outside },
  );
};
const lanes = (load: boolean): readonly Encoding[] => [
  ...lane(load, 1, 0, 1, 'xxx0', [0]),
  ...lane(load, 1, 1, 1, 'xx0a', [0, 16]),
  ...lane(load, 1, 2, 1, 'x0aa', [0, -1, -1, 32]),
  ...lane(load, 2, 0, 1, 'xxxa', [0, 16]),
  ...lane(load, 3, 0, 1, 'xxx0', [0]),
  ...lane(load, 4, 0, 1, 'xxxa', [0, 32]),
  ...([1, 2] as const).flatMap((step) => [
    ...lane(load, 2, 1, step, `xx${step - 1}a`, [0, 32]),
    ...lane(load, 2, 2, step, `x${step - 1}0a`, [0, 64]),
    ...lane(load, 3, 1, step, `xx${step - 1}0`, [0]),
    ...lane(load, 3, 2, step, `x${step - 1}00`, [0]),
    ...lane(load, 4, 1, step, `xx${step - 1}a`, [0, 64]),
    ...lane(load, 4, 2, step, `x${step - 1}aa`, [0, 64, 128, -1]),
  ]),
];

/** One element (or structure) to all lanes. VLD1 fills one or two registers by T; the others step by one or two. */
const toAllLanes = (
  n: 1 | 2 | 3 | 4,
  size: 0 | 1 | 2,
  t: 0 | 1,
  form: { readonly sizeBits: string; readonly alignBit: string; readonly alignments: readonly number[] },
): readonly Encoding[] => {
  const width = (1 << size) as 1 | 2 | 4;
  const step = n === 1 ? 1 : t + 1;
  const count = n === 1 ? t + 1 : n;
  const outside = (f: Fields): boolean => f['d']! + (count - 1) * step > 31 || f['n'] === 15;
  return neon(
    `VLD${n}_all_${8 << size}_${form.sizeBits}_t${t}`,
    `11110100 1 d 10 nnnn dddd 11 ${['', '00', '01', '10', '11'][n]!} ${form.sizeBits} ${t} ${form.alignBit} mmmm`,
    all[n],
    [`vld${n}{c}.${8 << size}`, elementList(count, step, 0), structureAddress(form.alignments)],
    (b, f) => {
      if (outside(f)) {
        b.undefined();
        return;
      }
      const base = baseAddress(b, f, form.alignments[f['a'] ?? 0]! / 8, true);
      const values = Array.from({ length: n }, (_, k) => b.read(b.add(base, b.const(k * width)), width));
      const spread = values.map((v) => (size === 2 ? v : b.mul(v, b.const(size === 0 ? 0x01010101 : 0x10001))));
      for (let r = 0; r < count; r++)
        for (let half = 0; half < 2; half++) b.setState(wordOfD(f['d']! + r * step) + half, spread[n === 1 ? 0 : r]!);
      writeBack(b, f, base, n * width);
    },
    { unpredictable: outside },
  );
};
const allLanes: readonly Encoding[] = ([0, 1] as const).flatMap((t) => [
  ...([0, 1, 2] as const).flatMap((size) => {
    const sizeBits = ['00', '01', '10'][size]!;
    const bits = 8 << size;
    return [
      ...toAllLanes(
        1,
        size,
        t,
        size === 0 ? { sizeBits, alignBit: '0', alignments: [0] } : { sizeBits, alignBit: 'a', alignments: [0, bits] },
      ),
      ...toAllLanes(2, size, t, { sizeBits, alignBit: 'a', alignments: [0, 2 * bits] }),
      ...toAllLanes(3, size, t, { sizeBits, alignBit: '0', alignments: [0] }),
      ...toAllLanes(4, size, t, { sizeBits, alignBit: 'a', alignments: [0, size === 2 ? 64 : 4 * bits] }),
    ];
  }),
  // Size 11 with the alignment bit: 32-bit elements, aligned to 16 bytes.
  ...toAllLanes(4, 2, t, { sizeBits: '11', alignBit: '1', alignments: [128] }),
]);

export const neonMemory: readonly Encoding[] = [
  ...[true, false].flatMap((load) => multipleForms.flatMap((form) => multiple(load, form))),
  ...lanes(true),
  ...lanes(false),
  ...allLanes,
];
