import { encodings } from '../../packages/arm-core/src/isa/families/index.js';
import * as layout from '../../packages/engine/src/layout.js';
import type { ExceptionKind } from '../../packages/machine/src/index.js';
import { lookUp } from '../instructions/generate.js';
import type { Sequence } from './generate.js';
import * as at from './places.js';
import { isLeftOut, mayBeTaken, mayFault, mayStandInIt } from './words.js';
import { VECTORS, World } from './world.js';

/** What may happen to an instruction: it is executed and its condition holds, it faults, an interrupt comes and it is what that returns to, it stands in an IT block. */
const happenings = ['taken', 'fault', 'interrupt', 'it'] as const;
type Happening = (typeof happenings)[number];

/** Encodings that a thing has not happened to although it may. */
type Missing = Readonly<Record<Happening, readonly string[]>>;

const used = encodings.filter((encoding) => !isLeftOut(encoding));
const possible: Readonly<Record<Happening, readonly string[]>> = {
  taken: used.filter(mayBeTaken).map(({ name }) => name),
  fault: used.filter(mayFault).map(({ name }) => name),
  interrupt: used.map(({ name }) => name),
  it: used.filter(mayStandInIt).map(({ name }) => name),
};

/** ConditionPassed (ARM DDI 0406C, A8.3.1). */
const holds = (condition: number, cpsr: number): boolean => {
  const n = cpsr >>> 31;
  const z = (cpsr >>> 30) & 1;
  const c = (cpsr >>> 29) & 1;
  const v = (cpsr >>> 28) & 1;
  const base = [z, c, n, v, c & (z ^ 1), n ^ v ^ 1, (n ^ v ^ 1) & (z ^ 1), 1][condition >>> 1] === 1;
  return condition === 15 || base === ((condition & 1) === 0 || condition === 14);
};

const instructionAt = (
  world: World,
  va: number,
  thumb: boolean,
  it: number,
): { readonly name: string; readonly condition: number } | undefined => {
  const address = at.codeAddress(va);
  if (address === undefined) return undefined;
  const [low, high] = world.halfwords(address);
  if (!thumb) {
    const word = ((high << 16) | low) >>> 0;
    const name = lookUp('A32', word)?.name;
    return name === undefined ? undefined : { name, condition: word >>> 28 };
  }
  const name = low >= 0xe800 ? lookUp('T32', ((low << 16) | high) >>> 0)?.name : lookUp('T16', low)?.name;
  if (name === undefined) return undefined;
  const condition = name === 'B_T1' ? (low >>> 8) & 15 : name === 'B_T3' ? (low >>> 6) & 15 : it === 0 ? 14 : it >>> 4;
  return { name, condition };
};

/** What happened to each encoding: exceptions wherever they came, the rest from sequences that are stepped through. */
export class Coverage {
  private readonly world = new World();
  private readonly seen: Readonly<Record<Happening, Set<string>>> = {
    taken: new Set(),
    fault: new Set(),
    interrupt: new Set(),
    it: new Set(),
  };
  private steps = 0;

  step(sequence: Sequence): void {
    const { world, seen } = this;
    world.restore();
    world.begin(sequence, 1);
    const { machine } = world;
    const { words } = machine.cpu.core;
    for (let left = sequence.limit; left > 0 && (left > sequence.limit - 40 || !world.waits); left--) {
      // Nothing runs, but an interrupt that is due is taken.
      machine.runFor(0);
      const pc = words[layout.PC]! >>> 0;
      const it = words[layout.ITSTATE]!;
      const cpsr = machine.cpu.readRegister('cpsr')!;
      const found = instructionAt(world, pc, (cpsr & 0x20) !== 0, it);
      machine.runFor(1);
      if (found === undefined) continue;
      this.steps++;
      if (it !== 0) seen.it.add(found.name);
      const vector = (words[layout.PC]! >>> 0) - VECTORS;
      const faulted = vector >= 4 && vector <= 0x10 && !found.name.startsWith('SVC_');
      if (!faulted && holds(found.condition, cpsr)) seen.taken.add(found.name);
    }
  }

  /** An exception was taken: an interrupt before the instruction at `pc`, or that instruction's. */
  exception(world: World, kind: ExceptionKind, pc: number, cpsr: number): void {
    if (kind === 'svc') return;
    const name = instructionAt(world, pc, (cpsr & 0x20) !== 0, 0)?.name;
    if (name !== undefined) this.seen[kind === 'irq' ? 'interrupt' : 'fault'].add(name);
  }

  private missing(): Missing {
    const of = (happening: Happening): readonly string[] => possible[happening].filter((name) => !this.seen[happening].has(name));
    return { taken: of('taken'), fault: of('fault'), interrupt: of('interrupt'), it: of('it') };
  }

  /** For who puts several runs together. */
  toJSON(): { readonly steps: number; readonly possible: Readonly<Record<string, number>>; readonly missing: Missing } {
    const counts = Object.fromEntries(happenings.map((happening) => [happening, possible[happening].length]));
    return { steps: this.steps, possible: counts, missing: this.missing() };
  }

  /** How many encodings each thing happened to of those that it may happen to, and the others. */
  table(): string {
    const missing = this.missing();
    const short = (names: readonly string[]): string =>
      names.length > 30 ? `${names.slice(0, 30).join(' ')} and ${names.length - 30} more` : names.join(' ');
    return [
      `${this.steps} steps; ${used.length} of ${encodings.length} encodings are used`,
      ...happenings.map((happening) => {
        const all = possible[happening].length;
        const never = missing[happening];
        return `${happening}: ${all - never.length} of ${all}${never.length > 0 ? `; never ${short(never)}` : ''}`;
      }),
    ].join('\n');
  }
}
