/** Watches console output for `--send` and `--exit-on`, however it is cut into pieces. */
export class Expect {
  private unread = '';
  private readonly exchanges: { readonly text: string; readonly reply: string }[];
  private readonly exits: readonly string[];
  private readonly reply: (text: string) => void;
  private readonly found: (text: string) => void;
  private readonly keep: number;

  /** `found` is called when one of the `exits` has been printed. Exchanges happen in order; exits count from the start. */
  constructor(
    exchanges: readonly { readonly text: string; readonly reply: string }[],
    exits: readonly string[],
    reply: (text: string) => void,
    found: (text: string) => void,
  ) {
    this.exchanges = [...exchanges];
    this.exits = exits;
    this.reply = reply;
    this.found = found;
    this.keep = Math.max(0, ...exits.map((text) => text.length), ...exchanges.map(({ text }) => text.length));
  }

  /** Exchanges that have not happened. */
  get pending(): number {
    return this.exchanges.length;
  }

  put(bytes: Uint8Array): void {
    const fresh = Buffer.from(bytes).toString('latin1');
    this.unread += fresh;
    for (const text of this.exits) if (this.unread.includes(text)) this.found(text);
    while (this.exchanges.length > 0) {
      const { text, reply } = this.exchanges[0]!;
      const at = this.unread.indexOf(text);
      if (at < 0) break;
      this.unread = this.unread.slice(at + text.length);
      this.exchanges.shift();
      this.reply(reply);
    }
    if (this.exchanges.length === 0 || this.unread.length > 65536) this.unread = this.unread.slice(-Math.max(this.keep, 1));
  }
}
