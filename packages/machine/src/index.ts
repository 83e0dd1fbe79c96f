export { SystemBus } from './bus.js';
export { ConsoleStream } from './console.js';
export * from './contracts/index.js';
export type { CodeWatcher, DirectRegion, RegionOptions } from './guest-memory.js';
export { GRANULE_SHIFT, GuestMemory, PAGE_SHIFT } from './guest-memory.js';
export type { BackgroundEvent, RunnableCore, StopReason } from './run-loop.js';
export { RunLoop } from './run-loop.js';
export { Timeline } from './timeline.js';
