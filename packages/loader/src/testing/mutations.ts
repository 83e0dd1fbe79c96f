/** Numbers in [0, 2^32), the same for the same seed. */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
}

/**
 * Damaged copies of a good input, for fuzzing a parser: truncations, flipped bits, words set to telling values, and noise behind an intact start.
 *
 * @param seed the same seed gives the same inputs
 * @param original a well-formed input
 * @param count how many
 */
export function* mutations(seed: number, original: Uint8Array, count: number): Generator<Uint8Array> {
  const random = randomWords(seed);
  const words = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];
  for (let index = 0; index < count; index++) {
    let bytes = original.slice();
    switch (index % 4) {
      case 0:
        bytes = bytes.slice(0, random() % (bytes.length + 1));
        break;
      case 1:
        for (let flips = 1 + (random() % 8); flips > 0; flips--) bytes[random() % bytes.length] ^= 1 << (random() % 8);
        break;
      case 2:
        for (let edits = 1 + (random() % 3); edits > 0 && bytes.length >= 4; edits--) {
          const at = random() % (bytes.length - 3);
          const word = words[random() % words.length];
          const shifts = random() % 2 === 0 ? [0, 8, 16, 24] : [24, 16, 8, 0];
          shifts.forEach((shift, byte) => {
            bytes[at + byte] = word >>> shift;
          });
        }
        break;
      default:
        for (let at = random() % Math.min(bytes.length, 64); at < bytes.length; at++) bytes[at] = random();
    }
    yield bytes;
  }
}
