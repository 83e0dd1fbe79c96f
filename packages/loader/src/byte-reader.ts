import type { LoaderFormat } from './loader-error.js';
import { LoaderError } from './loader-error.js';

/** Bounds-checked access to bytes: reading outside them is a {@link LoaderError}, whatever offset a file asks for. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly #format: LoaderFormat;
  readonly #what: string;
  readonly #view: DataView;

  /** @param what name of the thing read, for messages: "file", ".debug_line" */
  constructor(format: LoaderFormat, what: string, bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.#format = format;
    this.#what = what;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(offset: number): number {
    this.#check(offset, 1);
    return this.bytes[offset];
  }

  u16(offset: number): number {
    this.#check(offset, 2);
    return this.#view.getUint16(offset, this.littleEndian);
  }

  u32(offset: number): number {
    this.#check(offset, 4);
    return this.#view.getUint32(offset, this.littleEndian);
  }

  /** A view of [offset, offset + byteLength), not a copy. */
  slice(offset: number, byteLength: number): Uint8Array {
    this.#check(offset, byteLength);
    return this.bytes.subarray(offset, offset + byteLength);
  }

  /** The NUL-terminated string at `offset`, one character a byte, at most `limit` characters. */
  text(offset: number, limit = 4096): string {
    this.#check(offset, 1);
    const end = Math.min(this.length, offset + limit);
    let text = '';
    for (let at = offset; at < end; at++) {
      const byte = this.bytes[at];
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
    throw new LoaderError(this.#format, `a string at ${offset} of ${this.#what} has no end within ${limit} bytes`);
  }

  #check(offset: number, byteLength: number): void {
    if (offset < 0 || byteLength < 0 || offset + byteLength > this.length) {
      throw new LoaderError(
        this.#format,
        `${this.#what} is truncated or damaged: ${byteLength} bytes at ${offset} are needed and it has ${this.length}`,
      );
    }
  }
}
