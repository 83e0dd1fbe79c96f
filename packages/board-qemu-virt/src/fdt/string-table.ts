/**
 * The strings block (Devicetree Specification v0.4, 5.5): property names, NUL-terminated, in the order in which they were first needed. A name
 * that is the tail of one already there (`method` of `enable-method`) shares its bytes.
 */
export class StringTable {
  #text: string;
  /** Offsets already looked up: a search of the block happens once a name. */
  readonly #known: Map<string, number>;

  /**
   * @param text contents of an existing strings block, one character a byte
   * @param known offsets of names in it that the caller has found
   */
  constructor(text = '', known: ReadonlyMap<string, number> = new Map()) {
    this.#text = text === '' || text.endsWith('\0') ? text : `${text}\0`;
    this.#known = new Map(known);
  }

  /** Offset of `name`, appended when it is not there. */
  offsetOf(name: string): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const wanted = `${name}\0`;
    let offset = this.#text.indexOf(wanted);
    if (offset < 0) {
      offset = this.#text.length;
      this.#text += wanted;
    }
    this.#known.set(name, offset);
    return offset;
  }

  /** The block's bytes. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#text.length);
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.#text.charCodeAt(index);
    return bytes;
  }
}
