/** 32-bit numbers from a seed, the same for ever: a Weyl sequence through a mixing function. Good enough to differ between seeds, useless as a secret. */
export function seededWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  };
}

/**
 * Bytes from a seed: recorded runs depend on them.
 *
 * @param seed any number; its low 32 bits count
 */
export function seededBytes(seed: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  const next = seededWords(seed);
  for (let at = 0; at < byteLength; at += 4) {
    const word = next();
    for (let byte = 0; byte < 4 && at + byte < byteLength; byte++) bytes[at + byte] = (word >>> (8 * byte)) & 0xff;
  }
  return bytes;
}
