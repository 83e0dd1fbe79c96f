import { joinFlags, NZ_LOCAL, NZ_OF_OPERANDS, OF_ADD, OF_SUB } from './flag-state.js';
import type { Region } from './region.js';
import type { EdgeVisitor, RegionPlan } from './region-plan.js';

/** A strongly connected component: one block that is not its own successor, or a loop. */
export interface Component {
  readonly isLoop: boolean;
  /** The block that a loop begins with; its only block when it is no loop. */
  readonly header: number;
  readonly blocks: readonly number[];
  /** What a loop consists of when the ways back to its header are taken away, in an order in which all ways lead forwards. */
  readonly body: readonly Component[];
}

interface Edge {
  readonly to: number;
  readonly afterCall: boolean;
}

/** A way to another block of the region, for flags as they are where its block is entered. */
interface Way extends Edge {
  readonly flags: number;
}

/** The ways from a block for one mask of flags on its entry, and those that are known for other masks. */
interface Ways {
  readonly before: number;
  readonly ways: readonly Way[];
  readonly others: Ways | undefined;
}

/** Of a block whose flags on entry are what comes to it. */
const FREE = -1;

const LEAF: readonly Component[] = [];

/** Components of what has no loops: its blocks. */
const leaf = (block: number): Component => ({ isLoop: false, header: block, blocks: [block], body: LEAF });

/** Blocks of a region and the ways between them: loops, where flags are on entry, what may be dirty, how far it is to the next look at the budget. */
export class RegionGraph {
  /** Index of the block at each halfword of the page, or -1. */
  private readonly at = new Int16Array(2048).fill(-1);
  private readonly edges: (readonly Edge[])[] = [];
  /** What {@link ways} has found, by block. */
  private readonly known: (Ways | undefined)[] = [];
  /** The ways that are being found. */
  private found: Way[] = [];
  private readonly visitor: EdgeVisitor = (target, flags, afterCall) => {
    const to = this.blockAt(target);
    if (to >= 0) this.found.push({ to, flags, afterCall });
  };
  private order: number[] = [];
  /** Some way leads back. */
  private hasLoops = false;
  /** For each block, while components are looked for: its number in the order in which they were found, the least it reaches, whether it is on the stack. */
  private index = new Int32Array(0);
  private low = new Int32Array(0);
  private onStack = new Uint8Array(0);
  /** For each block: the last mark it was given, and the marks given so far. */
  private marks = new Int32Array(0);
  private marked = 0;
  private region!: Region;
  private plan!: RegionPlan;
  /** For each block: where the flags are on entry. */
  flagsIn: number[] = [];
  /** For each block: bits of the registers that may differ from their state words on entry. */
  dirtyIn: number[] = [];
  /** For each block: most instructions until the budget is looked at again. */
  longest: number[] = [];
  /** Blocks that are entered from outside the region, the head first. */
  entries: number[] = [];
  /** Blocks of loops that are reached from outside the loop although they are not its header. */
  readonly sideEntries = new Set<number>();
  /** Blocks of the loop that begins with a header. */
  readonly headers = new Map<number, readonly number[]>();
  components: readonly Component[] = [];

  analyse(region: Region, plan: RegionPlan): void {
    for (const { offset } of this.region?.blocks ?? []) this.at[offset >> 1] = -1;
    this.region = region;
    this.plan = plan;
    const { blocks } = region;
    for (let i = 0; i < blocks.length; i++) this.at[blocks[i]!.offset >> 1] = i;
    if (this.index.length < blocks.length) {
      const room = 2 * blocks.length;
      this.index = new Int32Array(room);
      this.low = new Int32Array(room);
      this.onStack = new Uint8Array(room);
      this.marks = new Int32Array(room);
    }
    if (this.headers.size > 0) this.headers.clear();
    if (this.sideEntries.size > 0) this.sideEntries.clear();
    for (let i = 0; i < blocks.length; i++) {
      this.known[i] = undefined;
      this.edges[i] = this.ways(i, 0);
    }
    this.sortBlocks();
    if (this.hasLoops) {
      this.components = this.decompose(this.order, this.mark(this.order), -1);
      this.findSideEntries(this.components);
    } else this.components = this.order.map(leaf);
    this.chooseEntries();
    this.followFlags();
    this.followRegisters();
    this.measure();
  }

  /** Marks blocks, and tells how. */
  private mark(blocks: readonly number[]): number {
    const mark = ++this.marked;
    for (const block of blocks) this.marks[block] = mark;
    return mark;
  }

  /** The ways from a block to others of the region, and where the flags are on them when they are `before` on its entry. */
  private ways(index: number, before: number): readonly Way[] {
    for (let known = this.known[index]; known !== undefined; known = known.others) if (known.before === before) return known.ways;
    const ways: Way[] = [];
    this.found = ways;
    this.plan.edges(this.region.blocks[index]!, before, this.visitor);
    this.known[index] = { before, ways, others: this.known[index] };
    return ways;
  }

  /** The block at an offset, or -1 when it is not in the region. */
  blockAt(offset: number): number {
    return offset >= 0 && offset < 4096 ? this.at[offset >> 1]! : -1;
  }

  /** For each block: every way to it comes from the line of code that it begins in, of 2^log2 bytes. */
  cameByLine(log2: number): readonly boolean[] {
    const { blocks } = this.region;
    const came = blocks.map(() => true);
    for (const entry of this.entries) came[entry] = false;
    blocks.forEach(({ next }, i) => {
      for (const { to, afterCall } of this.edges[i]!)
        if (afterCall || (next - 1) >>> log2 !== blocks[to]!.offset >>> log2) came[to] = false;
    });
    return came;
  }

  /** Reverse postorder. Blocks that nothing leads to are left out. */
  private sortBlocks(): void {
    const { index, onStack } = this;
    const post: number[] = [];
    // Blocks on the way to the one being looked at, and which of its ways is next.
    const path: number[] = [0];
    const next: number[] = [0];
    index.fill(-1, 0, this.region.blocks.length);
    onStack.fill(0, 0, this.region.blocks.length);
    index[0] = 0;
    onStack[0] = 1;
    this.hasLoops = false;
    while (path.length > 0) {
      const top = path.length - 1;
      const block = path[top]!;
      const edge = this.edges[block]![next[top]!++];
      if (edge === undefined) {
        post.push(block);
        onStack[block] = 0;
        path.pop();
        next.pop();
      } else if (index[edge.to]! < 0) {
        index[edge.to] = 0;
        onStack[edge.to] = 1;
        path.push(edge.to);
        next.push(0);
      } else if (onStack[edge.to] === 1) this.hasLoops = true;
    }
    this.order = post.reverse();
  }

  /** Components of `nodes`, which are marked, in an order in which all ways lead forwards; ways to `header` do not count. */
  private decompose(nodes: readonly number[], mark: number, header: number): readonly Component[] {
    const { index, low } = this;
    for (const node of nodes) index[node] = -1;
    const stack: number[] = [];
    const bounds: number[] = [];
    const members: number[] = [];
    let count = 0;
    const open = (node: number): void => {
      index[node] = count;
      low[node] = count++;
      stack.push(node);
      this.onStack[node] = 1;
    };
    const visit = (root: number): void => {
      const path = [root];
      const next = [0];
      open(root);
      while (path.length > 0) {
        const top = path.length - 1;
        const node = path[top]!;
        const edge = this.edges[node]![next[top]!++];
        if (edge === undefined) {
          path.pop();
          next.pop();
          if (top > 0) low[path[top - 1]!] = Math.min(low[path[top - 1]!]!, low[node]!);
          if (low[node] !== index[node]) continue;
          bounds.push(members.length);
          for (let last = -1; last !== node; ) {
            last = stack.pop()!;
            this.onStack[last] = 0;
            members.push(last);
          }
          continue;
        }
        const { to } = edge;
        if (to === header || this.marks[to] !== mark) continue;
        if (index[to]! < 0) {
          open(to);
          path.push(to);
          next.push(0);
        } else if (this.onStack[to] === 1) low[node] = Math.min(low[node]!, index[to]!);
      }
    };
    if (header >= 0) visit(header);
    for (const node of nodes) if (index[node]! < 0) visit(node);
    // Loops are taken apart only now, since that goes on with the same lists and marks.
    return bounds.map((bound, i) => this.component(members.slice(bound, bounds[i + 1]), header)).reverse();
  }

  /** `blocks` are in the order in which they came from the stack: the one that they were reached by is the last. */
  private component(blocks: readonly number[], outer: number): Component {
    const root = blocks[blocks.length - 1]!;
    const isLoop = blocks.length > 1 || (root !== outer && this.edges[root]!.some((edge) => edge.to === root));
    if (!isLoop) return leaf(root);
    const mark = this.mark(blocks);
    const header = this.order.find((node) => this.marks[node] === mark)!;
    this.headers.set(header, blocks);
    return { isLoop, header, blocks, body: this.decompose(blocks, mark, header) };
  }

  private findSideEntries(components: readonly Component[]): void {
    for (const component of components) {
      if (!component.isLoop) continue;
      const mark = this.mark(component.blocks);
      for (const from of this.order) {
        if (this.marks[from] === mark) continue;
        for (const { to } of this.edges[from]!) if (this.marks[to] === mark && to !== component.header) this.sideEntries.add(to);
      }
      this.findSideEntries(component.body);
    }
  }

  /** The head, where calls come back to, and loops: after the region was left, one of them is never far. */
  private chooseEntries(): void {
    const { order } = this;
    const chosen = this.mark([0]);
    const entries = [0];
    const choose = (block: number): void => {
      if (this.marks[block] === chosen) return;
      this.marks[block] = chosen;
      entries.push(block);
    };
    for (let n = 0; n < order.length; n++) {
      const edges = this.edges[order[n]!]!;
      for (let e = 0; e < edges.length; e++) if (edges[e]!.afterCall) choose(edges[e]!.to);
    }
    if (this.hasLoops) for (const header of this.headers.keys()) choose(header);
    this.entries = entries;
  }

  /**
   * Entries have the flags in the state words. So have loops, unless every way round leaves them as the operands of a sum or a difference: then what
   * enters the loop brings them into that form once, and no round writes them.
   */
  private followFlags(): void {
    const fixed = new Array<number>(this.region.blocks.length).fill(FREE);
    for (const entry of this.entries) fixed[entry] = 0;
    for (const header of this.headers.keys()) fixed[header] = 0;
    for (const block of this.sideEntries) fixed[block] = 0;
    this.flagsIn = this.flagsFrom(fixed);
    let isKept = false;
    for (const header of this.headers.keys()) {
      const mask = this.flagsOfRounds(header);
      if (mask === (NZ_LOCAL | OF_SUB) || mask === (NZ_LOCAL | OF_ADD)) {
        fixed[header] = mask;
        isKept = true;
      }
    }
    while (isKept) {
      this.flagsIn = this.flagsFrom(fixed);
      const wrong = [...this.headers.keys()].filter((header) => fixed[header] !== 0 && this.flagsOfRounds(header) !== fixed[header]);
      if (wrong.length === 0) return;
      for (const header of wrong) fixed[header] = 0;
    }
  }

  /** Where the flags are when a loop comes round, if it is the same on every way; else 0. */
  private flagsOfRounds(header: number): number {
    let found = FREE;
    for (const from of this.headers.get(header)!) {
      for (const { to, flags } of this.ways(from, this.flagsIn[from]!)) {
        if (to !== header) continue;
        const mask = flags & ~NZ_OF_OPERANDS;
        if (found !== FREE && found !== mask) return 0;
        found = mask;
      }
    }
    return Math.max(found, 0);
  }

  private flagsFrom(fixed: readonly number[]): number[] {
    const known = fixed.slice();
    const { order } = this;
    for (let changed = true; changed; ) {
      changed = false;
      for (let n = 0; n < order.length; n++) {
        const flagsIn = known[order[n]!]!;
        if (flagsIn === FREE) continue;
        const ways = this.ways(order[n]!, flagsIn);
        for (let e = 0; e < ways.length; e++) {
          const { to, flags } = ways[e]!;
          if (fixed[to] !== FREE) continue;
          const before = known[to]!;
          const after = before === FREE ? flags : joinFlags(before, flags);
          if (after === before) continue;
          known[to] = after;
          changed = true;
        }
      }
    }
    for (let i = 0; i < known.length; i++) if (known[i] === FREE) known[i] = 0;
    return known;
  }

  private followRegisters(): void {
    const { blocks } = this.region;
    const { order } = this;
    const written = blocks.map((block) => this.plan.written(block));
    const dirtyIn = new Array<number>(blocks.length).fill(0);
    for (let changed = true; changed; ) {
      changed = false;
      for (let n = 0; n < order.length; n++) {
        const out = dirtyIn[order[n]!]! | written[order[n]!]!;
        const edges = this.edges[order[n]!]!;
        for (let e = 0; e < edges.length; e++) {
          const { to, afterCall } = edges[e]!;
          if (afterCall || (dirtyIn[to]! | out) === dirtyIn[to]) continue;
          dirtyIn[to]! |= out;
          changed = true;
        }
      }
    }
    this.dirtyIn = dirtyIn;
  }

  private measure(): void {
    const { blocks } = this.region;
    const { order } = this;
    const longest = blocks.map((block) => block.end - block.first);
    // Without the ways to loop headers and those after calls there are no cycles, but the order may be a poor one: repeat until nothing changes.
    for (let changed = true; changed; ) {
      changed = false;
      for (let n = order.length - 1; n >= 0; n--) {
        const i = order[n]!;
        const own = blocks[i]!.end - blocks[i]!.first;
        const edges = this.edges[i]!;
        for (let e = 0; e < edges.length; e++) {
          const { to, afterCall } = edges[e]!;
          if (afterCall || own + longest[to]! <= longest[i]! || this.headers.has(to)) continue;
          longest[i] = own + longest[to]!;
          changed = true;
        }
      }
    }
    this.longest = longest;
  }
}
