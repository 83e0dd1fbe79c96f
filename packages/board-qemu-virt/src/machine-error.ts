/** Misuse by the embedder or something that cannot be: `[board-qemu-virt] [component] message`, one line. */
export class MachineError extends Error {
  override readonly name = 'MachineError';

  constructor(component: string, message: string, options?: ErrorOptions) {
    super(`[board-qemu-virt] [${component}] ${message}`, options);
  }
}
