import type { Builder } from '../builder.js';
import { PC } from '../layout.js';
import * as op from '../ops.js';
import type { AddressChains } from './address-chains.js';
import type { Local } from './function-writer.js';
import type { RegionBlock } from './region.js';
import type { RegionPlan } from './region-plan.js';

/** Bytes from the first to the last of a group: the longer, the more often it crosses a page's border. */
const LONGEST_GROUP = 512;

/**
 * What addresses may be counted from: the page of the code; what is not known but has a number (higher ones); for constants their page (-1 and below). 0:
 * nothing is known.
 */
const NOTHING = 0;
const CODE_PAGE = 1;
const FIRST_UNKNOWN = 2;

/**
 * Accesses of one block at constant distances from each other. One look at the fast table serves all of them when they are in one page and aligned;
 * otherwise the region is left before the first.
 */
export class AccessGroup {
  readonly base: number;
  /** Of its first byte and one past its last, from what `base` stands for. */
  low: number;
  end: number;
  /** What is aligned, and to what. */
  aligned: number;
  alignment: number;
  count = 0;
  loads = false;
  stores = false;
  /** One of its loads is in a chain. */
  isChained = false;
  /** While it is written: where the host address of `low`, the entry in the fast table and the tag that it must have are. */
  host: Local = -1;
  entry: Local = -1;
  tag: Local = -1;
  mayLoad = false;
  mayStore = false;

  constructor(base: number, low: number, bytes: number, alignment: number) {
    this.base = base;
    this.low = low;
    this.end = low + bytes;
    this.aligned = low;
    this.alignment = alignment;
  }

  /** Whether it goes on with an access at `low`. */
  takes(low: number, bytes: number, alignment: number): boolean {
    if (Math.max(this.end, low + bytes) - Math.min(this.low, low) > LONGEST_GROUP) return false;
    // Of two alignments the smaller follows from the larger when the distance is a multiple of it.
    return (low - this.aligned) % Math.min(alignment, this.alignment) === 0;
  }

  add(low: number, bytes: number, alignment: number): void {
    this.low = Math.min(this.low, low);
    this.end = Math.max(this.end, low + bytes);
    if (alignment <= this.alignment) return;
    this.aligned = low;
    this.alignment = alignment;
  }

  /** From `low`, the last place that is aligned when one of them is: it is in the page of the last byte. */
  get lastAligned(): number {
    const last = this.end - 1;
    const beyond = (((last - this.aligned) % this.alignment) + this.alignment) % this.alignment;
    return last - beyond - this.low;
  }
}

/** One access in its group. */
export interface GroupMember {
  readonly group: AccessGroup;
  /** From where the addresses of the group are counted. */
  readonly offset: number;
}

/** Finds groups of accesses, block by block. Where registers point is followed through additions of constants. */
export class AccessGroups {
  private readonly members: (GroupMember | undefined)[] = [];
  private operations = 0;
  /** Registers and values: what they are counted from, and the distance. */
  private readonly registerBase = new Int32Array(PC);
  private readonly registerOffset = new Int32Array(PC);
  private valueBase = new Int32Array(1024);
  private valueOffset = new Int32Array(1024);
  /** Groups that may go on, each from another base: as many as `openCount` says. */
  private readonly open: AccessGroup[] = [];
  private openCount = 0;
  /** What the addresses of stepped accesses are counted from: these are not where one look serves all. */
  private readonly refused = new Set<number>();
  private next = FIRST_UNKNOWN;
  private block!: Builder;
  private code!: Int32Array;
  private alignmentChecked = false;
  private readonly chains: AddressChains;

  constructor(chains: AddressChains) {
    this.chains = chains;
  }

  /** The group of access `i`, unless it is alone. */
  memberAt(i: number): GroupMember | undefined {
    const member = this.members[i];
    return member === undefined || member.group.count < 2 || this.isRefused(member.group.base) ? undefined : member;
  }

  private isRefused(base: number): boolean {
    return this.refused.size > 0 && this.refused.has(base);
  }

  analyse(builder: Builder, blocks: readonly RegionBlock[], plan: RegionPlan, alignmentChecked: boolean): void {
    this.block = builder;
    this.code = builder.code;
    this.alignmentChecked = alignmentChecked;
    this.operations = builder.count;
    for (let i = 0; i < builder.count; i++) this.members[i] = undefined;
    if (this.refused.size > 0) this.refused.clear();
    this.next = FIRST_UNKNOWN;
    if (this.valueBase.length < builder.count) {
      this.valueBase = new Int32Array(2 * builder.count);
      this.valueOffset = new Int32Array(2 * builder.count);
    } else this.valueBase.fill(NOTHING, 0, builder.count);
    for (const block of blocks) {
      this.forget();
      for (let k = block.first; k < block.end; k++) {
        if (plan.interpreted[k]) this.forget();
        else this.instruction(plan.starts[k]!, plan.starts[k + 1]!, plan.stepped[k]!);
      }
    }
  }

  /** Nothing is known any longer. */
  private forget(): void {
    this.openCount = 0;
    for (let n = 0; n < PC; n++) this.setUnknown(n);
  }

  private setUnknown(register: number): void {
    this.registerBase[register] = this.next++;
    this.registerOffset[register] = 0;
  }

  private instruction(from: number, to: number, isStepped: boolean): void {
    let depth = 0;
    if (isStepped) this.openCount = 0;
    // Bits of the registers that were changed.
    let changed = 0;
    for (let i = from; i < to; i++) {
      const base = i * op.STRIDE;
      const kind = this.code[base]!;
      if (kind < op.ADD_FLAGS) this.follow(i, kind);
      else if (kind === op.SET_REG) changed |= this.set(this.code[base + 1]!, this.code[base + 2]!);
      else if (kind >= op.LOAD && kind <= op.STORE_MULTIPLE) {
        this.access(i, kind, depth > 0, isStepped);
        if (kind === op.LOAD_MULTIPLE) {
          for (let n = 0; n < this.code[base + 3]!; n++) changed |= this.set(this.block.lists[this.code[base + 2]! + n]!, -1);
        }
      } else if (kind === op.IF) depth++;
      else if (kind === op.END_IF) {
        depth--;
        for (let n = 0; n < PC; n++) if ((changed >>> n) & 1) this.setUnknown(n);
      } else if (kind === op.CALL) this.forget();
      else this.follow(i, kind);
    }
    if (isStepped) this.openCount = 0;
  }

  /** The register := value `v`, or something else (-1). Its bit, if it is one that is followed. */
  private set(register: number, v: number): number {
    if (register >= PC) return 0;
    if (v < 0 || this.valueBase[v] === NOTHING) this.setUnknown(register);
    else {
      this.registerBase[register] = this.valueBase[v]!;
      this.registerOffset[register] = this.valueOffset[v]!;
    }
    return 1 << register;
  }

  private place(i: number, base: number, offset: number): void {
    this.valueBase[i] = base;
    this.valueOffset[i] = offset;
  }

  /** Value `i`. */
  private follow(i: number, kind: number): void {
    const base = i * op.STRIDE;
    const a = this.code[base + 1]!;
    const b = this.code[base + 2]!;
    switch (kind) {
      case op.CONST:
        this.place(i, -1 - (a >>> 12), a & 0xfff);
        return;
      case op.PAGE_PC:
        this.place(i, CODE_PAGE, a);
        return;
      case op.GET_REG:
        if (a < PC) this.place(i, this.registerBase[a]!, this.registerOffset[a]!);
        return;
      case op.ADD:
      case op.ADD_FLAGS:
        if (!this.moved(i, a, b, 1)) this.moved(i, b, a, 1);
        return;
      case op.SUB:
      case op.SUB_FLAGS:
        this.moved(i, a, b, -1);
    }
  }

  private moved(i: number, from: number, by: number, sign: number): boolean {
    const distance = this.block.constantOf(by);
    if (this.valueBase[from] === NOTHING || distance === undefined) return false;
    this.place(i, this.valueBase[from]!, this.valueOffset[from]! + sign * distance);
    return true;
  }

  /** Instructions that look for their groups, at which the region is left when these are in two pages. */
  heads(): ReadonlySet<number> {
    const seen = new Set<AccessGroup>();
    const heads = new Set<number>();
    for (let i = 0; i < this.operations; i++) {
      const member = this.memberAt(i);
      if (member === undefined || seen.has(member.group)) continue;
      seen.add(member.group);
      heads.add(this.code[i * op.STRIDE + 5]!);
    }
    return heads;
  }

  private access(i: number, kind: number, isConditional: boolean, isStepped: boolean): void {
    const base = i * op.STRIDE;
    const isMultiple = kind === op.LOAD_MULTIPLE || kind === op.STORE_MULTIPLE;
    const isStore = kind === op.STORE || kind === op.STORE_MULTIPLE;
    const flags = this.code[base + (isMultiple ? 4 : 2)]!;
    const from = this.valueBase[this.code[base + 1]!]!;
    if (from === NOTHING || flags & op.MEM_UNPRIVILEGED) return;
    if (isStepped) {
      this.refused.add(from);
      return;
    }
    const size = flags & op.MEM_SIZE;
    const bytes = isMultiple ? size * this.code[base + 3]! : size;
    const alignment = flags & op.MEM_ELEMENTS && !this.alignmentChecked ? 1 : size;
    const low = this.valueOffset[this.code[base + 1]!]!;
    let at = 0;
    while (at < this.openCount && this.open[at]!.base !== from) at++;
    let group = at < this.openCount ? this.open[at] : undefined;
    if (isConditional) {
      // It may use a look and makes none: who tests a pointer first does not want it looked at before.
      if (group === undefined || !(isStore ? group.stores : group.loads) || !group.takes(low, bytes, alignment)) return;
    } else if (group === undefined || !group.takes(low, bytes, alignment)) {
      group = new AccessGroup(from, low, bytes, alignment);
      this.open[at] = group;
      if (at === this.openCount) this.openCount++;
    }
    group.add(low, bytes, alignment);
    group.count++;
    if (isStore) group.stores = true;
    else group.loads = true;
    if (this.chains.has(i)) group.isChained = true;
    this.members[i] = { group, offset: low };
  }
}
