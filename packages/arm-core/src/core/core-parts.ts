import type { StateViews } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { CachedMemory, GuestMemory, HitPaths, LateEffects, MemorySystem, SystemBus, Timeline } from '@tablewalk/machine';
import type { CoreProfile } from '../profiles/profile.js';
import type { TranslationOptions } from './region-runner.js';

export interface ArmCoreParts {
  readonly profile: CoreProfile;
  readonly memory: GuestMemory;
  /** Byte offset of the core's state in `memory`, `layout.STATE_BYTES` long. */
  readonly stateOffset: number;
  readonly bus: SystemBus;
  readonly memorySystem: MemorySystem;
  readonly timeline: Timeline;
  /** Hot code runs in WebAssembly when this is given; everything is interpreted otherwise. What the guest sees is the same. */
  readonly translation?: TranslationOptions;
  /** The state word STORE_HASH goes on with each store, in either engine, so that runs can be compared. Slow; default false. */
  readonly hashesStores?: boolean;
  /** The memory system has state that look-ups change, so a snapshot says which look-ups the fast table saves. Default false. */
  readonly statefulLookups?: boolean;
  /** Nothing keeps a translation once its tables have changed: whoever reads descriptors says where with {@link ArmCore.watchTable}. Default false. */
  readonly transparentTables?: boolean;
  /** Caches with contents: everything that is not functional fidelity. Absent: memory is coherent. */
  readonly cachedMemory?: CachedMemory;
  /** What knows hits of models that count each access ({@link CachedMemory.everyAccess}). Absent: code that they count is interpreted. */
  readonly hitPaths?: HitPaths;
  /** Who waits for barriers. Absent: nobody, and barriers cost nothing. */
  readonly lateEffects?: LateEffects;
}

/** Every view of the state at `offset` of the machine's memory. */
export const viewsOf = (buffer: ArrayBuffer, offset: number): StateViews => ({
  words: new Int32Array(buffer, offset, layout.STATE_BYTES / 4),
  u32: new Uint32Array(buffer, offset, layout.STATE_BYTES / 4),
  f32: new Float32Array(buffer, offset, layout.STATE_BYTES / 4),
  f64: new Float64Array(buffer, offset, layout.STATE_BYTES / 8),
  u8: new Uint8Array(buffer, offset, layout.STATE_BYTES),
  i8: new Int8Array(buffer, offset, layout.STATE_BYTES),
  u16: new Uint16Array(buffer, offset, layout.STATE_BYTES / 2),
  i16: new Int16Array(buffer, offset, layout.STATE_BYTES / 2),
});
