/** What a key sequence means to us and not to the guest. */
export type TerminalCommand = 'quit' | 'monitor' | 'help';

/** Bytes that may wait for the guest before no more are read. */
const MOST_WAITING = 1 << 16;

const ESCAPE = 0x01; // Ctrl-A, as in QEMU

/**
 * The host's keyboard as the guest's serial line. On a terminal it is put in raw mode, so that Ctrl-C and the rest reach the guest; Ctrl-A X leaves,
 * Ctrl-A C opens the monitor, Ctrl-A Ctrl-A sends Ctrl-A.
 */
export class Terminal {
  readonly interactive: boolean;
  private readonly stdin = process.stdin;
  private escaped = false;
  private readonly send: (bytes: Uint8Array) => void;
  private readonly command: (command: TerminalCommand) => void;
  /** Takes what is typed while the monitor is open; returns what came after the command that closed it. */
  monitorInput: ((bytes: Buffer) => Buffer) | undefined;
  /** True when the input has ended: a pipe that was closed, a file that was read. */
  ended = false;

  constructor(send: (bytes: Uint8Array) => void, command: (command: TerminalCommand) => void) {
    this.send = send;
    this.command = command;
    this.interactive = process.stdin.isTTY === true;
  }

  /** Reads no more while the guest has `waiting` bytes to read, so that an endless input costs no endless memory. */
  throttle(waiting: number): void {
    if (this.ended || this.monitorInput) return;
    if (waiting > MOST_WAITING && !this.stdin.isPaused()) this.stdin.pause();
    else if (waiting < MOST_WAITING / 4 && this.stdin.isPaused()) this.stdin.resume();
  }

  open(): void {
    if (this.interactive) this.stdin.setRawMode(true);
    this.stdin.on('data', this.onData);
    this.stdin.on('end', this.onEnd);
    this.stdin.on('error', this.onEnd);
    this.stdin.resume();
  }

  close(): void {
    this.stdin.off('data', this.onData);
    if (this.interactive) this.stdin.setRawMode(false);
    this.stdin.pause();
    this.stdin.unref?.();
  }

  private readonly onEnd = (): void => {
    this.ended = true;
  };

  private readonly onData = (data: Buffer): void => {
    if (this.monitorInput) {
      const rest = this.monitorInput(data);
      if (rest.length > 0) this.onData(rest);
      return;
    }
    if (!this.interactive) {
      this.send(data);
      return;
    }
    const bytes: number[] = [];
    for (const byte of data) {
      if (this.escaped) {
        this.escaped = false;
        if (byte === ESCAPE) bytes.push(byte);
        else if (byte === 0x78 || byte === 0x18) this.command('quit');
        else if (byte === 0x63 || byte === 0x03) this.command('monitor');
        else if (byte === 0x68 || byte === 0x3f) this.command('help');
      } else if (byte === ESCAPE) this.escaped = true;
      else bytes.push(byte);
    }
    if (bytes.length > 0) this.send(Uint8Array.from(bytes));
  };
}
