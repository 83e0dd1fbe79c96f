import type { GuestMemory } from '@tablewalk/machine';

/** The line's bytes in the L1 data cache are newer than those below it. Equal to LINE_DIRTY, which the core tests. */
export const L1_DIRTY = 1;
/** The line's bytes in the L2 are newer than memory's. */
export const L2_DIRTY = 2;
/** The L1 holds the line, not dirty, while somebody has changed it below: loads see the old bytes. */
export const L1_STALE = 4;
/** The same of the L2. */
export const L2_STALE = 8;
/** No cache holds the line: it was invalidated by address and not touched since. */
export const ABSENT = 16;
/** Any of these: the views differ, and a slot holds the lower ones. */
export const DIFFERS = L1_DIRTY | L2_DIRTY | L1_STALE | L2_STALE;

/** Bytes of the memory's tail for the views of so many lines: shadow, slots by line, and `slotCount` slots of the one or two lower views. */
export const viewBytes = (tailOffset: number, lineLog2: number, twoLevels: boolean, slotCount: number): number =>
  (tailOffset >>> lineLog2) * 5 + (twoLevels ? 2 : 1) * slotCount * (1 << lineLog2);

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array<ArrayBuffer>): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/**
 * Three views of guest memory by data line: what the core's cacheable accesses see (RAM itself), the point of unification, and the point of coherency.
 * Where the three are equal nothing is kept but a zero byte in `shadow`. With no cache level between the points their views are one.
 */
export class LineViews {
  readonly shadow: Uint8Array;
  readonly lineLog2: number;
  /** Lines with a slot, by page. */
  readonly slotsOfPage: Uint16Array;
  private readonly ram: GuestMemory;
  private readonly words: number;
  /** Slot of a line, plus one. */
  readonly slotOf: Int32Array;
  private lineOfSlot: Int32Array;
  private free: number[] = [];
  private used = 0;
  /** No line has a flag: a machine that is made need not write each byte of its shadow. */
  private plain = true;
  /** The point of unification, and the point of coherency: the same array when no level is between. */
  private pou: Int32Array<ArrayBuffer>;
  private poc: Int32Array<ArrayBuffer>;
  private pouBytes: Uint8Array;
  private pocBytes: Uint8Array;
  readonly twoLevels: boolean;
  /** Offset in the memory of the point of unification's slots, or -1 when they have left. */
  lower: number;
  private readonly moved: () => void;

  /** What {@link viewBytes} counts is in the memory's tail. The slots are until there are more than `slotCount`; `moved` is told when they leave. */
  constructor(ram: GuestMemory, lineLog2: number, twoLevels: boolean, slotCount: number, moved: () => void) {
    this.ram = ram;
    this.lineLog2 = lineLog2;
    this.twoLevels = twoLevels;
    this.moved = moved;
    this.words = 1 << (lineLog2 - 2);
    const { buffer, tailOffset } = ram;
    const lines = tailOffset >>> lineLog2;
    this.shadow = new Uint8Array(buffer, tailOffset, lines);
    this.slotOf = new Int32Array(buffer, tailOffset + lines, lines);
    this.lineOfSlot = new Int32Array(slotCount).fill(-1);
    this.slotsOfPage = new Uint16Array(tailOffset >>> 12);
    const slots = tailOffset + 5 * lines;
    const length = slotCount * this.words;
    this.lower = slots;
    this.pou = new Int32Array(buffer, slots, length);
    this.poc = twoLevels ? new Int32Array(buffer, slots + 4 * length, length) : this.pou;
    this.pouBytes = bytesOf(this.pou);
    this.pocBytes = bytesOf(this.poc);
  }

  /** Lines whose views differ, in no particular order. */
  *lines(): Generator<number> {
    for (let slot = 0; slot < this.used; slot++) if (this.lineOfSlot[slot]! >= 0) yield this.lineOfSlot[slot]!;
  }

  has(line: number): boolean {
    return this.slotOf[line] !== 0;
  }

  /** Flags of a line whose views are not made by that. */
  mark(line: number, flags: number): void {
    this.plain = false;
    this.shadow[line]! |= flags;
  }

  /** The lower views of a line, made from RAM when they were equal. True when this is the first of its page. */
  separate(line: number): boolean {
    if (this.slotOf[line] !== 0) return false;
    this.plain = false;
    const slot = this.free.pop() ?? this.newSlot();
    this.slotOf[line] = slot + 1;
    this.lineOfSlot[slot] = line;
    const { words } = this;
    const { i32 } = this.ram;
    const from = line * words;
    const to = slot * words;
    for (let i = 0; i < words; i++) this.pou[to + i] = i32[from + i]!;
    if (this.twoLevels) for (let i = 0; i < words; i++) this.poc[to + i] = i32[from + i]!;
    return this.slotsOfPage[line >>> (12 - this.lineLog2)]!++ === 0;
  }

  private newSlot(): number {
    if (this.used === this.lineOfSlot.length) this.grow();
    return this.used++;
  }

  private grow(): void {
    const count = this.used * 2;
    const wider = (from: Int32Array, length: number): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(length);
      to.set(from);
      return to;
    };
    this.lineOfSlot = wider(this.lineOfSlot, count).fill(-1, this.used);
    const pou = wider(this.pou, count * this.words);
    this.poc = this.twoLevels ? wider(this.poc, count * this.words) : pou;
    this.pou = pou;
    this.pouBytes = bytesOf(this.pou);
    this.pocBytes = bytesOf(this.poc);
    this.lower = -1;
    this.moved();
  }

  /** Gives the slot back when nothing differs any more. */
  settle(line: number): void {
    const slot = this.slotOf[line]! - 1;
    if (slot < 0 || (this.shadow[line]! & DIFFERS) !== 0) return;
    this.slotOf[line] = 0;
    this.lineOfSlot[slot] = -1;
    this.free.push(slot);
    this.slotsOfPage[line >>> (12 - this.lineLog2)]!--;
  }

  /** The point of unification becomes what the core sees. */
  copyDown(line: number): void {
    this.copy(this.ram.i32, line, this.pou, this.slotOf[line]! - 1);
  }
  /** Memory becomes the point of unification. */
  copyToMemory(line: number): void {
    const slot = this.slotOf[line]! - 1;
    if (this.twoLevels) this.copy(this.pou, slot, this.poc, slot);
  }
  /** What the core sees becomes the point of unification. */
  copyUp(line: number): void {
    this.copy(this.pou, this.slotOf[line]! - 1, this.ram.i32, line);
  }
  /** The point of unification becomes memory. */
  copyFromMemory(line: number): void {
    const slot = this.slotOf[line]! - 1;
    if (this.twoLevels) this.copy(this.poc, slot, this.pou, slot);
  }
  private copy(source: Int32Array, from: number, target: Int32Array, to: number): void {
    const { words } = this;
    const start = from * words;
    const distance = to * words - start;
    for (let i = start; i < start + words; i++) target[i + distance] = source[i]!;
  }

  pouByte(host: number): number {
    const slot = this.slotOf[host >>> this.lineLog2]! - 1;
    return slot < 0 ? this.ram.u8[host]! : this.pouBytes[(slot << this.lineLog2) + (host & ((1 << this.lineLog2) - 1))]!;
  }
  pocByte(host: number): number {
    const slot = this.slotOf[host >>> this.lineLog2]! - 1;
    return slot < 0 ? this.ram.u8[host]! : this.pocBytes[(slot << this.lineLog2) + (host & ((1 << this.lineLog2) - 1))]!;
  }
  /** Of a line with a slot. */
  setPouByte(host: number, value: number): void {
    this.pouBytes[((this.slotOf[host >>> this.lineLog2]! - 1) << this.lineLog2) + (host & ((1 << this.lineLog2) - 1))] = value;
  }
  setPocByte(host: number, value: number): void {
    this.pocBytes[((this.slotOf[host >>> this.lineLog2]! - 1) << this.lineLog2) + (host & ((1 << this.lineLog2) - 1))] = value;
  }

  clear(): void {
    if (this.plain) return;
    for (const line of [...this.lines()]) {
      this.shadow[line] = 0;
      this.settle(line);
    }
    this.free = [];
    this.used = 0;
    this.lineOfSlot.fill(-1);
    this.shadow.fill(0);
    this.plain = true;
  }

  /** Lines that are not plain, ascending, with their flags and the lower views of those that have them. */
  save(): SavedLines {
    const lines: number[] = [];
    for (let line = 0; line < this.shadow.length; line++) if (this.shadow[line] !== 0) lines.push(line);
    const separate = lines.filter((line) => this.has(line));
    const pou = new Int32Array(separate.length * this.words);
    const poc = new Int32Array(this.twoLevels ? pou.length : 0);
    separate.forEach((line, i) => {
      const at = (this.slotOf[line]! - 1) * this.words;
      pou.set(this.pou.subarray(at, at + this.words), i * this.words);
      if (this.twoLevels) poc.set(this.poc.subarray(at, at + this.words), i * this.words);
    });
    return { lines: Uint32Array.from(lines), flags: Uint8Array.from(lines, (line) => this.shadow[line]!), pou, poc };
  }

  /** Of what {@link save} made, into views that are clear. */
  load({ lines, flags, pou, poc }: SavedLines): void {
    let i = 0;
    lines.forEach((line, n) => {
      this.mark(line, flags[n]!);
      if ((flags[n]! & DIFFERS) === 0) return;
      this.separate(line);
      const at = (this.slotOf[line]! - 1) * this.words;
      this.pou.set(pou.subarray(i * this.words, (i + 1) * this.words), at);
      if (this.twoLevels) this.poc.set(poc.subarray(i * this.words, (i + 1) * this.words), at);
      i++;
    });
  }
}

export interface SavedLines {
  readonly lines: Uint32Array;
  readonly flags: Uint8Array;
  readonly pou: Int32Array;
  readonly poc: Int32Array;
}
