import { ALLOCATOR_CONTRACT, type AllocatorPlugin, AllocError, DESCRIPTOR_WORDS } from '@tablewalk/alloc';
import { Buddy } from './buddy.js';
import { headerViolations, metadataWords, writeHeader } from './header.js';
import { AT_ORDERS, DESCRIPTORS, HIGHEST_ORDER, NAME } from './layout.js';

export interface BuddyOptions {
  /** The largest block is `1 << maxOrder` pages; 0 to 10, the default. */
  readonly maxOrder?: number;
}

/**
 * A binary buddy allocator over page descriptors of 16 bytes a page: orders 0 to `maxOrder`, natural alignment, immediate merging. A request that
 * is no power of two takes the next one, and is given back by the length that was asked for. Reservations may be of any length, lie
 * anywhere and be resized.
 *
 * @throws AllocError of kind `options` for a `maxOrder` that is not an integer from 0 to 10.
 */
export const buddy = (options: BuddyOptions = {}): AllocatorPlugin => {
  const { maxOrder = HIGHEST_ORDER } = options;
  if (!Number.isInteger(maxOrder) || maxOrder < 0 || maxOrder > HIGHEST_ORDER) {
    throw new AllocError('options', NAME, `maxOrder ${maxOrder} is not 0 to ${HIGHEST_ORDER}`);
  }
  return {
    contract: ALLOCATOR_CONTRACT,
    name: NAME,
    capabilities: {
      complete: true,
      partialFree: false,
      reserve: true,
      resize: true,
      alignment: 'natural',
      maxPages: 1 << maxOrder,
    },
    metadataWords,
    create(words, geometry, hooks) {
      metadataWords(geometry);
      writeHeader(words, geometry, maxOrder);
      const end = DESCRIPTORS + DESCRIPTOR_WORDS * geometry.pageCount;
      for (let word = DESCRIPTORS; word < end; word++) words.store(word, 0);
      const allocator = new Buddy(words, geometry, maxOrder, hooks);
      words.store(AT_ORDERS, allocator.insertRange(geometry.firstPage, geometry.firstPage + geometry.pageCount));
      return allocator;
    },
    attach(words, geometry, hooks) {
      metadataWords(geometry);
      const [wrong] = headerViolations(words, geometry, maxOrder);
      if (wrong) throw new AllocError('attach', NAME, wrong.message);
      return new Buddy(words, geometry, maxOrder, hooks);
    },
  };
};
