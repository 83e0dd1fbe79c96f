import type { Maintenance } from '../maintenance.js';

/** An ASID that was given out, and when. */
export interface AsidTag {
  readonly asid: number;
  readonly generation: number;
}

export interface AsidState {
  readonly generation: number;
  readonly next: number;
}

/**
 * ASIDs, which are 8 bits and so fewer than address spaces. A space keeps its ASID for a generation; when the numbers run out a new generation begins,
 * everything is invalidated once, and spaces get new numbers as they are switched to. 0 is reserved: it is in CONTEXTIDR while TTBR0 changes, and
 * while no program runs.
 */
export class Asids {
  private readonly maintenance: Maintenance;
  private readonly last: number;
  private generation = 1;
  private next = 1;
  rollovers = 0;

  /** `last`: the highest ASID that is used, 255 unless a test wants rollovers sooner. */
  constructor(maintenance: Maintenance, last = 255) {
    this.maintenance = maintenance;
    this.last = last;
  }

  /** The tag that a space is switched to with: its own if that is of this generation, or a new one. */
  current(tag: AsidTag | undefined): AsidTag {
    if (tag !== undefined && tag.generation === this.generation) return tag;
    if (this.next > this.last) {
      this.generation++;
      this.next = 1;
      this.rollovers++;
      this.maintenance.invalidateAll();
    }
    return { asid: this.next++, generation: this.generation };
  }

  /** Whether the number still belongs to the tag's holder. */
  isCurrent(tag: AsidTag): boolean {
    return tag.generation === this.generation;
  }

  state(): AsidState {
    return { generation: this.generation, next: this.next };
  }
  restore(state: AsidState): void {
    this.generation = state.generation;
    this.next = state.next;
  }
}
