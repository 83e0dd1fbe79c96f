/** A 32-bit little-endian ARM ELF executable with one segment, linked at one address and loaded at another. */
export const elfImage = (bytes: Uint8Array, linkAddress: number, loadAddress: number): Uint8Array => {
  const HEADER = 52;
  const PROGRAM_HEADER = 32;
  // A page between file offset and contents keeps p_offset congruent to the addresses.
  const OFFSET = 4096;
  const file = new Uint8Array(OFFSET + bytes.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const half = (at: number, value: number): void => view.setUint16(at, value, true);
  const word = (at: number, value: number): void => view.setUint32(at, value, true);
  half(16, 2); // ET_EXEC
  half(18, 40); // EM_ARM
  word(20, 1);
  word(24, linkAddress);
  word(28, HEADER);
  word(36, 0x05000200); // EABI version 5, soft float
  half(40, HEADER);
  half(42, PROGRAM_HEADER);
  half(44, 1);
  half(46, 40);
  const at = HEADER;
  word(at, 1); // PT_LOAD
  word(at + 4, OFFSET);
  word(at + 8, linkAddress);
  word(at + 12, loadAddress);
  word(at + 16, bytes.length);
  word(at + 20, bytes.length);
  word(at + 24, 7);
  word(at + 28, 4096);
  file.set(bytes, OFFSET);
  return file;
};
