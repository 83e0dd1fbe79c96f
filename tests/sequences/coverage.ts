import * as layout from '../../packages/engine/src/layout.js';
import { lookUp } from '../instructions/generate.js';
import type { Sequence } from './generate.js';
import * as at from './places.js';
import { encodingNames } from './words.js';
import { VECTORS, World } from './world.js';

/** What happened to each encoding, from sequences that are stepped through. */
export class Coverage {
  private readonly world = new World();
  private readonly executed = new Set<string>();
  private readonly faulted = new Set<string>();
  private readonly interrupted = new Set<string>();
  private readonly inIt = new Set<string>();
  private steps = 0;

  step(sequence: Sequence): void {
    const { world } = this;
    world.restore();
    world.begin(sequence, 1);
    const { machine } = world;
    const { words } = machine.cpu.core;
    let before: string | undefined;
    for (let left = sequence.limit; left > 0 && (left > sequence.limit - 40 || !world.waits); left--) {
      // Nothing runs, but an interrupt that is due is taken.
      machine.runFor(0);
      const pc = words[layout.PC]! >>> 0;
      if (pc === VECTORS + 0x18 && before !== undefined) this.interrupted.add(before);
      const name = this.nameAt(pc, sequence.slot);
      before = name;
      const it = words[layout.ITSTATE]!;
      machine.runFor(1);
      if (name === undefined) continue;
      this.steps++;
      const vector = (words[layout.PC]! >>> 0) - VECTORS;
      if (vector >= 4 && vector <= 0x10) this.faulted.add(name);
      else this.executed.add(name);
      if (it !== 0) this.inIt.add(name);
    }
  }

  private nameAt(pc: number, slot: number): string | undefined {
    const { machine } = this.world;
    if (pc < at.codeAt(slot) || pc >= at.codeAt(slot + 1) - 4) return undefined;
    const bytes = machine.readMemory(pc, 4)!;
    const low = bytes[0]! | (bytes[1]! << 8);
    const high = bytes[2]! | (bytes[3]! << 8);
    const thumb = (machine.cpu.readRegister('cpsr')! & 0x20) !== 0;
    if (!thumb) return lookUp('A32', ((high << 16) | low) >>> 0)?.name;
    return low >= 0xe800 ? lookUp('T32', ((low << 16) | high) >>> 0)?.name : lookUp('T16', low)?.name;
  }

  /** How many encodings each thing happened to, and which were never executed. */
  table(): string {
    const missing = encodingNames.filter((name) => !this.executed.has(name) && !this.faulted.has(name));
    const seen = (set: ReadonlySet<string>): number => encodingNames.filter((name) => set.has(name)).length;
    return [
      `${this.steps} steps; of ${encodingNames.length} encodings: executed ${seen(this.executed)}, fault ${seen(this.faulted)}, interrupt after ${seen(this.interrupted)}, in IT ${seen(this.inIt)}`,
      ...(missing.length === 0
        ? []
        : [`never: ${missing.length > 40 ? `${missing.slice(0, 40).join(' ')} and ${missing.length - 40} more` : missing.join(' ')}`]),
    ].join('\n');
  }
}
