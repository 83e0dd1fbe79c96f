import { joinFlags, NZ_LOCAL, NZ_OF_OPERANDS, OF_ADD, OF_SUB } from './flag-state.js';
import type { Region } from './region.js';
import type { RegionPlan } from './region-plan.js';

/** A strongly connected component: one block that is not its own successor, or a loop. */
export interface Component {
  readonly isLoop: boolean;
  /** The block that a loop begins with; its only block when it is no loop. */
  readonly header: number;
  readonly blocks: ReadonlySet<number>;
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

/** More than any mask of flags. */
const MASKS = 64;

/** Blocks of a region and the ways between them: loops, where flags are on entry, what may be dirty, how far it is to the next look at the budget. */
export class RegionGraph {
  /** Index of the block at an offset from the page. */
  private readonly at = new Map<number, number>();
  private edges: (readonly Edge[])[] = [];
  /** What {@link ways} has found, by block and mask. */
  private readonly known = new Map<number, readonly Way[]>();
  private order: number[] = [];
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
  readonly headers = new Map<number, ReadonlySet<number>>();
  components: readonly Component[] = [];

  analyse(region: Region, plan: RegionPlan): void {
    this.region = region;
    this.plan = plan;
    const { blocks } = region;
    this.at.clear();
    blocks.forEach((block, i) => this.at.set(block.offset, i));
    this.known.clear();
    this.headers.clear();
    this.sideEntries.clear();
    this.edges = blocks.map((_, i) => this.ways(i, 0));
    this.sortBlocks();
    const all = new Set(this.order);
    this.components = this.decompose([...all], all, -1);
    this.findSideEntries(this.components);
    this.chooseEntries();
    this.followFlags();
    this.followRegisters();
    this.measure();
  }

  /** The ways from a block to others of the region, and where the flags are on them when they are `before` on its entry. */
  private ways(index: number, before: number): readonly Way[] {
    const key = index * MASKS + before;
    let ways = this.known.get(key);
    if (ways === undefined) {
      const found: Way[] = [];
      this.plan.edges(this.region.blocks[index]!, before, (target, flags, afterCall) => {
        const to = this.at.get(target);
        if (to !== undefined) found.push({ to, flags, afterCall });
      });
      ways = found;
      this.known.set(key, ways);
    }
    return ways;
  }

  /** The block at an offset, or -1 when it is not in the region. */
  blockAt(offset: number): number {
    return this.at.get(offset) ?? -1;
  }

  /** Reverse postorder. Blocks that nothing leads to are left out. */
  private sortBlocks(): void {
    const seen = new Set<number>();
    const post: number[] = [];
    const stack: { block: number; next: number }[] = [{ block: 0, next: 0 }];
    seen.add(0);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const edge = this.edges[top.block]![top.next++];
      if (edge === undefined) {
        post.push(top.block);
        stack.pop();
      } else if (!seen.has(edge.to)) {
        seen.add(edge.to);
        stack.push({ block: edge.to, next: 0 });
      }
    }
    this.order = post.reverse();
  }

  /** Components of `nodes`, in an order in which all ways lead forwards; ways to `header` do not count. */
  private decompose(nodes: readonly number[], inside: ReadonlySet<number>, header: number): readonly Component[] {
    const index = new Map<number, number>();
    const low = new Map<number, number>();
    const onStack = new Set<number>();
    const stack: number[] = [];
    const found: Component[] = [];
    const visit = (root: number): void => {
      const work: { node: number; next: number }[] = [];
      const open = (node: number): void => {
        index.set(node, index.size);
        low.set(node, index.get(node)!);
        stack.push(node);
        onStack.add(node);
        work.push({ node, next: 0 });
      };
      open(root);
      while (work.length > 0) {
        const top = work[work.length - 1]!;
        const edge = this.edges[top.node]![top.next++];
        if (edge === undefined) {
          work.pop();
          const parent = work[work.length - 1];
          if (parent) low.set(parent.node, Math.min(low.get(parent.node)!, low.get(top.node)!));
          if (low.get(top.node) === index.get(top.node)) found.push(this.component(top.node, stack, onStack, header));
          continue;
        }
        const { to } = edge;
        if (to === header || !inside.has(to)) continue;
        if (!index.has(to)) open(to);
        else if (onStack.has(to)) low.set(top.node, Math.min(low.get(top.node)!, index.get(to)!));
      }
    };
    if (header >= 0) visit(header);
    for (const node of nodes) if (!index.has(node)) visit(node);
    return found.reverse();
  }

  private component(root: number, stack: number[], onStack: Set<number>, outer: number): Component {
    const blocks: number[] = [];
    for (;;) {
      const node = stack.pop()!;
      onStack.delete(node);
      blocks.push(node);
      if (node === root) break;
    }
    const set = new Set(blocks);
    const isLoop = blocks.length > 1 || (root !== outer && this.edges[root]!.some((edge) => edge.to === root));
    if (!isLoop) return { isLoop, header: root, blocks: set, body: [] };
    const header = this.order.find((node) => set.has(node))!;
    this.headers.set(header, set);
    return { isLoop, header, blocks: set, body: this.decompose(blocks, set, header) };
  }

  private findSideEntries(components: readonly Component[]): void {
    for (const component of components) {
      if (!component.isLoop) continue;
      for (const from of this.order) {
        if (component.blocks.has(from)) continue;
        for (const { to } of this.edges[from]!) if (component.blocks.has(to) && to !== component.header) this.sideEntries.add(to);
      }
      this.findSideEntries(component.body);
    }
  }

  /** The head, where calls come back to, and loops: after the region was left, one of them is never far. */
  private chooseEntries(): void {
    const chosen = new Set([0]);
    for (const from of this.order) for (const { to, afterCall } of this.edges[from]!) if (afterCall) chosen.add(to);
    for (const header of this.headers.keys()) chosen.add(header);
    this.entries = [...chosen];
  }

  /**
   * Entries have the flags in the state words. So have loops, unless every way round leaves them as the operands of a sum or a difference: then what
   * enters the loop brings them into that form once, and no round writes them.
   */
  private followFlags(): void {
    const fixed = new Map<number, number>();
    for (const block of [...this.entries, ...this.headers.keys(), ...this.sideEntries]) fixed.set(block, 0);
    this.flagsIn = this.flagsFrom(fixed);
    for (const header of this.headers.keys()) {
      const mask = this.flagsOfRounds(header);
      if (mask === (NZ_LOCAL | OF_SUB) || mask === (NZ_LOCAL | OF_ADD)) fixed.set(header, mask);
    }
    for (;;) {
      this.flagsIn = this.flagsFrom(fixed);
      const wrong = [...this.headers.keys()].filter(
        (header) => fixed.get(header) !== 0 && this.flagsOfRounds(header) !== fixed.get(header),
      );
      if (wrong.length === 0) return;
      for (const header of wrong) fixed.set(header, 0);
    }
  }

  /** Where the flags are when a loop comes round, if it is the same on every way; else 0. */
  private flagsOfRounds(header: number): number {
    const found = new Set<number>();
    for (const from of this.headers.get(header)!) {
      for (const { to, flags } of this.ways(from, this.flagsIn[from]!)) if (to === header) found.add(flags & ~NZ_OF_OPERANDS);
    }
    return found.size === 1 ? [...found][0]! : 0;
  }

  private flagsFrom(fixed: ReadonlyMap<number, number>): number[] {
    const { blocks } = this.region;
    const known: (number | undefined)[] = blocks.map((_, i) => fixed.get(i));
    for (let changed = true; changed; ) {
      changed = false;
      for (const i of this.order) {
        if (known[i] === undefined) continue;
        for (const { to, flags } of this.ways(i, known[i]!)) {
          if (fixed.has(to)) continue;
          const before = known[to];
          const after = before === undefined ? flags : joinFlags(before, flags);
          if (after === before) continue;
          known[to] = after;
          changed = true;
        }
      }
    }
    return known.map((mask) => mask ?? 0);
  }

  private followRegisters(): void {
    const { blocks } = this.region;
    const written = blocks.map((block) => this.plan.written(block));
    this.dirtyIn = blocks.map(() => 0);
    for (let changed = true; changed; ) {
      changed = false;
      for (const i of this.order) {
        const out = this.dirtyIn[i]! | written[i]!;
        for (const { to, afterCall } of this.edges[i]!) {
          if (afterCall || (this.dirtyIn[to]! | out) === this.dirtyIn[to]) continue;
          this.dirtyIn[to]! |= out;
          changed = true;
        }
      }
    }
  }

  private measure(): void {
    const { blocks } = this.region;
    this.longest = blocks.map((block) => block.end - block.first);
    // Without the ways to loop headers and those after calls there are no cycles, but the order may be a poor one: repeat until nothing changes.
    for (let changed = true; changed; ) {
      changed = false;
      for (let n = this.order.length - 1; n >= 0; n--) {
        const i = this.order[n]!;
        const own = blocks[i]!.end - blocks[i]!.first;
        for (const { to, afterCall } of this.edges[i]!) {
          if (afterCall || this.headers.has(to)) continue;
          if (own + this.longest[to]! <= this.longest[i]!) continue;
          this.longest[i] = own + this.longest[to]!;
          changed = true;
        }
      }
    }
  }
}
