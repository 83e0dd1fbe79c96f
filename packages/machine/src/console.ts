/** Text kept for `waitFor` and `tail`, in characters: enough for any prompt, bounded whatever a guest prints. */
const KEPT = 1 << 16;

interface Waiter {
  readonly pattern: string | RegExp;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

const decodeLatin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
};

/**
 * A serial line as a stream: bytes out of the guest, bytes into it. Text is one character a byte (Latin-1): a console has no encoding, and matching must
 * not wait for the rest of a UTF-8 sequence.
 */
export class ConsoleStream {
  private readonly listeners = new Set<(bytes: Uint8Array) => void>();
  private waiters: Waiter[] = [];
  private pending: number[] = [];
  private unread = '';
  private kept = '';
  private closed: Error | undefined;
  private readonly input: (bytes: Uint8Array) => void;
  /** Bytes printed since power-on. */
  byteCount = 0;

  /** `input` takes what the host types. */
  constructor(input: (bytes: Uint8Array) => void) {
    this.input = input;
  }

  /** One byte from the guest. Listeners get it at the next {@link flush}. */
  put(byte: number): void {
    this.pending.push(byte);
    this.byteCount++;
    if (this.pending.length >= 4096) this.flush();
  }

  /** Hands what was printed to listeners and waiters. The machine calls it after each slice. */
  flush(): void {
    if (this.pending.length === 0) return;
    const bytes = Uint8Array.from(this.pending);
    this.pending = [];
    const text = decodeLatin1(bytes);
    this.unread = (this.unread + text).slice(-KEPT);
    this.kept = (this.kept + text).slice(-KEPT);
    for (const listener of this.listeners) listener(bytes);
    this.match();
  }

  /** Calls `listener` with every piece of output from now on. Returns the function that ends that. */
  onData(listener: (bytes: Uint8Array) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Types bytes, or text as one byte a character. Nothing is lost: what the guest has no room for waits. */
  send(data: string | Uint8Array): void {
    this.input(typeof data === 'string' ? Uint8Array.from(data, (c) => c.charCodeAt(0)) : data);
  }

  /**
   * Resolves with the output up to and with the match, as soon as it has been printed, counting from the end of the previous match. Rejects when the
   * machine ends first. The machine must be running.
   */
  waitFor(pattern: string | RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ pattern, resolve, reject });
      this.match();
      if (this.closed) this.close(this.closed);
    });
  }

  /** The last output, at most 64 Ki characters. */
  tail(): string {
    return this.kept;
  }

  private match(): void {
    while (this.waiters.length > 0) {
      const { pattern, resolve } = this.waiters[0]!;
      let end = -1;
      if (typeof pattern === 'string') {
        const at = this.unread.indexOf(pattern);
        if (at >= 0) end = at + pattern.length;
      } else {
        const found = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(this.unread);
        if (found) end = found.index + found[0].length;
      }
      if (end < 0) return;
      this.waiters.shift();
      resolve(this.unread.slice(0, end));
      this.unread = this.unread.slice(end);
    }
  }

  /** No more output will come: whoever still waits is told why. */
  close(reason: Error): void {
    this.flush();
    this.closed = reason;
    for (const { reject } of this.waiters.splice(0)) reject(reason);
  }

  /** Output may come again (after a reset or a restore). */
  reopen(): void {
    this.closed = undefined;
  }
}
