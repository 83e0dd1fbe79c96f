/**
 * Host functions that micro-operations name. Each is one plain object, so that the interpreter, the emitter and the tests share it.
 * A kernel never allocates and never keeps its arguments.
 */

/** Core state as kernels see it: views of one core's part of guest memory (layout.ts). */
export interface StateViews {
  /** State words. */
  readonly words: Int32Array;
  /** The same bytes, for SIMD registers: sN is f32[D0 + N], dN is f64[D0 / 2 + N], its bytes start at 4 * D0 + 8 * N. */
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
}

/** A value from values: no state read or written, no fault. */
export interface PureKernel {
  readonly kind: 'pure';
  readonly name: string;
  readonly run: (a: number, b: number, c: number) => number;
}

/**
 * SIMD and floating-point work from state to state: reads and writes registers d0-d31 and the FPSCR words, cannot fault, touches nothing else.
 * `bind` is called once per core; the function it returns gets the three immediates of the micro-operation.
 */
export interface VectorKernel {
  readonly kind: 'vector';
  readonly name: string;
  /** It reads nothing that it writes, so that doing it twice is doing it once. Default false. */
  readonly repeatable?: boolean;
  readonly bind: (state: StateViews) => (a: number, b: number, c: number) => void;
}

/**
 * System work with effects on the whole core (`Core` is arm-core's class). May throw the core's guest-exception signal. Runs with the exact time.
 */
export interface CallKernel<Core = never> {
  readonly kind: 'call';
  readonly name: string;
  readonly run: (core: Core, a: number, b: number, c: number) => number;
}

export type Kernel = PureKernel | VectorKernel | CallKernel<never>;
