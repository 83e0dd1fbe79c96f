import type { ObjectCache } from '@tablewalk/alloc/guest';
import { attachObjectCache, createObjectCache, objectAddress, objectAtAddress } from '@tablewalk/alloc/guest';
import type { VirtAddr } from '@tablewalk/machine';
import { guestWords, wordSites } from '../guest-words.js';
import { FRAME_WORDS } from '../image/traps.js';
import { KmemError } from '../kmem-error.js';
import { linearToPhysical, PAGE, physicalToLinear } from '../layout.js';
import type { ProgramSurroundings } from './program-table.js';

const KIND = { name: 'task', id: 1, objectBytes: 4 * FRAME_WORDS, alignLog2: 3 } as const;

/** Where tasks live: objects of a cache, with its own words in a page of the kernel's, or a page each. */
export class TaskMemory {
  private readonly s: ProgramSurroundings;
  private readonly linear: VirtAddr;
  private words: VirtAddr | undefined;
  cache: ObjectCache | undefined;

  constructor(surroundings: ProgramSurroundings) {
    this.s = surroundings;
    this.linear = physicalToLinear(surroundings.layout, surroundings.geometry.firstPage * PAGE);
  }

  private open(how: typeof createObjectCache | typeof attachObjectCache, words: VirtAddr): ObjectCache {
    const { s } = this;
    return how(
      s.objectCache!,
      KIND,
      {
        pages: s.kernalloc,
        geometry: s.geometry,
        memory: guestWords(s.port, wordSites.object_cache, this.linear),
        descriptors: s.descriptors,
      },
      guestWords(s.port, wordSites.object_cache, words),
    );
  }

  allocate(): VirtAddr | undefined {
    const { s } = this;
    if (s.objectCache === undefined) return s.memory.allocate(1);
    if (this.cache === undefined) {
      const count = s.objectCache.metadataWords(KIND, s.geometry);
      const words = s.memory.allocate(Math.max(1, Math.ceil((count * 4) / PAGE)));
      if (words === undefined) return undefined;
      this.words = words;
      this.cache = this.open(createObjectCache, words);
    }
    const object = this.cache.allocate();
    return object < 0 ? undefined : physicalToLinear(s.layout, objectAddress(object, s.geometry));
  }

  free(task: VirtAddr): void {
    if (this.cache === undefined) {
      this.s.memory.free(task, 1);
      return;
    }
    const code = this.cache.free(objectAtAddress(linearToPhysical(this.s.layout, task), this.s.geometry));
    if (code < 0) throw new KmemError('programs', `the cache of tasks answered ${code}`);
  }

  state(): unknown {
    return this.words ?? null;
  }
  restore(state: unknown): void {
    this.words = (state as VirtAddr | null) ?? undefined;
    this.cache = this.words === undefined ? undefined : this.open(attachObjectCache, this.words);
  }
}
