/*
 * A rolling hash of a core's stores in their order: where, value, size. Interpreter and regions keep it in the state word STORE_HASH when they are asked to,
 * so that two runs which stored anything else anywhere differ from then on.
 */
export const HASH_ROTATION = 5;
export const HASH_WHERE = 0x9e3779b1 | 0;
export const HASH_VALUE = 0x85ebca6b | 0;

/** The hash after a store of `size` bytes. `where` is the offset in guest memory or the address of a device; of `value` the low `size` bytes count. */
export const hashStore = (hash: number, where: number, size: number, value: number): number => {
  const stored = size === 4 ? value : size === 2 ? value & 0xffff : value & 0xff;
  const mixed = Math.imul(((hash << HASH_ROTATION) | (hash >>> (32 - HASH_ROTATION))) ^ where, HASH_WHERE);
  return (Math.imul(mixed ^ stored, HASH_VALUE) + size) | 0;
};
