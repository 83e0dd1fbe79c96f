import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE, GuestMemory, LINE_DIRTY, MEMORY_NORMAL } from '@tablewalk/machine';
import { describe, expect, it } from 'vitest';
import { CACHE_L1_DATA, CACHE_L1_INSTRUCTION, CACHE_L2 } from '../contracts/cache.js';
import { SCTLR_C, SCTLR_I } from '../control-bits.js';
import { cacheHierarchy } from '../models/cache-hierarchy.js';
import { type SetAssociativeCacheOptions, setAssociativeCache } from '../models/set-associative-cache.js';
import { Random } from '../testing/conformance.js';
import { CoherencyMap, coherencyBytes } from './coherency-map.js';
import { PlainLevels } from './plain-levels.js';

/*
 * Two maps with the same history, one of which does not know what its caches are, and so asks them each time.
 */
const RAM = 0x40000000;
const PAGES = 16;

interface Levels {
  readonly data: Omit<SetAssociativeCacheOptions, 'lineLength'>;
  readonly unified?: Omit<SetAssociativeCacheOptions, 'lineLength'>;
  readonly inclusive?: boolean;
}

/** Small enough that lines go all the time. The L2s hold little more than the L1, so that they lose what it has. */
const kinds: Readonly<Record<string, Levels>> = {
  'LRU of two ways over an inclusive random L2': {
    data: { byteLength: 2048, ways: 2, replacement: 'lru' },
    unified: { byteLength: 8192, ways: 8, replacement: 'random' },
    inclusive: true,
  },
  'an L2 smaller than the L1 that includes it': {
    data: { byteLength: 4096, ways: 4, replacement: 'round-robin' },
    unified: { byteLength: 2048, ways: 2, replacement: 'fifo' },
    inclusive: true,
  },
  'random over round-robin, not inclusive': {
    data: { byteLength: 1024, ways: 4, replacement: 'random', seed: 5 },
    unified: { byteLength: 4096, ways: 4, replacement: 'round-robin' },
  },
  'by VA, no allocation by stores, LRU below': {
    data: { byteLength: 16384, ways: 2, replacement: 'fifo', virtuallyIndexed: true, writeAllocate: false },
    unified: { byteLength: 8192, ways: 4, replacement: 'lru' },
  },
  'write-through memory bypasses': {
    data: { byteLength: 2048, ways: 2, replacement: 'lru', writeThrough: false },
    unified: { byteLength: 4096, ways: 4, replacement: 'plru', writeThrough: false },
    inclusive: true,
  },
  'no L2': { data: { byteLength: 2048, ways: 4, replacement: 'plru' } },
};

const attributesOf = (inner: number, outer: number): number => MEMORY_NORMAL | (inner << 2) | (outer << 4);
const OPERATIONS = ['DCCMVAC', 'DCCMVAU', 'DCIMVAC', 'DCCIMVAC', 'ICIMVAU'];

class Side {
  readonly memory: GuestMemory;
  readonly map: CoherencyMap;
  private readonly log: string[] = [];

  constructor({ data, unified, inclusive = false }: Levels, known: boolean) {
    const lineLength = 64;
    const caches = cacheHierarchy({
      instruction: setAssociativeCache({ byteLength: 1024, ways: 2, lineLength, replacement: 'lru', unit: CACHE_L1_INSTRUCTION }),
      data: setAssociativeCache({ ...data, lineLength, unit: CACHE_L1_DATA }),
      unified: unified === undefined ? null : setAssociativeCache({ ...unified, lineLength, unit: CACHE_L2 }),
      inclusive,
      walks: data.virtuallyIndexed ? 'l2' : 'l1d',
    });
    const hidden = known ? caches : new Proxy(caches, { getPrototypeOf: () => Object.prototype });
    this.memory = new GuestMemory(
      4096,
      [
        { name: 'ram', base: RAM, byteLength: PAGES * 4096, writable: true },
        { name: 'flash', base: 0, byteLength: 65536, writable: false },
      ],
      (tail) => coherencyBytes(caches, tail),
    );
    this.map = new CoherencyMap({ memory: this.memory, caches: hidden, everyAccess: true });
    this.map.connect({
      dropHostPage: (page) => this.log.push(`page ${page}`),
      dropData: () => this.log.push('data'),
      codeWritten: (page, granules) => this.log.push(`code ${page} ${granules}`),
      dropCode: () => this.log.push('code'),
    });
    this.map.controlChanged(SCTLR_C | SCTLR_I);
    const hit = data.replacement ?? 'random';
    if (hit !== 'plru' && (caches.data?.hits?.pairCount ?? 0) > 0)
      caches.data!.hits!.placePairs(new Uint16Array(caches.data!.hits!.pairCount));
    if (caches.data?.hits)
      caches.data.hits.listener = {
        lineDropped: (line) => this.log.push(`dropped ${line}`),
        lineCleaned: () => {},
      };
    for (let i = 0; i < PAGES * 1024; i++) this.memory.i32[(this.memory.regions[0]!.hostOffset >>> 2) + i] = i * 0x01010101;
  }

  access(va: number, host: number, write: boolean, attributes: number, value: number): number {
    const { map, memory } = this;
    map.enterData(Math.floor(host / 4096), map.classOf(attributes));
    const slot = map.noteData(va, host, write ? ACCESS_WRITE : ACCESS_READ, attributes);
    const held = map.caches.data!.hits?.lineAt(va, memory.physical(host)) ?? slot;
    if (slot >= 0 && slot !== held) throw new Error(`slot ${slot} is said to have what is in ${held}`);
    if (!write) return map.classOf(attributes) === 0 ? map.loadPast(host, 4) : memory.i32[host >>> 2]!;
    switch (map.classOf(attributes)) {
      case 0:
        map.storePast(host, 4, value);
        break;
      case 1:
        map.storeThrough(va, host, 4, value, attributes);
        break;
      default:
        if ((map.shadow[host >>> map.lineSizeLog2]! & LINE_DIRTY) === 0) map.makeDirty(va, host, attributes);
        memory.i32[host >>> 2] = value;
    }
    map.storeDone();
    return 0;
  }

  taken(): readonly string[] {
    return this.log.splice(0);
  }

  state(): string {
    const { map, memory } = this;
    const ram = memory.regions[0]!;
    const bytes = new Uint8Array(PAGES * 4096);
    map.readMemory(ram.hostOffset, bytes);
    const own = memory.u8.subarray(ram.hostOffset, ram.hostOffset + ram.byteLength);
    return [JSON.stringify([map.snapshot(), map.counts, map.caches.stats()], null, 1), own.join(), bytes.join()].join('\n');
  }
}

describe.each(Object.entries(kinds))('what is done over the arrays is what the models do: %s', (_name, levels) => {
  it('with maintenance, others that write memory, and evictions between', () => {
    const sides = [new Side(levels, true), new Side(levels, false)] as const;
    const { memory } = sides[0];
    const random = new Random(7);
    const ram = memory.regions[0]!.hostOffset;
    const flash = memory.regions[1]!.hostOffset;
    let write = 0;
    for (let i = 0; i < 6_000; i++) {
      if (i % 1000 === 0) expect(sides[0].state()).toBe(sides[1].state());
      const isFlash = random.below(40) === 0;
      // Few lines of each page, so that sets are full of them.
      const offset = (random.below(isFlash ? 8 : PAGES) << 12) | (random.below(8) << 8) | (random.below(64) & ~3);
      const host = (isFlash ? flash : ram) + offset;
      const va = (0x80000000 + (offset ^ (random.below(2) << 14))) >>> 0;
      const inner = random.below(12) === 0 ? random.below(4) : random.below(4) === 0 ? 3 : 1;
      const attributes = attributesOf(inner, random.below(12) === 0 ? random.below(4) : inner);
      const kind = random.below(64);
      write = isFlash ? 0 : random.below(2);
      const value = random.below(0x10000) * 0x10001;
      const act = (side: Side): unknown => {
        const { map } = side;
        switch (kind) {
          case 0:
            map.maintain(OPERATIONS[value % OPERATIONS.length]!, va, host);
            return;
          case 1:
            map.writeMemory(host, new Uint8Array([value & 0xff, 1]));
            return;
          case 2:
            return map.evictOne(value);
          case 3:
            return map.walk(host, attributes);
          case 4:
            map.enterCode(Math.floor(host / 4096), attributes, va);
            map.note(va, host, ACCESS_FETCH, attributes);
            return map.fetch(host);
          default:
            return side.access(va, host, write !== 0, attributes, value);
        }
      };
      const [a, b] = sides.map((side) => `${act(side)}: ${side.taken().join()}`);
      if (a !== b) throw new Error(`step ${i}, operation ${kind}: ${a} instead of ${b}`);
    }
  });
});

describe('plain levels', () => {
  it('are found in caches of arrays, and in no others', () => {
    const [known, hidden] = [new Side(kinds['no L2']!, true), new Side(kinds['no L2']!, false)];
    for (const [side, expected] of [
      [known, true],
      [hidden, false],
    ] as const) {
      const { map, memory } = side;
      const parts = { ram: memory.regions[0]!, sink: map, lines: {} as never, shadow: map.shadow, shift: map.lineSizeLog2 };
      expect(PlainLevels.of(map.caches, parts) !== undefined).toBe(expected);
      expect(PlainLevels.of(map.caches, { ...parts, shift: 5 })).toBeUndefined();
    }
  });
});
