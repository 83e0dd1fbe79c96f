import type { ByteReader } from './byte-reader.js';
import { LoaderError } from './loader-error.js';

/** A position in a DWARF section that never leaves [start, end). */
export class DwarfCursor {
  at: number;
  readonly end: number;
  readonly #reader: ByteReader;

  constructor(reader: ByteReader, at: number, end: number) {
    this.#reader = reader;
    this.at = at;
    this.end = end;
  }

  u8(): number {
    return this.#reader.u8(this.#take(1));
  }

  u16(): number {
    return this.#reader.u16(this.#take(2));
  }

  u32(): number {
    return this.#reader.u32(this.#take(4));
  }

  skip(byteLength: number): void {
    this.#take(byteLength);
  }

  /** A NUL-terminated string. */
  text(): string {
    const text = this.#reader.text(this.at);
    this.#take(text.length + 1);
    return text;
  }

  /** Unsigned LEB128 (DWARF 5, 7.6), its low 32 bits: nothing larger has a meaning for a 32-bit machine. */
  uleb(): number {
    let result = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      if (shift < 32) result |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return result >>> 0;
    }
  }

  /** Signed LEB128, to 32 bits. */
  sleb(): number {
    let result = 0;
    for (let shift = 0; ; ) {
      const byte = this.u8();
      if (shift < 32) result |= (byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) !== 0) continue;
      return shift < 32 && (byte & 0x40) !== 0 ? result | (-1 << shift) : result;
    }
  }

  #take(byteLength: number): number {
    const at = this.at;
    if (byteLength > this.end - at) throw new LoaderError('dwarf', `a unit of .debug_line ends in the middle of something (at ${at})`);
    this.at = at + byteLength;
    return at;
  }
}
