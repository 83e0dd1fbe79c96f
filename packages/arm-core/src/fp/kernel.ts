import type { StateViews, VectorKernel } from '@tablewalk/engine';

/** What a kernel does with the immediates of its operation: register numbers, shift amounts. */
export type Run = (a: number, b: number, c: number) => void;

export const kernel = (name: string, bind: (state: StateViews) => Run): VectorKernel => ({ kind: 'vector', name, bind });
