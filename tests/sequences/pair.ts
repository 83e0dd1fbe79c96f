import type { VirtMachineOptions } from '../../packages/board-qemu-virt/src/virt-options.js';
import type { ExceptionKind, Observer } from '../../packages/machine/src/index.js';
import { Random } from '../support/random.js';
import type { Sequence } from './generate.js';
import { World } from './world.js';

type Translation = NonNullable<VirtMachineOptions['translation']>;

/** A difference between the engines. */
export interface Difference {
  readonly sequence: Sequence;
  /** Which run of the sequence showed it, from 0. */
  readonly pass: number;
  readonly differences: readonly string[];
}

/**
 * Runs of a sequence: the state it begins from, and the sizes that its budgets have at most. What the first executes, and what the second comes to after
 * faults and interrupts, is translated once both have run all of a group. The last two have budgets of some dozens of instructions
 * as well, and the later code.
 */
const passes = [
  { state: 0, sizes: [400], translates: true },
  { state: 0, sizes: [400], translates: true },
  { state: 1, sizes: [40, 100, 400], translates: false },
  { state: 0, sizes: [8, 40, 100, 400], translates: false },
] as const;

/** An interpreter and a translator that have run the same. */
export class Pair {
  /** Sequences that did not end within their limits. */
  unended = 0;
  private readonly reference = new World();
  private readonly translator: World;

  /** `onException` is told of those of the interpreter. */
  constructor(translation: Translation, onException: (world: World, kind: ExceptionKind, pc: number, cpsr: number) => void) {
    this.translator = new World({ engine: 'wasm', translation });
    const { reference } = this;
    const exception: Observer['exception'] = (kind, pc, _, cpsr) => onException(reference, kind, pc, cpsr);
    reference.machine.observe([{ name: 'coverage', exception }]);
  }

  get regions(): number {
    return this.translator.machine.cpu.core.translated.regions;
  }

  /** Runs sequences of one group on both; what they are translated to is compiled together. Ends at the first difference. */
  run(group: readonly Sequence[]): Difference | undefined {
    const randoms = group.map(({ seed }) => new Random(seed ^ 0x5eed));
    for (let pass = 0; pass < passes.length; pass++) {
      for (let i = 0; i < group.length; i++) {
        const differences = this.pass(group[i]!, randoms[i]!, pass);
        if (differences.length > 0) return { sequence: group[i]!, pass, differences };
      }
      if (passes[pass]!.translates) this.translator.machine.cpu.core.translateWanted();
    }
    return undefined;
  }

  private pass(sequence: Sequence, r: Random, number: number): readonly string[] {
    const { reference, translator } = this;
    const { state, sizes, translates } = passes[number]!;
    const size = r.pick<number>(sizes);
    const isLater = !translates;
    reference.begin(sequence, state, isLater, number === 0);
    translator.begin(sequence, state, isLater, number === 0);
    let ended = false;
    for (let left = sequence.limit; left > 0 && !ended; ) {
      const budget = 1 + r.below(size);
      const a = reference.machine.runFor(budget);
      let b: typeof a;
      try {
        b = translator.machine.runFor(budget);
      } catch (error) {
        return [`the translator threw: ${(error as Error).stack}`];
      }
      left -= budget;
      if (a.reason !== b.reason) return [`ends: interpreter ${a.reason}, translator ${b.reason}`, ...reference.differences(translator)];
      if (!reference.agrees(translator)) return reference.differences(translator);
      ended = reference.waits;
    }
    const isLast = number === passes.length - 1;
    if (!reference.agreesInMemory(translator) || (isLast && !reference.agreesInSystem(translator)))
      return reference.differences(translator);
    if (!ended && number === 0) this.unended++;
    // Both, for what comes next is compared.
    const waits = [reference, translator].map((world) => ended || world.giveUp());
    if (waits.includes(false) || !reference.sound) this.restore();
    return [];
  }

  /** Forgets what ran before. */
  restore(): void {
    this.reference.restore();
    this.translator.restore();
  }

  /** Runs a group from a clean state, so that it does not depend on what ran before. */
  runAlone(group: readonly Sequence[]): Difference | undefined {
    this.restore();
    return this.run(group);
  }
}
