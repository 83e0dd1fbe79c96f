/** A device tree blob that cannot be read, or an edit that a tree does not allow. One line, `[board-qemu-virt] [fdt] message`. */
export class FdtError extends Error {
  override readonly name = 'FdtError';

  constructor(message: string, options?: ErrorOptions) {
    super(`[board-qemu-virt] [fdt] ${message}`, options);
  }
}
