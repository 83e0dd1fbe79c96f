/** Misuse by the embedder. The message is `[mmu] [name] what is wrong`. */
export class MmuError extends Error {
  constructor(name: string, message: string) {
    super(`[mmu] [${name}] ${message}`);
    this.name = 'MmuError';
  }
}
