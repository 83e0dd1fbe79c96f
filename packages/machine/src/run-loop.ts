import type { Timeline } from './timeline.js';

/** A core as the run loop drives it. */
export interface RunnableCore {
  /** Runs at most `budget` instructions and advances the timeline; returns early, between two instructions, when something wants attention. */
  run(budget: number): void;
  /** Takes a pending interrupt that is not masked, and wakes the core if it sleeps. */
  deliverInterrupts(): void;
  /** Sleeping in WFI. */
  readonly halted: boolean;
  /** Taking the same exception for ever. */
  readonly lockedUp: boolean;
  requestAttention(): void;
}

/** Something that happens by itself at certain instruction counts, whatever the guest does; it wakes nobody. */
export interface BackgroundEvent {
  /** Instruction count at which it happens next. */
  readonly due: number;
  /** Happens; `due` is later afterwards. */
  run(): void;
}

/**
 * Why a run came back: `limit` the instructions asked for are done; `stopped` somebody called `stop`; `asleep` the core sleeps and the caller asked to
 * be told; `idle` it sleeps and no timer will ever wake it; `locked-up` the core can do nothing but take the same exception.
 */
export type StopReason = 'limit' | 'stopped' | 'asleep' | 'idle' | 'locked-up';

/**
 * Drives a core between timer events. Deterministic: what a run does depends on the machine's state and on nothing else, however it is cut into
 * pieces.
 */
export class RunLoop {
  private readonly core: RunnableCore;
  private readonly timeline: Timeline;
  /** Nanoseconds that passed without instructions: the sleep of WFI. */
  skipped = 0;
  private background: BackgroundEvent | undefined;
  private stopping = false;
  private running = false;

  constructor(core: RunnableCore, timeline: Timeline) {
    this.core = core;
    this.timeline = timeline;
    timeline.onEarlier(() => core.requestAttention());
  }

  /** At most one. */
  setBackground(event: BackgroundEvent): void {
    this.background = event;
  }

  /** Instructions retired since power-on. */
  get instructions(): number {
    return this.timeline.current - this.skipped;
  }

  /** Ends the current run after the instruction that is executing. Without a run in progress it does nothing. */
  stop(): void {
    if (!this.running) return;
    this.stopping = true;
    this.core.requestAttention();
  }

  /**
   * Runs at most `instructions` more. While the core sleeps, guest time jumps to the next timer; with `reportSleep` it does not, and the caller goes on
   * with {@link skipTo} when it likes.
   */
  run(instructions: number, reportSleep = false): StopReason {
    const { core, timeline, background } = this;
    const end = this.instructions + instructions;
    this.running = true;
    this.stopping = false;
    try {
      for (;;) {
        timeline.expire();
        core.deliverInterrupts();
        if (this.stopping) return 'stopped';
        if (core.lockedUp) return 'locked-up';
        const left = end - this.instructions;
        if (left <= 0) return 'limit';
        if (core.halted) {
          const next = timeline.nextDeadline;
          if (next === Number.POSITIVE_INFINITY) return 'idle';
          if (reportSleep) return 'asleep';
          this.skipTo(next);
          continue;
        }
        let budget = Math.min(left, timeline.nextDeadline - timeline.current);
        if (background !== undefined) {
          while (background.due <= this.instructions) background.run();
          budget = Math.min(budget, background.due - this.instructions);
        }
        core.run(budget);
      }
    } finally {
      this.running = false;
    }
  }

  /** Lets guest time pass in sleep, to `time` (ns, not before now). */
  skipTo(time: number): void {
    if (time <= this.timeline.current) return;
    this.skipped += time - this.timeline.current;
    this.timeline.current = time;
  }

  /** The next timer's deadline in ns of guest time, or Infinity. */
  get nextDeadline(): number {
    return this.timeline.nextDeadline;
  }
}
