/**
 * Bytes from a seed: the same seed gives the same bytes for ever, because recorded runs depend on them. A Weyl sequence through a 32-bit mixing
 * function; good enough to differ between seeds, useless as a secret.
 *
 * @param seed any number; its low 32 bits count
 */
export function seededBytes(seed: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let state = seed >>> 0;
  for (let at = 0; at < byteLength; at += 4) {
    state = (state + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    word = (word ^ (word >>> 16)) >>> 0;
    for (let byte = 0; byte < 4 && at + byte < byteLength; byte++) bytes[at + byte] = (word >>> (8 * byte)) & 0xff;
  }
  return bytes;
}
