import type { TranslationOptions } from '@tablewalk/arm-core';
import { coreDifferences, sameState } from '@tablewalk/arm-core';
import { layout } from '@tablewalk/engine';
import type { ListedRegion } from './lockstep-report.js';
import { consoleDifference, listing, memoryDifferences } from './lockstep-report.js';
import type { MachineEnd } from './machine-end.js';
import { seededWords } from './seeded-bytes.js';
import { VirtMachine } from './virt-machine.js';
import type { VirtMachineOptions } from './virt-options.js';

/**
 * When the two machines are compared. `exits`: regions are not linked, and each exit of one is a comparison. `budgets`: regions run as they always do, in
 * budgets of a random length, and the end of each is one.
 */
export type LockstepMode = 'exits' | 'budgets';
export const LOCKSTEP_MODES = ['exits', 'budgets'] as const;

export interface LockstepOptions {
  /** Default `exits`. */
  readonly mode?: LockstepMode;
  /** Of the lengths of budgets; default 1. */
  readonly seed?: number;
  readonly translation?: TranslationOptions;
}

/** The first difference. Everything before it was the same. */
export interface LockstepDifference {
  /** Instructions that both had retired when they were last the same, and when they were not. */
  readonly since: number;
  readonly instructions: number;
  /** VA of the translator's next instruction. */
  readonly pc: number;
  /** What differs, a line each: `r3: interpreter 0x00000001, translator 0x00000000`. */
  readonly differences: readonly string[];
  /** The region that was left last, or the instructions around `pc`. */
  readonly code: readonly string[];
  /** All of it as text for people. */
  readonly report: string;
}

export type LockstepEnd = MachineEnd | { readonly reason: 'difference'; readonly difference: LockstepDifference };

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;

/** Longest budget between comparisons: 2^21 instructions, a few hundredths of a second. */
const LONGEST_BUDGET_LOG2 = 21;

/** Reasons that are the caller's or the clock's: the reference just ran as many instructions. */
const PASSING: readonly string[] = ['limit', 'stopped', 'asleep', 'idle'];

/**
 * The same guest on the translator and, right behind it, on the interpreter, compared as they go: registers, flags, FPSCR, d0-d31, a rolling hash of all
 * stores, and now and then everything else. What is done to the pair is done to both at the same instruction, so drives, flash banks and networks must be
 * objects of each machine's own, and nothing a callback does may depend on who calls.
 */
export class Lockstep {
  /** The one that is translated: its console is the console. */
  readonly machine: VirtMachine;
  /** The one that is interpreted. Observers belong to one of the two, or hear of everything twice. */
  readonly reference: VirtMachine;
  readonly mode: LockstepMode;
  /** Comparisons so far. */
  comparisons = 0;
  /** Of those, at exits of regions. */
  exits = 0;
  private readonly random: () => number;
  private running = false;
  /** What a callback asked for while only one of the two had come that far. */
  private waiting: ((machine: VirtMachine) => void)[] = [];
  private since: number;
  private last: ListedRegion | undefined;
  private found: LockstepDifference | undefined;

  /** `options` is asked once for each machine. */
  constructor(
    options: (engine: 'interpreter' | 'wasm') => VirtMachineOptions,
    { mode = 'exits', seed = 1, translation = {} }: LockstepOptions = {},
  ) {
    this.mode = mode;
    this.random = seededWords(seed);
    this.reference = new VirtMachine({ ...options('interpreter'), engine: 'interpreter', hashesStores: true });
    this.machine = new VirtMachine({
      ...options('wasm'),
      engine: 'wasm',
      hashesStores: true,
      translation: { ...translation, linked: mode === 'budgets' },
    });
    this.since = this.machine.instructions;
    if (mode === 'exits') this.machine.cpu.core.onRegionExit = (entry, from, pc, itstate) => this.leftRegion({ entry, from }, pc, itstate);
  }

  /** As the machine's; ends with the first difference, and says the same again from then on. */
  runFor(instructions: number, reportSleep = false): LockstepEnd {
    for (let left = instructions; ; ) {
      if (this.found !== undefined) return { reason: 'difference', difference: this.found };
      const budget = this.mode === 'exits' ? left : Math.min(left, this.budget());
      const before = this.machine.instructions;
      const end = this.step(budget, reportSleep);
      left -= this.machine.instructions - before;
      if (this.found === undefined && (end.reason !== 'limit' || left <= 0)) return end;
    }
  }

  private step(budget: number, reportSleep: boolean): MachineEnd {
    this.running = true;
    try {
      const end = this.machine.runFor(budget, reportSleep);
      this.follow(end);
      return end;
    } finally {
      this.running = false;
      for (const change of this.waiting.splice(0)) this.both(change);
    }
  }

  /** At once, or when both have come as far as the one that runs. */
  private both(change: (machine: VirtMachine) => void): void {
    if (this.running) this.waiting.push(change);
    else for (const machine of [this.reference, this.machine]) change(machine);
  }

  /** 1 to 2^21, each power of two as likely. */
  private budget(): number {
    const size = 2 ** (this.random() % (LONGEST_BUDGET_LOG2 + 1));
    return 1 + (this.random() % size);
  }

  private leftRegion(exit: ListedRegion, pc: number, itstate: number): void {
    if (this.found !== undefined) return;
    this.last = exit;
    this.exits++;
    this.comparisons++;
    const { machine, reference } = this;
    const end = reference.runFor(machine.instructions - reference.instructions);
    if (end.reason === 'limit' && reference.instructions === machine.instructions && sameState(reference.cpu, machine.cpu, pc, itstate)) {
      this.since = machine.instructions;
      return;
    }
    this.report(pc, itstate, end.reason === 'limit' ? [] : [`the interpreter ended: ${end.reason}`]);
    machine.stop();
  }

  /** The machine's run has come back with `end`: the reference does the same, and all that can be seen is compared. */
  private follow(end: MachineEnd): void {
    const { machine, reference } = this;
    if (this.found !== undefined) return;
    this.comparisons++;
    const other = reference.runFor(machine.instructions - reference.instructions);
    const extra: string[] = [];
    if (PASSING.includes(end.reason) ? !PASSING.includes(other.reason) : JSON.stringify(other) !== JSON.stringify(end))
      extra.push(`the end: interpreter ${JSON.stringify(other)}, translator ${JSON.stringify(end)}`);
    const { words } = machine.cpu.core;
    this.report(words[layout.PC]! >>> 0, words[layout.ITSTATE]!, extra);
    this.since = machine.instructions;
  }

  /** Everything of the core, the clocks and the consoles; memory too when something differs. */
  private report(pc: number, itstate: number, extra: readonly string[], withMemory = false): void {
    const { machine, reference } = this;
    const lines = [...extra];
    for (const { name, values } of coreDifferences(reference.cpu, machine.cpu, pc, itstate))
      lines.push(`${name}: interpreter ${hex(values[0])}, translator ${hex(values[1])}`);
    if (reference.instructions !== machine.instructions)
      lines.push(`instructions: interpreter ${reference.instructions}, translator ${machine.instructions}`);
    if (reference.time !== machine.time) lines.push(`guest time: interpreter ${reference.time} ns, translator ${machine.time} ns`);
    lines.push(...consoleDifference(reference.console, machine.console));
    if (withMemory || lines.length > 0) lines.push(...memoryDifferences(reference.memory, machine.memory));
    if (lines.length === 0) return;
    const { instructions } = machine;
    const code = listing(machine, pc, this.last);
    const where =
      this.since === instructions ? `after ${instructions} instructions` : `between instructions ${this.since} and ${instructions}`;
    const report = [`interpreter and translator differ ${where}, pc ${hex(pc)}:`, ...lines.map((line) => `  ${line}`), ...code].join('\n');
    this.found = { since: this.since, instructions, pc, differences: lines, code, report };
  }

  /** Compares everything, all of RAM too: at the end. */
  finish(): LockstepDifference | undefined {
    const { words } = this.machine.cpu.core;
    if (this.found === undefined) this.report(words[layout.PC]! >>> 0, words[layout.ITSTATE]!, [], true);
    return this.found;
  }

  /** Types at both consoles; as what follows, from a callback it happens when both have come as far. */
  send(data: string | Uint8Array): void {
    this.both((machine) => machine.send(data));
  }
  /** Lets guest time pass in sleep: see {@link VirtMachine.sleepUntil}. */
  sleepUntil(time: number): void {
    this.both((machine) => machine.sleepUntil(time));
  }
  /** Power-on, of both. */
  reset(): void {
    this.both((machine) => machine.reset());
  }
  /** Presses and releases the power key of both. */
  powerKey(): void {
    this.both((machine) => machine.powerKey());
  }
}
