import type { MachineEnd } from './machine-end.js';

/** What {@link MachineListeners} can be asked for, and what a listener gets. */
export interface MachineEvents {
  /** The guest powered the machine off. */
  readonly poweroff: Extract<MachineEnd, { reason: 'poweroff' }>;
  /** The guest left through semihosting; `status` is 0 to 255. */
  readonly exit: Extract<MachineEnd, { reason: 'exit' }>;
  /** The guest asked for a reset and has got it: the machine stands at its first instruction. */
  readonly reset: Extract<MachineEnd, { reason: 'reset' }>;
  /** The core takes the same exception for ever; `message` says which. */
  readonly crash: Extract<MachineEnd, { reason: 'crashed' }>;
  /** Something threw while the machine ran: a callback of the embedder's (console listener, storage, network) or a fault of the machine's own. */
  readonly error: unknown;
}

/** Listeners of a machine, by event, in the order of their arrival. */
export class MachineListeners {
  private readonly byEvent = new Map<keyof MachineEvents, Set<{ readonly call: (event: never) => void }>>();

  /** Adds a listener, as often as it is given. Returns the function that takes it away. */
  on<Name extends keyof MachineEvents>(name: Name, listener: (event: MachineEvents[Name]) => void): () => void {
    const listeners = this.byEvent.get(name) ?? new Set();
    this.byEvent.set(name, listeners);
    const entry = { call: listener };
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
    };
  }

  /** Calls those who listen now. What a listener throws goes to the caller, after every listener has been called. */
  emit<Name extends keyof MachineEvents>(name: Name, event: MachineEvents[Name]): void {
    const thrown: unknown[] = [];
    for (const { call } of [...(this.byEvent.get(name) ?? [])]) {
      try {
        (call as (event: MachineEvents[Name]) => void)(event);
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }
}
