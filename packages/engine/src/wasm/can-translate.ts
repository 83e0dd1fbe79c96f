/** A function of the kinds of instruction that regions need besides the first version's: i32x4.splat, and a tail call of itself. */
const PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x41, 0x00, 0xfd, 0x11, 0xfd, 0x1b, 0x00, 0x1a, 0x12, 0x00, 0x0b],
);

let answer: boolean | undefined;

/** Whether the host compiles what regions are made of: an old one may not know it, a page's Content-Security-Policy may refuse it. */
export const canTranslate = (): boolean => {
  if (answer === undefined) {
    try {
      answer = new WebAssembly.Module(PROBE) !== undefined;
    } catch {
      answer = false;
    }
  }
  return answer;
};
