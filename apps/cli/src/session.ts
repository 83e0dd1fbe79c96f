import type { LockstepEnd, VirtMachine } from '@tablewalk/board-qemu-virt';
import { Expect } from './expect.js';
import { monitorCommand } from './monitor.js';
import type { RunArguments } from './options.js';
import type { Output } from './output.js';
import { Terminal } from './terminal.js';
import type { Tracer } from './trace.js';

/** Instructions between two looks at the host's input: about 10 ms. */
const SLICE = 500_000;

/** Slices of the first SLICE instructions: code is cold then, and what a restored session was asked for is soon answered. */
const FIRST_SLICES = 20_000;

/** The same when each instruction is written down. */
const TRACED_SLICE = 2_000;

/** Why a session ended besides the machine's own reasons. */
export type SessionEnd = LockstepEnd | { readonly reason: 'quit' | 'timeout' | 'exit-on' | 'interrupted' | 'deserted' };

/** What a session does to its machine, or to two of them that are compared. */
export interface Driven {
  runFor(instructions: number, reportSleep: boolean): LockstepEnd;
  send(data: string | Uint8Array): void;
  sleepUntil(time: number): void;
  reset(): void;
  powerKey(): void;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a machine at the terminal: its serial line is standard input and output. */
export class Session {
  private readonly machine: VirtMachine;
  private readonly driven: Driven;
  private readonly options: RunArguments;
  private readonly output: Output;
  private readonly tracer: Tracer | undefined;
  private readonly terminal: Terminal;
  private readonly expect: Expect;
  private end: SessionEnd | undefined;
  private inMonitor = false;
  private line = '';
  private monitorEscape = false;
  private deadline = Number.POSITIVE_INFINITY;
  private typed = false;

  /** `driven` is the machine, unless it is one of two. */
  constructor(machine: VirtMachine, options: RunArguments, output: Output, tracer?: Tracer, driven: Driven = machine) {
    this.machine = machine;
    this.driven = driven;
    this.tracer = tracer;
    this.options = options;
    this.output = output;
    this.expect = new Expect(
      options.send,
      options.exitOn,
      (text) => {
        this.typed = true;
        driven.send(text);
      },
      () => {
        this.end ??= { reason: 'exit-on' };
      },
    );
    this.terminal = new Terminal(
      (bytes) => {
        this.typed = true;
        driven.send(bytes);
      },
      (command) => {
        if (command === 'quit') this.end = { reason: 'quit' };
        else if (command === 'monitor') this.openMonitor();
        else this.say('Ctrl-A X leaves, Ctrl-A C opens the monitor, Ctrl-A Ctrl-A types Ctrl-A');
      },
    );
    machine.console.onData((bytes) => {
      output.write(bytes);
      this.expect.put(bytes);
    });
  }

  private say(text: string): void {
    this.output.write(text === '' ? '' : `${text.replaceAll('\n', '\r\n')}\r\n`);
  }

  private openMonitor(): void {
    this.inMonitor = true;
    this.say('\nTablewalk monitor: help lists the commands, c goes on');
    this.output.write('(tablewalk) ');
    this.terminal.monitorInput = (bytes) => {
      let used = 0;
      while (used < bytes.length && this.inMonitor) this.monitorKey(String.fromCharCode(bytes[used++]!));
      return bytes.subarray(used);
    };
  }

  private monitorKey(c: string): void {
    if (this.monitorEscape) {
      this.monitorEscape = false;
      if (c === 'x') this.end = { reason: 'quit' };
      if (c === 'c') this.closeMonitor();
    } else if (c === '\x7f' || c === '\b') {
      if (this.line !== '') this.output.write('\b \b');
      this.line = this.line.slice(0, -1);
    } else if (c === '\r' || c === '\n') {
      this.output.write('\r\n');
      const { text, effect } = monitorCommand(this.machine, this.line, this.driven);
      this.line = '';
      this.say(text);
      if (effect === 'quit') this.end = { reason: 'quit' };
      if (effect === 'stay') this.output.write('(tablewalk) ');
      else this.closeMonitor();
    } else if (this.terminal.interactive && c < ' ') this.monitorControl(c);
    else {
      this.line += c;
      this.output.write(c);
    }
  }

  /** Ctrl-C drops the line, Ctrl-D goes on, Ctrl-A X and Ctrl-A C are what they are outside. */
  private monitorControl(c: string): void {
    if (c === '\x03') {
      this.line = '';
      this.output.write('\r\n(tablewalk) ');
    } else if (c === '\x04') this.closeMonitor();
    else if (c === '\x01') this.monitorEscape = true;
  }

  private closeMonitor(): void {
    this.inMonitor = false;
    this.terminal.monitorInput = undefined;
  }

  /** Runs to the end. The terminal is as it was afterwards, whatever happens. */
  async run(): Promise<SessionEnd> {
    const interrupt = (): void => {
      this.end = { reason: 'interrupted' };
    };
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
    this.terminal.open();
    if (this.options.startPaused) this.openMonitor();
    try {
      return await this.loop();
    } finally {
      this.terminal.close();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    }
  }

  private async loop(): Promise<SessionEnd> {
    const { machine, options } = this;
    this.deadline = Date.now() + options.timeoutSeconds * 1000;
    const limit = machine.instructions + options.maxInstructions;
    const warm = machine.instructions + SLICE;
    for (;;) {
      this.terminal.throttle(machine.board.uart.waitingByteCount);
      if (this.inMonitor && !this.end) {
        if (this.terminal.ended) return { reason: 'quit' };
        await pause(20);
      } else {
        this.typed = false;
        const realTime = this.terminal.interactive && options.exitOn.length === 0 && this.expect.pending === 0;
        const slice = machine.instructions < warm ? FIRST_SLICES : SLICE;
        const result = this.slice(Math.min(slice, limit - machine.instructions), realTime);
        if (this.end === undefined) {
          if (result.reason === 'asleep') await this.sleep();
          else if (result.reason === 'idle') {
            if (!(await this.waitForInput())) return { reason: 'deserted' };
          } else if (result.reason === 'reset') {
            if (options.noReboot) return result;
          } else if (result.reason !== 'limit') return result;
        }
        await turn();
      }
      if (this.end) return this.end;
      if (this.output.closed) return { reason: 'quit' };
      if (machine.instructions >= limit) return { reason: 'limit' };
      if (Date.now() >= this.deadline) return { reason: 'timeout' };
    }
  }

  private slice(instructions: number, realTime: boolean): LockstepEnd {
    const { machine, tracer } = this;
    if (tracer === undefined) return this.driven.runFor(instructions, realTime);
    let result: LockstepEnd = { reason: 'limit' };
    for (let i = 0; i < Math.min(instructions, TRACED_SLICE) && result.reason === 'limit' && this.end === undefined; i++) {
      // Nothing runs, but an interrupt that is due is taken: the next instruction is its handler's.
      result = machine.runFor(0, true);
      if (result.reason !== 'limit') break;
      const after = tracer.step();
      const count = machine.instructions;
      result = machine.runFor(1, true);
      if (machine.instructions > count) after();
      if (result.reason === 'asleep' && !realTime) {
        if (!this.typed) machine.sleepUntil(machine.nextDeadline);
        result = { reason: 'limit' };
      }
    }
    return result;
  }

  /** Something else than the guest wants attention. */
  private interrupted(): boolean {
    return this.end !== undefined || this.inMonitor || this.output.closed || Date.now() >= this.deadline;
  }

  /** On a terminal the guest's sleep takes the time that it says, or until something is typed. */
  private async sleep(): Promise<void> {
    const { machine } = this;
    const until = machine.nextDeadline;
    const start = Date.now();
    const from = machine.time;
    for (;;) {
      const passed = (Date.now() - start) * 1e6;
      if (from + passed >= until || this.typed || this.interrupted()) {
        this.driven.sleepUntil(Math.min(until, from + passed));
        return;
      }
      await pause(Math.min(10, Math.max(1, (until - from - passed) / 1e6)));
    }
  }

  /** The guest sleeps and no timer will wake it: only input can. False when none will come. */
  private async waitForInput(): Promise<boolean> {
    for (;;) {
      if (this.typed || this.interrupted()) return true;
      if (!this.terminal.interactive) {
        await pause(5);
        if (!this.typed && this.terminal.ended) return false;
      } else await pause(10);
    }
  }
}
