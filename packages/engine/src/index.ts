export type { Value } from './builder.js';
export { Builder } from './builder.js';
export type { CallKernel, Kernel, PureKernel, StateViews, VectorKernel } from './kernel.js';
export * as layout from './layout.js';
export * as ops from './ops.js';
