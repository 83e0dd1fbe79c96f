/**
 * What an {@link AllocError} is about.
 *
 * - `contract`: the plugin speaks another contract version, or lacks a member of this one.
 * - `geometry`: the geometry is malformed, or the plugin cannot manage it in the words that it may have.
 * - `attach`: the words hold no state of this allocator for this geometry.
 * - `plugin`: the plugin threw, or answered nonsense.
 * - `options`: malformed options of a plugin, decorator, generator or report.
 * - `trace`: a trace that cannot be read.
 */
export type AllocErrorKind = 'contract' | 'geometry' | 'attach' | 'plugin' | 'options' | 'trace';

/** Misuse by the embedder, or by a plugin. The message is `[alloc] [name] what is wrong`; `name` is that of the plugin concerned. */
export class AllocError extends Error {
  readonly kind: AllocErrorKind;

  constructor(kind: AllocErrorKind, name: string, message: string, cause?: unknown) {
    super(`[alloc] [${name}] ${message}`, cause === undefined ? undefined : { cause });
    this.name = 'AllocError';
    this.kind = kind;
  }
}
