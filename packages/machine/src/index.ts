export { SystemBus } from './bus.js';
export * from './contracts/index.js';
export type { CodeWatcher, DirectRegion, RegionOptions } from './guest-memory.js';
export { GRANULE_SHIFT, GuestMemory, PAGE_SHIFT } from './guest-memory.js';
export { Timeline } from './timeline.js';
