/** Which reader refused the input. */
export type LoaderFormat = 'cpio' | 'dwarf' | 'elf' | 'kallsyms' | 'system-map' | 'uimage' | 'zimage';

/**
 * The one error of this package: an input that is malformed, truncated or not supported. The message is one line, `[loader] [format] message`.
 */
export class LoaderError extends Error {
  override readonly name = 'LoaderError';
  readonly format: LoaderFormat;

  constructor(format: LoaderFormat, message: string, options?: ErrorOptions) {
    super(`[loader] [${format}] ${message}`, options);
    this.format = format;
  }
}
