import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Subject } from './replay.js';
import { PAGES } from './subjects.js';

// Allocators from npm, each told of pages in its own terms. They live outside of the workspace (bench/alloc-peers): 200 MB that nobody else
// needs.
const from = createRequire(`${process.cwd()}/bench/alloc-peers/package.json`);
const fileOf = (specifier: string): string => from.resolve(specifier);
const load = (specifier: string): unknown => from(specifier);

/** An allocator of bytes is given 64 of them for a page, and keeps what it keeps beside a block in them. */
const mallocPeer = (overhead: number, alloc: (bytes: number) => number, free: (at: number) => void): Subject => ({
  allocate: (pages) => alloc(64 * pages - overhead),
  free,
});

interface Block {
  readonly offset: number;
}

export const peers: Readonly<Record<string, () => Promise<Subject>>> = {
  'playcanvas 2.23.3 BlockAllocator': async () => {
    const file = fileOf('playcanvas/build/playcanvas/src/core/block-allocator.js');
    const { BlockAllocator } = (await import(pathToFileURL(file).href)) as {
      BlockAllocator: new (capacity: number) => { allocate(size: number): Block | null; free(block: Block): void };
    };
    const allocator = new BlockAllocator(PAGES);
    // A block is an object; its place in a table is the handle, which costs what holding it in an array would.
    const blocks: (Block | null)[] = new Array(PAGES).fill(null);
    return {
      allocate(pages) {
        const block = allocator.allocate(pages);
        if (block === null) return -1;
        blocks[block.offset] = block;
        return block.offset;
      },
      free: (offset) => allocator.free(blocks[offset]!),
    };
  },

  'assemblyscript 0.28.20 TLSF': async () => {
    const asc = (await import(pathToFileURL('bench/alloc-peers/node_modules/assemblyscript/dist/asc.js').href)).default as {
      compileString(source: string, options: object): Promise<{ error: Error | null; binary: Uint8Array<ArrayBuffer> }>;
    };
    const source =
      'export function alloc(n: usize): usize { return heap.alloc(n); } export function free(p: usize): void { heap.free(p); }';
    // 16 bytes a page, of which 4 are the block's header: 64 KiB for its tables on top.
    const memory = (PAGES * 16) / 65536 + 1;
    const { error, binary } = await asc.compileString(source, {
      optimizeLevel: 3,
      runtime: 'minimal',
      noAssert: true,
      initialMemory: memory,
      maximumMemory: memory,
    });
    if (error) throw error;
    const { instance } = await WebAssembly.instantiate(binary, { env: { abort: () => undefined } });
    const { alloc, free } = instance.exports as { alloc(bytes: number): number; free(at: number): void };
    return {
      allocate(pages) {
        try {
          return alloc(16 * pages - 4);
        } catch {
          // Memory cannot grow: it traps.
          return -1;
        }
      },
      free,
    };
  },

  'malloc 1.1.0': async () => {
    const Allocator = load('malloc') as new (heap: ArrayBuffer) => { alloc(bytes: number): number; free(at: number): number };
    const allocator = new Allocator(new ArrayBuffer(PAGES * 64 + 1024));
    return mallocPeer(
      8,
      (bytes) => allocator.alloc(bytes) || -1,
      (at) => void allocator.free(at),
    );
  },

  'alloc 0.1.1 (buddy)': async () => {
    const { BuddyAllocator } = load('alloc') as {
      BuddyAllocator: new (heap: Buffer) => { alloc(bytes: number): Buffer | null; free(block: Buffer): void };
    };
    const allocator = new BuddyAllocator(Buffer.from(new ArrayBuffer(PAGES)));
    const blocks: (Buffer | null)[] = new Array(PAGES).fill(null);
    return {
      allocate(pages) {
        const block = allocator.alloc(pages);
        if (block === null) return -1;
        blocks[block.byteOffset] = block;
        return block.byteOffset;
      },
      free: (offset) => allocator.free(blocks[offset]!),
    };
  },
};

/** Peers for which a power of two is as much as what is asked for. */
export const rounding: ReadonlySet<string> = new Set(['alloc 0.1.1 (buddy)']);

/** Peers that give bytes can give objects of 64 bytes too, and nothing else then. */
export const objectPeers: Readonly<Record<string, () => Promise<Subject>>> = {
  'assemblyscript 0.28.20 TLSF, 64 B': peers['assemblyscript 0.28.20 TLSF']!,
  'malloc 1.1.0, 64 B': peers['malloc 1.1.0']!,
  'playcanvas 2.23.3 BlockAllocator, 1 unit': peers['playcanvas 2.23.3 BlockAllocator']!,
};
