import type { Frame, StateViews } from '@tablewalk/engine';
import { CachedAccess } from './cached-access.js';
import type { ArmCoreParts } from './core-parts.js';
import type { FastTable } from './fast-table.js';
import type { AccessOwner } from './memory-access.js';
import { MemoryAccess } from './memory-access.js';
import { WatchedAccess } from './watched-access.js';

/** The way out of the fast table that a core with these parts needs: through caches, without a TLB, or plain. */
export const accessFor = (parts: ArmCoreParts, frame: Frame, state: StateViews, fast: FastTable, owner: AccessOwner): MemoryAccess => {
  const { memory, bus, memorySystem, cachedMemory } = parts;
  const common = [frame, state, memory, bus, memorySystem, fast, owner] as const;
  const access =
    cachedMemory === undefined
      ? new (parts.transparentTables ? WatchedAccess : MemoryAccess)(...common)
      : new CachedAccess(...common, cachedMemory);
  access.hashesStores = parts.hashesStores ?? false;
  return access;
};
