import type { VirtAddr } from '@tablewalk/machine';
import type { CacheEvictionSink, CacheHierarchy } from '../contracts/cache.js';
import type { HostAddresses } from './host-addresses.js';
import { SetWaySweep } from './set-way-sweep.js';

/** A cache operation that waits for a DSB. */
export interface PendingOperation {
  readonly operation: string;
  readonly va: VirtAddr;
  /** Host offset; the operand of a set/way operation. */
  readonly at: number;
  readonly kind: 'address' | 'set-way' | 'all';
}

const CLEANS: ReadonlySet<string> = new Set(['DCCMVAU', 'DCCMVAC', 'DCCSW']);

/** The contents that operations work on. A `line` is a number of a data line in guest memory. */
export interface MaintainedLines {
  /** Written back from the L1, from the L2; given up at every level. */
  l1Written(line: number): void;
  l2Written(line: number): void;
  invalidate(line: number): void;
  /** Set/way operations went through all of a level. */
  emptied(level: number, clean: boolean): void;
  forgetCode(va: VirtAddr, host: number): void;
  forgetAllCode(): void;
  /** Does something to the model whose effects on lines are done already. */
  quietly(run: () => void): void;
}

export interface SavedMaintenance {
  readonly swept: readonly Uint8Array[];
  readonly pending: readonly PendingOperation[];
}

/** Cache maintenance (ARM DDI 0406C, B4.2.1) on contents and model. With `late` an operation takes effect at the next DSB and not before. */
export class CacheMaintenance {
  private readonly caches: CacheHierarchy;
  private readonly lineSizeLog2: number;
  private readonly addresses: HostAddresses;
  private readonly lines: MaintainedLines;
  private readonly sink: CacheEvictionSink;
  private readonly late: boolean;
  private readonly sweeps: readonly [SetWaySweep, SetWaySweep];
  private pending: PendingOperation[] = [];

  constructor(
    caches: CacheHierarchy,
    lineSizeLog2: number,
    addresses: HostAddresses,
    lines: MaintainedLines,
    sink: CacheEvictionSink,
    late: boolean,
  ) {
    this.caches = caches;
    this.lineSizeLog2 = lineSizeLog2;
    this.addresses = addresses;
    this.lines = lines;
    this.sink = sink;
    this.late = late;
    this.sweeps = [new SetWaySweep(caches.data ?? caches.unified), new SetWaySweep(caches.unified)];
  }

  request(pending: PendingOperation): void {
    if (this.late) this.pending.push(pending);
    else this.perform(pending);
  }

  /**
   * A DSB: what was asked for is done. One that waits for stores alone (`storesOnly`) sees cleans through, which kernels lean on for their descriptors
   * (Linux's flush_cache_vmap), and no invalidation.
   */
  complete(storesOnly: boolean): void {
    if (this.pending.length === 0) return;
    const { pending } = this;
    this.pending = storesOnly ? pending.filter(({ operation }) => !CLEANS.has(operation)) : [];
    for (const one of pending) if (!storesOnly || CLEANS.has(one.operation)) this.perform(one);
  }

  private perform({ kind, operation, va, at }: PendingOperation): void {
    if (kind === 'set-way') this.setWay(operation, at);
    else if (kind === 'all') {
      this.lines.forgetAllCode();
      this.lines.quietly(() => this.caches.invalidateInstructionAll(this.sink));
    } else if (at >= 0) this.address(operation, va, at);
  }

  private address(operation: string, va: VirtAddr, host: number): void {
    const line = host >>> this.lineSizeLog2;
    const pa = this.addresses.pa(host);
    const { caches, lines, sink } = this;
    switch (operation) {
      case 'DCCMVAU':
        lines.l1Written(line);
        lines.quietly(() => caches.cleanToUnification(va, pa, sink));
        break;
      case 'DCCMVAC':
        lines.l1Written(line);
        lines.l2Written(line);
        lines.quietly(() => caches.cleanToCoherency(va, pa, sink));
        break;
      case 'DCIMVAC':
        lines.invalidate(line);
        lines.quietly(() => caches.invalidateToCoherency(va, pa, sink));
        break;
      case 'DCCIMVAC':
        lines.l1Written(line);
        lines.l2Written(line);
        lines.invalidate(line);
        lines.quietly(() => caches.cleanInvalidateToCoherency(va, pa, sink));
        break;
      case 'ICIMVAU':
        lines.forgetCode(va, host);
        lines.quietly(() => caches.invalidateInstruction(va, pa, sink));
        break;
    }
  }

  private setWay(operation: string, operand: number): void {
    const { caches, sink } = this;
    const level = ((operand >>> 1) & 7) + 1;
    const cache = level === 1 ? (caches.data ?? caches.unified) : level === 2 ? caches.unified : null;
    if (cache === null) return;
    // Way in the top bits, set above the line (B4.2.1).
    const wayBits = Math.ceil(Math.log2(cache.wayCount));
    const way = wayBits === 0 ? 0 : operand >>> (32 - wayBits);
    const set = (operand >>> cache.lineSizeLog2) & (2 ** Math.ceil(Math.log2(cache.setCount)) - 1);
    if (operation === 'DCCSW') {
      caches.cleanSetWay(level, set, way, sink);
      return;
    }
    const clean = operation === 'DCCISW';
    if (clean) caches.cleanInvalidateSetWay(level, set, way, sink);
    else caches.invalidateSetWay(level, set, way, sink);
    if (level <= 2 && this.sweeps[level - 1]!.mark(set, way)) this.lines.emptied(level, clean);
  }

  reset(): void {
    for (const sweep of this.sweeps) sweep.reset();
    this.pending = [];
  }
  save(): SavedMaintenance {
    return { swept: this.sweeps.map((sweep) => sweep.save()), pending: this.pending.map((one) => ({ ...one })) };
  }
  load({ swept, pending }: SavedMaintenance): void {
    this.sweeps.forEach((sweep, i) => sweep.load(swept[i]!));
    this.pending = pending.map((one) => ({ ...one }));
  }
}
