export type { AccessSize, PhysAddr, VirtAddr } from './addresses.js';
export type { Device, DeviceHost, DmaPort, InterruptLine, RomWindow } from './bus.js';
export type { CachedMemory, CachedMemoryPort } from './cached-memory.js';
export { LINE_DIRTY } from './cached-memory.js';
export type { Diagnostics, Snapshot, Stateful } from './component.js';
export type { CpuView } from './cpu-view.js';
export type { CachePlace, HitPath, HitPaths, HitPort, MissCounts, MissPath, ViewPlaces } from './hit-path.js';
export type { LateEffects } from './late-effects.js';
export type {
  AccessKind,
  CpuFaultKind,
  FastTablePort,
  MemorySystem,
  MemoryType,
  Translation,
  TranslationFault,
  WalkPort,
} from './memory-system.js';
export {
  ACCESS_FETCH,
  ACCESS_READ,
  ACCESS_WRITE,
  MEMORY_DEVICE,
  MEMORY_NORMAL,
  MEMORY_STRONGLY_ORDERED,
} from './memory-system.js';
export type { ExceptionKind, Observer } from './observer.js';
export type {
  Pl0Access,
  SystemRegister,
  SystemRegister64,
  SystemRegisterBank,
  SystemRegisterEncoding,
  SystemRegisterEncoding64,
} from './system-registers.js';
export type { Clock, Timer } from './time.js';
