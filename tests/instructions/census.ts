import { SystemInlines } from '../../packages/arm-core/src/core/system-inlines.js';
import { Translator } from '../../packages/arm-core/src/core/translator.js';
import { decodeTables } from '../../packages/arm-core/src/isa/decode-tables.js';
import type { VirtMachine } from '../../packages/board-qemu-virt/src/virt-machine.js';
import * as ops from '../../packages/engine/src/ops.js';
import { noInlineKernels } from '../../packages/engine/src/wasm/inline-kernels.js';
import { singleBlock } from '../../packages/engine/src/wasm/region.js';
import { RegionPlan } from '../../packages/engine/src/wasm/region-plan.js';

/** A tested instruction in memory: where, and in which state it is executed. */
export interface TestedWord {
  readonly address: number;
  readonly thumb: boolean;
  readonly privileged: boolean;
  readonly shortVectors: boolean;
  /** What it is called when something is said about it. */
  readonly name: string;
}

export interface CensusResult {
  readonly words: number;
  /** Executed by a region. */
  readonly wasm: number;
  /** Left by design: how many of each kind. */
  readonly left: ReadonlyMap<string, number>;
  /** Neither: nothing says why. */
  readonly unexplained: readonly string[];
}

/** Notes, while a machine runs that translates at once, which words regions executed, and why they left the others to the interpreter. */
export class Census {
  private readonly machine: VirtMachine;
  /** By address: 1 left at the word, 2 executed, 4 the interpreter went to memory past the fast table for it. */
  private readonly seen = new Map<number, number>();

  constructor(machine: VirtMachine) {
    this.machine = machine;
    const { core } = machine.cpu;
    core.onRegionExit = (_entry, from, pc) => this.note(from, pc === from ? 1 : 2);
    const { access } = core;
    for (const name of ['load', 'store', 'loadMultiple', 'storeMultiple'] as const) {
      const original = access[name].bind(access) as (...given: unknown[]) => number;
      Object.assign(access, {
        [name]: (...given: unknown[]) => {
          core.frame.index = given.at(-1) as number;
          this.note(core.instructionAddress(), 4);
          return original(...given);
        },
      });
    }
  }

  private note(address: number, bit: number): void {
    this.seen.set(address, (this.seen.get(address) ?? 0) | bit);
  }

  result(words: readonly TestedWord[]): CensusResult {
    const left = new Map<string, number>();
    const unexplained: string[] = [];
    const planned = this.planner();
    let wasm = 0;
    for (const word of words) {
      const seen = this.seen.get(word.address) ?? 0;
      const { never, calls } = planned(word);
      // A region calls the interpreter for some of those that are never its own.
      if (seen & 2 && never === undefined) {
        wasm++;
        continue;
      }
      const inPart = calls.length > 0 ? `kernel ${calls[0]}` : undefined;
      const kind = seen === 0 ? undefined : (never ?? (seen & 4 ? 'access past the fast table' : inPart));
      if (kind === undefined) unexplained.push(`${word.name} at 0x${word.address.toString(16)}${seen & 1 ? '' : ', never entered'}`);
      else left.set(kind, (left.get(kind) ?? 0) + 1);
    }
    return { words: words.length, wasm, left, unexplained };
  }

  /** Asks the translator's plan of one instruction: why it is the interpreter's altogether, if it is, and which kernels are written out for it. */
  private planner(): (word: TestedWord) => { readonly never: string | undefined; readonly calls: readonly string[] } {
    const { machine } = this;
    const { memory } = machine;
    const ram = memory.regions.find(({ writable }) => writable);
    const inlines = { ...noInlineKernels, call: new SystemInlines(ram, { late: false, coherent: true }).calls };
    const { A32: a32, T32: t32, T16: t16 } = decodeTables();
    const translator = new Translator(machine.profile, { a32, t32, t16 }, undefined as never, (host) => memory.u16[host >>> 1]!);
    const { builder } = translator;
    const plan = new RegionPlan(inlines);
    return (word) => {
      builder.reset();
      builder.setMode({
        ...word,
        bigEndian: false,
        vfpEnabled: true,
        simdEnabled: true,
        alignmentChecked: machine.cpu.core.alignmentChecked,
      });
      const host = memory.hostOffset(memory.regionAt(word.address)!, word.address);
      translator.decode(host & ~0xfff, host & 0xfff, 0, () => builder.offsets.length > 0);
      plan.analyse(singleBlock(builder), word.thumb);
      const calls: string[] = [];
      let foreign: string | undefined;
      for (let i = 0; i < builder.count; i++) {
        if (builder.code[i * ops.STRIDE] !== ops.CALL) continue;
        const { name } = builder.kernels[builder.code[i * ops.STRIDE + 1]!]!;
        if (plan.isForeignCall(i)) foreign ??= name;
        else calls.push(`${name}, as far as it is written out`);
      }
      if (plan.interpreted[0]) return { never: foreign === undefined ? 'cannot be undone at an access' : `kernel ${foreign}`, calls };
      // Where a condition leads to a kernel of the interpreter's: an alignment that must be checked, a condition code.
      return { never: undefined, calls: foreign === undefined ? calls : [`${foreign} where a condition leads to it`, ...calls] };
    };
  }
}

/** One line for people, and why it fails if it does. */
export const censusText = ({ words, wasm, left, unexplained }: CensusResult): string => {
  const kinds = [...left].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${count} ${kind}`);
  const sum = [...left.values()].reduce((total, count) => total + count, 0);
  return [
    `${wasm} of ${words} tested words were executed from Wasm, ${sum} left by design: ${kinds.join('; ')}`,
    ...(unexplained.length > 0
      ? [`${unexplained.length} words were not executed from Wasm and nothing says why:`, ...unexplained.slice(0, 20)]
      : []),
  ].join('\n');
};
