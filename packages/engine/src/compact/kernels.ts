import type { CallKernel, Kernel, PureKernel, StateViews, VectorKernel } from '../kernel.js';

type Run = (a: number, b: number, c: number) => number;
type Work = (a: number, b: number, c: number) => void;
type Call = (core: never, a: number, b: number, c: number) => number;

/** Kernels by number: code that is words names them so. There are as many as instructions know, which are few. */
export class KernelNumbers {
  readonly pure: Run[] = [];
  readonly vector: Work[] = [];
  readonly call: Call[] = [];
  private readonly numbers = new Map<Kernel, number>();
  private readonly state: StateViews;
  private readonly bound: Map<VectorKernel, Work>;

  constructor(state: StateViews, bound: Map<VectorKernel, Work>) {
    this.state = state;
    this.bound = bound;
  }

  /** The kernel's place in the list of its kind. */
  numberOf(kernel: Kernel): number {
    let number = this.numbers.get(kernel);
    if (number === undefined) {
      number = this.add(kernel);
      this.numbers.set(kernel, number);
    }
    return number;
  }

  private add(kernel: Kernel): number {
    switch (kernel.kind) {
      case 'pure':
        return this.pure.push((kernel as PureKernel).run) - 1;
      case 'call':
        return this.call.push((kernel as CallKernel<never>).run) - 1;
      case 'vector':
        return this.vector.push(this.boundOf(kernel)) - 1;
    }
  }

  private boundOf(kernel: VectorKernel): Work {
    const run = this.bound.get(kernel) ?? kernel.bind(this.state);
    this.bound.set(kernel, run);
    return run;
  }
}
