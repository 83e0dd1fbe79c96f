export type { AllocErrorKind } from './alloc-error.js';
export { AllocError } from './alloc-error.js';
export { bitmapTree } from './allocators/bitmap-tree.js';
export { knr } from './allocators/knr.js';
export { zoneList } from './allocators/zone-list.js';
export type { Code } from './codes.js';
export {
  BAD_CONSTRAINT,
  BAD_COUNT,
  BUSY,
  CORRUPT,
  codeName,
  codeNames,
  EXHAUSTED,
  FOREIGN,
  INTERIOR,
  METADATA_FULL,
  NOT_ALLOCATED,
  OK,
  OUT_OF_RANGE,
  OVERLAP,
  UNSUPPORTED,
  WRONG_LENGTH,
} from './codes.js';
export type { DecorationContext } from './decorators/decorate.js';
export { decorate } from './decorators/decorate.js';
export type { FailingOptions } from './decorators/failing.js';
export { failing } from './decorators/failing.js';
export type { PoisonOptions, RedZoneOptions } from './decorators/holding.js';
export { pageWordCount, poisoned, quarantined, redZoned } from './decorators/holding.js';
export type { LogEntry, OperationCounts } from './decorators/observing.js';
export { counted, formatLogEntry, logged } from './decorators/observing.js';
export { strict } from './decorators/strict.js';
export type { Geometry } from './geometry.js';
export { checkGeometry, MAX_PAGES } from './geometry.js';
export type {
  ObjectCache,
  ObjectCacheCapabilities,
  ObjectCachePlugin,
  ObjectCacheStats,
  ObjectKind,
  ObjectSurroundings,
} from './object-cache.js';
export { OBJECT_CACHE_CONTRACT, objectAddress, objectAtAddress } from './object-cache.js';
export type {
  AllocatorCapabilities,
  AllocatorPlugin,
  Constraints,
  Hooks,
  PageAllocator,
  RunVisitor,
  Stats,
  Violation,
} from './page-allocator.js';
export { ALLOCATOR_CONTRACT } from './page-allocator.js';
export type { PageDescriptors } from './page-descriptors.js';
export {
  DESCRIPTOR_WORDS,
  PAGE_FREE,
  PAGE_FREE_BODY,
  PAGE_RESERVED,
  PAGE_RESERVED_BODY,
  PAGE_TAKEN,
  PAGE_TAKEN_BODY,
  PAGE_UNKNOWN,
  pageDescriptors,
  USE_NONE,
  USE_OBJECTS,
  USE_TABLE,
  USE_USER,
} from './page-descriptors.js';
export {
  allocatorMetadataWords,
  attachAllocator,
  attachObjectCache,
  checkAllocatorPlugin,
  checkObjectCachePlugin,
  createAllocator,
  createObjectCache,
} from './plugins.js';
export type { Random } from './random.js';
export { seededRandom } from './random.js';
export type { Fragmentation } from './report/fragmentation.js';
export { fragmentation, fragmentationIndexes, highOrderSuccess } from './report/fragmentation.js';
export type { WorkloadObserver, WorkloadReport } from './report/run-workload.js';
export { runWorkload } from './report/run-workload.js';
export { checkConstraints, checkCount, checkRange, highestEnd, highestFit, lowestFit, lowestStart } from './requests.js';
export type { CountingWords, Words } from './words.js';
export { countingWords, hostWords, subWords } from './words.js';
export type { WorkloadOptions } from './workload/generators.js';
export { kernelWorkload, larsonWorkload, phaseWorkload, rampWorkload, uniformWorkload } from './workload/generators.js';
export type { Recorder } from './workload/recorder.js';
export { recordTrace } from './workload/recorder.js';
export type { RobsonOptions } from './workload/robson.js';
export { robsonWorkload } from './workload/robson.js';
export { formatTrace, parseTrace } from './workload/trace-text.js';
export type { Trace, TraceState, Workload, WorkloadEvent } from './workload/workload.js';
export { compileWorkload, replayTrace, TRACE_STRIDE, traceState, traceWorkload } from './workload/workload.js';
