/**
 * Where an allocator keeps everything that must persist: 32-bit words, by index from 0. A typed array on the host, or guest memory behind a
 * CPU that executes the loads and stores. `load` returns 0 to 0xFFFFFFFF; `store` keeps the low 32 bits. Either may throw (a guest abort),
 * and the exception passes through the allocator.
 */
export interface Words {
  load(index: number): number;
  store(index: number, value: number): void;
}

class HostWords implements Words {
  readonly array: Uint32Array;

  constructor(array: Uint32Array) {
    this.array = array;
  }

  load(index: number): number {
    return this.array[index] as number;
  }

  store(index: number, value: number): void {
    this.array[index] = value;
  }
}

/**
 * Words in host memory: `count` zeroed ones, or those of an existing array. Unchecked, like the array: allocators keep to their declared
 * words, and the conformance kit sees to that.
 */
export function hostWords(source: number | Uint32Array): Words & { readonly array: Uint32Array } {
  return new HostWords(typeof source === 'number' ? new Uint32Array(source) : source);
}

/** The words from `first` on, counted from 0. */
export function subWords(words: Words, first: number): Words {
  return {
    load: (index) => words.load(first + index),
    store: (index, value) => words.store(first + index, value),
  };
}

/** Words that count how often they are loaded and stored. */
export interface CountingWords extends Words {
  loads: number;
  stores: number;
}

class Counting implements CountingWords {
  readonly words: Words;
  loads = 0;
  stores = 0;

  constructor(words: Words) {
    this.words = words;
  }

  load(index: number): number {
    this.loads++;
    return this.words.load(index);
  }

  store(index: number, value: number): void {
    this.stores++;
    this.words.store(index, value);
  }
}

/** Other words, with their accesses counted. */
export function countingWords(words: Words): CountingWords {
  return new Counting(words);
}
