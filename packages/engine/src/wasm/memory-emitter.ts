import { FAST_ADDEND, FAST_READ_TAG, FAST_TABLE_PL0, FAST_TABLE_PL1, FAST_WRITE_TAG } from '../layout.js';
import * as op from '../ops.js';
import type { AccessGroup, GroupMember } from './access-groups.js';
import type { ChainAddend } from './chain-addend.js';
import { emitStoreHash } from './emit-store-hash.js';
import { emitReverseBytes, emitReverseHalf } from './emit-values.js';
import type { FunctionWriter, Local } from './function-writer.js';
import type { HitEmitter } from './hit-emitter.js';
import * as wasm from './opcodes.js';
import type { PlainAccess } from './plain-access.js';
import type { RegionVariant, ShadowPlace } from './region.js';
import type { SimdRegisters } from './simd-registers.js';
import { isSimdWord } from './state-vectors.js';

/** Bit of a shadow byte: the line is dirty. */
const DIRTY = 1;

/** What memory accesses need of the emitter around them. */
export interface MemoryContext {
  readonly push: (v: number) => void;
  readonly pushWord: (word: number) => void;
  readonly setWord: (word: number, value: () => void) => void;
  /** Leaves at this instruction when the i32 on the stack is not 0. */
  readonly leaveWhen: () => void;
  /** The group of access `i`. */
  readonly memberAt: (i: number) => GroupMember | undefined;
  readonly isStoreMultiple: (i: number) => boolean;
  /** Access `i` waits for what it loaded a round before. */
  readonly isChained: (i: number) => boolean;
  /** What is written now may not be executed although the instruction is. */
  readonly isConditional: () => boolean;
  /** The instruction was found to be left often. */
  readonly isLeftOften: () => boolean;
  /** The instruction, when it is stepped and one access of one register. */
  readonly plain: () => PlainAccess | undefined;
  /** Pushes what the instruction loads at the VA in a local that is not in the fast table, or stores there. */
  readonly beside: (va: Local, plain: PlainAccess, isPrivileged: boolean) => void;
  readonly registers: SimdRegisters;
}

/** How many words of a list from `i` on are a Q or a D register in one piece: 4, 2 or 1. */
const wordsTogether = (list: readonly number[], i: number): number => {
  const first = list[i]!;
  if (!isSimdWord(first) || (first & 1) !== 0 || list[i + 1] !== first + 1) return 1;
  return (first & 3) === 0 && list[i + 2] === first + 2 && list[i + 3] === first + 3 ? 4 : 2;
};

/**
 * Loads and stores: one look at the fast table (layout.ts), whose tag holds the page and demands natural alignment, then the access itself. What is
 * not found there leaves the function. With a shadow, so does a store to a line that is not dirty yet.
 */
export class MemoryEmitter {
  private privileged = true;
  private alignmentChecked = false;
  private readonly w: FunctionWriter;
  private readonly context: MemoryContext;
  private readonly hashesStores: boolean;
  private readonly shadow: ShadowPlace | undefined;
  private readonly hits: HitEmitter | undefined;
  private readonly chain: ChainAddend;
  /** Locals of the groups of the block. */
  private readonly kept: Local[] = [];

  constructor(
    w: FunctionWriter,
    context: MemoryContext,
    { hashesStores = false, shadow }: RegionVariant,
    hits: HitEmitter | undefined,
    chain: ChainAddend,
  ) {
    this.w = w;
    this.context = context;
    this.hashesStores = hashesStores;
    this.shadow = shadow;
    this.hits = hits;
    this.chain = chain;
  }

  /**
   * Pushes the host address of `bytes` bytes at the address `v`, of which elements of `size` bytes are aligned; leaves when it is not there. The entry is
   * that of the first byte's page, so its tag agrees with the last element's only when both are in that page.
   */
  hostAddress(v: number, flags: number, size: number, bytes: number, isStore: boolean, isChained = false): void {
    const { w } = this;
    const va = w.borrow();
    const entry = w.borrow();
    const alignment = this.demandsAlignment(flags) ? size : 1;
    this.isMissing(v, va, entry, flags, alignment, bytes, isStore);
    this.context.leaveWhen();
    this.found(va, entry, flags, alignment, bytes, isStore, isChained);
    w.release(entry);
    w.release(va);
  }

  /** Pushes whether the address `v`, which it puts into `va`, is not in the fast table: not 0 then. */
  private isMissing(v: number, va: Local, entry: Local, flags: number, alignment: number, bytes: number, isStore: boolean): void {
    const { w } = this;
    this.context.push(v);
    w.set(va);
    this.lookUp(va, entry, this.tableOf(flags), isStore);
    w.get(va);
    if (bytes > alignment) {
      w.i32(bytes - alignment);
      w.op(wasm.I32_ADD);
    }
    w.and(~0xfff | (alignment - 1));
    w.op(wasm.I32_NE);
  }

  /** Pushes the host address of what is in the fast table. */
  private found(va: Local, entry: Local, flags: number, alignment: number, bytes: number, isStore: boolean, isChained: boolean): void {
    this.addAddend(va, entry, this.tableOf(flags), isChained);
    if (isStore && this.shadow !== undefined) this.leaveUnlessDirty(this.shadow, va, bytes, alignment);
  }

  private isPrivileged(flags: number): boolean {
    return this.privileged && (flags & op.MEM_UNPRIVILEGED) === 0;
  }

  private tableOf(flags: number): number {
    return this.isPrivileged(flags) ? FAST_TABLE_PL1 : FAST_TABLE_PL0;
  }

  /** What the instruction is, when its access is brought to the host where the fast table does not have it. */
  private outside(flags: number, isStore: boolean): PlainAccess | undefined {
    if ((flags & op.MEM_SWAP) !== 0 || (isStore && this.hashesStores)) return undefined;
    return this.context.plain();
  }

  /** An access that the host does where the fast table does not have it: `inside` is for the host address on the stack. */
  private besideOr(plain: PlainAccess, v: number, flags: number, inside: () => void): void {
    const { w } = this;
    const size = flags & op.MEM_SIZE;
    const alignment = this.demandsAlignment(flags) ? size : 1;
    const va = w.borrow();
    const entry = w.borrow();
    this.isMissing(v, va, entry, flags, alignment, size, plain.isStore);
    w.if(plain.isStore ? wasm.TYPE_NONE : wasm.TYPE_I32);
    this.context.beside(va, plain, this.isPrivileged(flags));
    if (flags & op.MEM_SIGNED) w.op(size === 1 ? wasm.I32_EXTEND8_S : wasm.I32_EXTEND16_S);
    w.else();
    this.found(va, entry, flags, alignment, size, plain.isStore, false);
    inside();
    w.end();
    w.release(entry);
    w.release(va);
  }

  /**
   * Whether what is not aligned is not looked for in the fast table. It costs nothing to demand that, and an operation more not to: only where it is common to
   * be left is every access that needs no alignment looked up byte by byte.
   */
  private demandsAlignment(flags: number): boolean {
    if (this.alignmentChecked) return true;
    return (flags & op.MEM_ELEMENTS) === 0 && ((flags & op.MEM_ALIGNED) !== 0 || !this.context.isLeftOften());
  }

  /** `entry` := offset of the entry for `va`; pushes its tag. */
  private lookUp(va: Local, entry: Local, table: number, isStore: boolean): void {
    const { w } = this;
    w.get(va);
    w.shiftRight(8);
    w.and(0xfff0);
    w.tee(entry);
    this.tag(table, isStore);
  }

  private tag(table: number, isStore: boolean): void {
    this.w.access(wasm.I32_LOAD, 2, this.w.stateOffset + table + 4 * (isStore ? FAST_WRITE_TAG : FAST_READ_TAG));
  }

  /** Pushes the VA plus the entry's addend. */
  private addAddend(va: Local, entry: Local, table: number, isChained: boolean): void {
    const { w } = this;
    const addend = (): void => {
      w.get(entry);
      w.access(wasm.I32_LOAD, 2, w.stateOffset + table + 4 * FAST_ADDEND);
    };
    this.chain.add(va, addend, isChained);
  }

  begin(privileged: boolean, alignmentChecked: boolean): void {
    this.privileged = privileged;
    this.alignmentChecked = alignmentChecked;
    if (this.kept.length > 0) this.kept.length = 0;
  }

  /** The next block: nothing has been looked up in it. */
  beginBlock(): void {
    for (const local of this.kept) this.w.release(local);
    if (this.kept.length > 0) this.kept.length = 0;
  }

  private keep(): Local {
    const local = this.w.borrow();
    this.kept.push(local);
    return local;
  }

  /** Like {@link hostAddress} for an access that may be one of a group. Returns what the access itself has to add to the address. */
  private place(i: number, v: number, flags: number, size: number, bytes: number, isStore: boolean): number {
    const { w } = this;
    if (this.hits !== undefined) {
      const va = w.borrow();
      this.counted(this.hits, va, i, v, flags, size, bytes, isStore, this.context.leaveWhen);
      w.release(va);
      return 0;
    }
    const member = this.context.memberAt(i);
    if (member === undefined || (this.context.isConditional() && !(isStore ? member.group.mayStore : member.group.mayLoad))) {
      this.hostAddress(v, flags, size, bytes, isStore, this.context.isChained(i));
      return 0;
    }
    const { group } = member;
    const offset = member.offset - group.low;
    if (!(isStore ? group.mayStore : group.mayLoad)) this.lookUpGroup(group, v, offset, isStore);
    w.get(group.host);
    if (!isStore || this.shadow === undefined) return offset;
    const host = w.borrow();
    w.i32(offset);
    w.op(wasm.I32_ADD);
    this.leaveUnlessDirty(this.shadow, host, bytes, this.demandsAlignment(flags) ? size : 1);
    w.release(host);
    return 0;
  }

  /** Pushes the host address of what hits at the address `v`, which it puts into `va`; `leaveWhen` is for what does not. */
  private counted(
    hits: HitEmitter,
    va: Local,
    i: number,
    v: number,
    flags: number,
    size: number,
    bytes: number,
    isStore: boolean,
    leaveWhen: () => void,
  ): void {
    const { w } = this;
    this.context.push(v);
    w.set(va);
    const isAligned = bytes > size || this.demandsAlignment(flags);
    hits.access(
      va,
      {
        table: this.tableOf(flags),
        isStore,
        size,
        isAligned,
        bytes,
        isMultiple: this.context.isStoreMultiple(i),
        isCertain: !this.context.isConditional(),
        isChained: this.context.isChained(i),
      },
      (host) => {
        if (!isStore || this.shadow === undefined) return;
        w.get(host);
        this.leaveUnlessDirty(this.shadow, host, bytes, isAligned ? size : 1, leaveWhen);
        w.op(wasm.DROP);
      },
      leaveWhen,
    );
  }

  /** {@link besideOr} where accesses are counted. */
  private countedOr(hits: HitEmitter, plain: PlainAccess, i: number, v: number, flags: number, inside: () => void): void {
    const { w } = this;
    const size = flags & op.MEM_SIZE;
    const va = w.borrow();
    const value = w.borrow();
    const done = w.block();
    const missing = w.block();
    const { counts } = hits;
    const before = counts.counted;
    this.counted(hits, va, i, v, flags, size, size, plain.isStore, () => w.brIf(missing));
    inside();
    if (!plain.isStore) w.set(value);
    w.br(done);
    w.end();
    counts.as(before, () => this.context.beside(va, plain, this.isPrivileged(flags)));
    counts.takeBack(counts.since(before));
    if (!plain.isStore) {
      if (flags & op.MEM_SIGNED) w.op(size === 1 ? wasm.I32_EXTEND8_S : wasm.I32_EXTEND16_S);
      w.set(value);
    }
    w.end();
    if (!plain.isStore) w.get(value);
    w.release(value);
    w.release(va);
  }

  /** The first load or the first store of a group, at address `v`, which is `offset` from where the group begins. */
  private lookUpGroup(group: AccessGroup, v: number, offset: number, isStore: boolean): void {
    const { w } = this;
    const table = this.privileged ? FAST_TABLE_PL1 : FAST_TABLE_PL0;
    if (group.mayLoad || group.mayStore) {
      w.get(group.entry);
      this.tag(table, isStore);
      w.get(group.tag);
      w.op(wasm.I32_NE);
      this.context.leaveWhen();
    } else {
      group.host = this.keep();
      group.entry = this.keep();
      group.tag = this.keep();
      const va = w.borrow();
      this.context.push(v);
      w.i32(-offset);
      w.op(wasm.I32_ADD);
      w.set(va);
      this.lookUp(va, group.entry, table, isStore);
      w.get(va);
      w.i32(group.lastAligned);
      w.op(wasm.I32_ADD);
      w.and(~0xfff | (group.alignment - 1));
      w.tee(group.tag);
      w.op(wasm.I32_NE);
      this.context.leaveWhen();
      this.addAddend(va, group.entry, table, group.isChained);
      w.set(group.host);
      w.release(va);
    }
    if (isStore) group.mayStore = true;
    else group.mayLoad = true;
  }

  /** Looks at the lines of `bytes` bytes at the host address on the stack, and leaves that there. No line is smaller than an alignment. */
  private leaveUnlessDirty(
    { offset, log2 }: ShadowPlace,
    host: Local,
    bytes: number,
    alignment: number,
    leaveWhen = this.context.leaveWhen,
  ): void {
    const { w } = this;
    const flags = (at: number): void => {
      w.get(host);
      if (at > 0) {
        w.i32(at);
        w.op(wasm.I32_ADD);
      }
      w.shiftRight(log2);
      w.access(wasm.I32_LOAD8_U, 0, offset);
    };
    w.set(host);
    flags(0);
    if (bytes > alignment) {
      for (let at = 1 << log2; at < bytes - 1; at += 1 << log2) {
        flags(at);
        w.op(wasm.I32_AND);
      }
      flags(bytes - 1);
      w.op(wasm.I32_AND);
    }
    w.and(DIRTY);
    w.op(wasm.I32_EQZ);
    leaveWhen();
    w.get(host);
  }

  /** LOAD `i`: pushes the value. */
  load(i: number, v: number, flags: number): void {
    const size = flags & op.MEM_SIZE;
    const plain = this.outside(flags, false);
    const inside = (): void => this.loadAt(0, flags);
    if (plain !== undefined) {
      if (this.hits === undefined) this.besideOr(plain, v, flags, inside);
      else this.countedOr(this.hits, plain, i, v, flags, inside);
    } else this.loadAt(this.place(i, v, flags, size, size, false), flags);
  }

  /** Replaces the host address on the stack by what is `at` bytes from there. */
  private loadAt(at: number, flags: number): void {
    const { w } = this;
    const size = flags & op.MEM_SIZE;
    const isSigned = (flags & op.MEM_SIGNED) !== 0;
    if (size === 4) {
      w.access(wasm.I32_LOAD, 2, at);
      if (flags & op.MEM_SWAP) emitReverseBytes(w);
    } else if (size === 1) w.access(isSigned ? wasm.I32_LOAD8_S : wasm.I32_LOAD8_U, 0, at);
    else if ((flags & op.MEM_SWAP) === 0) w.access(isSigned ? wasm.I32_LOAD16_S : wasm.I32_LOAD16_U, 1, at);
    else {
      w.access(wasm.I32_LOAD16_U, 1, at);
      emitReverseHalf(w);
      if (isSigned) w.op(wasm.I32_EXTEND16_S);
    }
  }

  /** STORE `i` of value `source`. */
  store(i: number, v: number, flags: number, source: number): void {
    const size = flags & op.MEM_SIZE;
    const plain = this.outside(flags, true);
    const inside = (): void => this.storeAt(0, flags, source);
    if (plain !== undefined) {
      if (this.hits === undefined) this.besideOr(plain, v, flags, inside);
      else this.countedOr(this.hits, plain, i, v, flags, inside);
    } else this.storeAt(this.place(i, v, flags, size, size, true), flags, source);
  }

  /** Stores `source` `at` bytes from the host address on the stack. */
  private storeAt(at: number, flags: number, source: number): void {
    const { w } = this;
    const size = flags & op.MEM_SIZE;
    const host = this.hashesStores ? w.borrow() : undefined;
    if (host !== undefined) w.tee(host);
    this.context.push(source);
    if (size === 4) {
      if (flags & op.MEM_SWAP) emitReverseBytes(w);
      w.access(wasm.I32_STORE, 2, at);
    } else if (size === 2) {
      if (flags & op.MEM_SWAP) emitReverseHalf(w);
      w.access(wasm.I32_STORE16, 1, at);
    } else w.access(wasm.I32_STORE8, 0, at);
    if (host === undefined) return;
    emitStoreHash(w, host, at, size);
    w.release(host);
  }

  /** LOAD_MULTIPLE `i` into state words. */
  loadMultiple(i: number, v: number, list: readonly number[], flags: number): void {
    const { w } = this;
    const { registers } = this.context;
    const isSwapped = (flags & op.MEM_SWAP) !== 0;
    const host = w.borrow();
    const at = this.place(i, v, flags, 4, 4 * list.length, false);
    w.set(host);
    for (let n = 0; n < list.length; n++) {
      const together = isSwapped ? 1 : wordsTogether(list, n);
      const word = list[n]!;
      if (together > 1) {
        const form = registers.formIn(word, together);
        registers.copy(form, word, () => {
          w.get(host);
          form.load(w, at + 4 * n);
        });
        n += form.words - 1;
        continue;
      }
      this.context.setWord(word, () => {
        w.get(host);
        w.access(wasm.I32_LOAD, 2, at + 4 * n);
        if (isSwapped) emitReverseBytes(w);
      });
      if (isSimdWord(word)) registers.wrote(word, 1);
    }
    w.release(host);
  }

  /** STORE_MULTIPLE `i` of state words (>= 0) and values (`~v`). */
  storeMultiple(i: number, v: number, list: readonly number[], flags: number): void {
    const { w } = this;
    const { registers } = this.context;
    const isSwapped = (flags & op.MEM_SWAP) !== 0;
    const host = w.borrow();
    const at = this.place(i, v, flags, 4, 4 * list.length, true);
    w.set(host);
    for (let n = 0; n < list.length; n++) {
      const item = list[n]!;
      w.get(host);
      const together = isSwapped ? 1 : wordsTogether(list, n);
      if (together > 1) {
        const form = registers.formIn(item, together);
        registers.push(form, item);
        form.store(w, at + 4 * n);
        n += form.words - 1;
        continue;
      }
      if (item < 0) this.context.push(~item);
      else this.context.pushWord(item);
      if (isSwapped) emitReverseBytes(w);
      w.access(wasm.I32_STORE, 2, at + 4 * n);
    }
    if (this.hashesStores) for (let n = 0; n < list.length; n++) emitStoreHash(w, host, at + 4 * n, 4);
    w.release(host);
  }
}
