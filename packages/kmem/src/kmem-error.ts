/** Misuse by the embedder, or a machine that this kernel cannot run on. */
export class KmemError extends Error {
  override readonly name = 'KmemError';
  constructor(part: string, message: string, options?: ErrorOptions) {
    super(`[kmem] [${part}] ${message}`, options);
  }
}
