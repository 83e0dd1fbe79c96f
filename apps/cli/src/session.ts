import type { MachineEnd, VirtMachine } from '@tablewalk/board-qemu-virt';
import { Expect } from './expect.js';
import { monitorCommand } from './monitor.js';
import type { RunArguments } from './options.js';
import type { Output } from './output.js';
import { Terminal } from './terminal.js';
import type { Tracer } from './trace.js';

/** Instructions between two looks at the host's input: about 10 ms. */
const SLICE = 500_000;

/** The same when each instruction is written down. */
const TRACED_SLICE = 2_000;

/** Why a session ended besides the machine's own reasons. */
export type SessionEnd = MachineEnd | { readonly reason: 'quit' | 'timeout' | 'exit-on' | 'interrupted' | 'deserted' };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a machine at the terminal: its serial line is standard input and output. */
export class Session {
  private readonly machine: VirtMachine;
  private readonly options: RunArguments;
  private readonly output: Output;
  private readonly tracer: Tracer | undefined;
  private readonly terminal: Terminal;
  private readonly expect: Expect;
  private end: SessionEnd | undefined;
  private inMonitor = false;
  private line = '';
  private typed = false;

  constructor(machine: VirtMachine, options: RunArguments, output: Output, tracer?: Tracer) {
    this.machine = machine;
    this.tracer = tracer;
    this.options = options;
    this.output = output;
    this.expect = new Expect(
      options.send,
      options.exitOn,
      (text) => machine.send(text),
      () => {
        this.end ??= { reason: 'exit-on' };
      },
    );
    this.terminal = new Terminal(
      (bytes) => {
        this.typed = true;
        machine.send(bytes);
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
      for (const c of bytes.toString('latin1')) this.monitorKey(c);
    };
  }

  private monitorKey(c: string): void {
    if (c === '\x7f' || c === '\b') {
      if (this.line !== '') this.output.write('\b \b');
      this.line = this.line.slice(0, -1);
    } else if (c === '\r' || c === '\n') {
      this.output.write('\r\n');
      const { text, effect } = monitorCommand(this.machine, this.line);
      this.line = '';
      this.say(text);
      if (effect === 'quit') this.end = { reason: 'quit' };
      if (effect === 'stay') this.output.write('(tablewalk) ');
      else {
        this.inMonitor = false;
        this.terminal.monitorInput = undefined;
      }
    } else {
      this.line += c;
      this.output.write(c);
    }
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
    const deadline = Date.now() + options.timeoutSeconds * 1000;
    const limit = machine.instructions + options.maxInstructions;
    const realTime = this.terminal.interactive;
    for (;;) {
      if (this.inMonitor && !this.end) await pause(20);
      else {
        const result = this.slice(Math.min(SLICE, limit - machine.instructions), realTime);
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
      if (Date.now() >= deadline) return { reason: 'timeout' };
    }
  }

  private slice(instructions: number, realTime: boolean): MachineEnd {
    const { machine, tracer } = this;
    if (tracer === undefined) return machine.runFor(instructions, realTime);
    let result: MachineEnd = { reason: 'limit' };
    for (let i = 0; i < Math.min(instructions, TRACED_SLICE) && result.reason === 'limit' && this.end === undefined; i++) {
      const after = tracer.step();
      const count = machine.instructions;
      result = machine.runFor(1, realTime);
      if (machine.instructions > count) after();
    }
    return result;
  }

  /** On a terminal the guest's sleep takes the time that it says, or until something is typed. */
  private async sleep(): Promise<void> {
    const { machine } = this;
    const until = machine.nextDeadline;
    const start = Date.now();
    const from = machine.time;
    this.typed = false;
    for (;;) {
      const passed = (Date.now() - start) * 1e6;
      if (from + passed >= until || this.typed || this.end !== undefined || this.inMonitor) {
        machine.sleepUntil(Math.min(until, from + passed));
        return;
      }
      await pause(Math.min(10, Math.max(1, (until - from - passed) / 1e6)));
    }
  }

  /** The guest sleeps and no timer will wake it: only input can. False when none will come. */
  private async waitForInput(): Promise<boolean> {
    this.typed = false;
    for (;;) {
      if (this.typed || this.end !== undefined || this.inMonitor) return true;
      if (!this.terminal.interactive) {
        await pause(5);
        if (!this.typed && this.terminal.ended) return false;
      } else await pause(10);
    }
  }
}
