/** Of the first table: entries, and slots for twice as many. */
const LEAST = 64;

const EMPTY = -1;

/**
 * Pages of code by tag, a 32-bit number: the page's VA and the decode mode in its low bits. A Map would do, but hosts give it a new table each time that it is
 * cleared, and larger ones while it is filled again; Linux has that happen 50,000 times in a boot.
 */
export class CodePages<Page> {
  /** How many there are; {@link tags} and {@link pages} hold them, in no order. */
  size = 0;
  tags = new Int32Array(LEAST);
  readonly pages: (Page | undefined)[] = [];
  /** By hash and then linearly: where a tag is in the lists, or EMPTY. */
  private slots = new Int16Array(2 * LEAST).fill(EMPTY);

  private home(tag: number): number {
    return ((tag >>> 12) ^ ((tag & 0xfff) << 3)) & (this.slots.length - 1);
  }

  /** The slot that has the tag, or the empty one where it belongs. */
  private slotOf(tag: number): number {
    const { slots, tags } = this;
    const mask = slots.length - 1;
    let slot = this.home(tag);
    for (let at = slots[slot]!; at !== EMPTY && tags[at] !== tag; at = slots[slot]!) slot = (slot + 1) & mask;
    return slot;
  }

  get(tag: number): Page | undefined {
    const at = this.slots[this.slotOf(tag)]!;
    return at === EMPTY ? undefined : this.pages[at];
  }

  set(tag: number, page: Page): void {
    const slot = this.slotOf(tag);
    const known = this.slots[slot]!;
    if (known !== EMPTY) {
      this.pages[known] = page;
      return;
    }
    const at = this.size++;
    this.pages[at] = page;
    if (at === this.tags.length) this.grow();
    this.tags[at] = tag;
    this.slots[this.slotOf(tag)] = at;
  }

  private grow(): void {
    const { tags } = this;
    this.tags = new Int32Array(2 * tags.length);
    this.tags.set(tags);
    this.slots = new Int16Array(4 * tags.length).fill(EMPTY);
    for (let i = 0; i < tags.length; i++) this.slots[this.slotOf(tags[i]!)] = i;
  }

  /** False when there was none. The last of the lists takes its place there: who goes through them and deletes goes backwards. */
  delete(tag: number): boolean {
    const { slots, tags, pages } = this;
    const mask = slots.length - 1;
    let hole = this.slotOf(tag);
    const at = slots[hole]!;
    if (at === EMPTY) return false;
    const last = --this.size;
    slots[this.slotOf(tags[last]!)] = at;
    tags[at] = tags[last]!;
    pages[at] = pages[last];
    pages[last] = undefined;
    // Whatever was put behind the slot because that was taken is found no longer: it moves there.
    slots[hole] = EMPTY;
    for (let slot = (hole + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const home = this.home(tags[slots[slot]!]!);
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      slots[slot] = EMPTY;
      hole = slot;
    }
    return true;
  }

  clear(): void {
    if (this.size === 0) return;
    this.slots.fill(EMPTY);
    this.pages.fill(undefined, 0, this.size);
    this.size = 0;
  }
}
