/** Misuse by the embedder, never by a guest: a register defined twice, a profile that lacks one, a snapshot of something else. */
export class SystemRegisterError extends Error {
  override readonly name = 'SystemRegisterError';

  constructor(subject: string, message: string) {
    super(`[arm-core] [${subject}] ${message}`);
  }
}
