import type { Observer } from '@tablewalk/machine';

/** What a step of the boot did, in order. */
export type BootEvent =
  | { readonly kind: 'register'; readonly name: string; readonly value: number }
  | { readonly kind: 'maintenance'; readonly name: string; readonly operand: number }
  | { readonly kind: 'barrier'; readonly name: string }
  /** `count` descriptors one after the other, from the table at `table` on. */
  | {
      readonly kind: 'descriptors';
      readonly what: string;
      /** Physical or virtual address that the first was stored to. */
      readonly address: number;
      readonly count: number;
      readonly first: number;
      readonly last: number;
      /** First VA that they translate, or undefined for a table that is only filled. */
      readonly va: number | undefined;
    }
  | { readonly kind: 'note'; readonly text: string };

export interface BootStep {
  readonly number: number;
  readonly title: string;
  readonly events: readonly BootEvent[];
  /** Instructions that the CPU retired in it. */
  readonly instructions: number;
}

/** CP15 writes that are operations and not registers. */
const OPERATION = /^(I?D?TLBI|ICI|BPI|DC[CI]|CP15)/;

/** Collects the steps of a boot. It is an observer, so that it shows what the CPU did and not what somebody says. */
export class BootLog {
  readonly observer: Observer;
  private readonly done: BootStep[] = [];
  private events: BootEvent[] = [];
  private title: string | undefined;
  private start = 0;
  private readonly instructions: () => number;

  constructor(instructions: () => number) {
    this.instructions = instructions;
    this.observer = {
      name: 'kmem/boot',
      systemRegisterWrite: (name, value) => {
        if (this.title === undefined) return;
        if (name === 'SCTLR' && (value & 1) !== 0 && this.title === TITLES[2]) this.begin(TITLES[3]!);
        this.events.push(
          OPERATION.test(name) ? { kind: 'maintenance', name, operand: value >>> 0 } : { kind: 'register', name, value: value >>> 0 },
        );
      },
      barrier: (kind) => {
        if (this.title !== undefined) this.events.push({ kind: 'barrier', name: kind.toUpperCase() });
      },
    };
  }

  begin(title: string): void {
    this.end();
    this.title = title;
    this.start = this.instructions();
  }

  end(): void {
    if (this.title === undefined) return;
    this.done.push({
      number: this.done.length + 1,
      title: this.title,
      events: this.events,
      instructions: this.instructions() - this.start,
    });
    this.title = undefined;
    this.events = [];
  }

  note(text: string): void {
    if (this.title !== undefined) this.events.push({ kind: 'note', text });
  }

  /** One descriptor; those that follow each other in one table become one event. */
  descriptor(what: string, address: number, value: number, va?: number): void {
    if (this.title === undefined) return;
    const last = this.events[this.events.length - 1];
    if (last?.kind === 'descriptors' && last.what === what && last.address + 4 * last.count === address)
      this.events[this.events.length - 1] = { ...last, count: last.count + 1, last: value };
    else this.events.push({ kind: 'descriptors', what, address, count: 1, first: value, last: value, va });
  }

  get steps(): readonly BootStep[] {
    return this.done;
  }
}

export const TITLES = [
  'start-up code: interrupts masked, MMU and caches off, everything invalidated',
  'kmem_init2, MMU off: the kernel map and the identity page',
  'translation registers',
  'MMU and caches on, jump to the linked address',
  'the identity page removed',
  'kernalloc and kern_virt_allocator take over',
  'devices',
] as const;
