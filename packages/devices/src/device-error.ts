/** Misuse by the embedder (never by a guest): `[devices] [name] message`. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  /** Instance name of the component that refused, for example `pl011@9000000`. */
  readonly component: string;

  constructor(component: string, message: string, options?: { readonly cause?: unknown }) {
    super(`[devices] [${component}] ${message}`, options);
    this.component = component;
  }
}
