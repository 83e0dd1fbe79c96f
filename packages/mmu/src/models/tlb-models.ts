import type { Tlb } from '../contracts/tlb.js';
import { MmuError } from '../mmu-error.js';
import { ArrayTlb } from './array-tlb.js';
import { integerIn } from './geometry.js';
import type { ReplacementPolicy } from './replacement.js';
import type { TlbArrayOptions } from './tlb-array.js';

export interface SetAssociativeTlbOptions extends TlbArrayOptions {
  readonly ways: number;
  readonly name?: string;
}

/** One unified TLB of sets and ways. */
export function setAssociativeTlb(options: SetAssociativeTlbOptions): Tlb {
  return hierarchyTlb({ name: options.name ?? 'set-associative', main: options });
}

export interface FullyAssociativeTlbOptions {
  readonly entries: number;
  readonly replacement?: ReplacementPolicy;
  readonly seed?: number;
  readonly lockable?: number;
  readonly name?: string;
}

/** One unified TLB in which any entry may be anywhere. */
export function fullyAssociativeTlb(options: FullyAssociativeTlbOptions): Tlb {
  const { name = 'fully-associative', ...main } = options;
  return hierarchyTlb({ name, main: { ...main, ways: main.entries } });
}

export interface HierarchyTlbOptions {
  readonly name?: string;
  /** Above the main TLB on the instruction side, on the data side. */
  readonly microInstruction?: TlbArrayOptions;
  readonly microData?: TlbArrayOptions;
  /** The micro-TLBs hold pages of at most this size (log2 of bytes, 12 to 30) and cut larger mappings into pieces. Default: whole mappings. */
  readonly microPageLog2?: number;
  /** Any maintenance operation empties the micro-TLBs of its side. Default false: they lose what the main TLB loses. */
  readonly flushMicro?: boolean;
  /** The main TLB, or its two halves. */
  readonly main: TlbArrayOptions | { readonly instruction: TlbArrayOptions; readonly data: TlbArrayOptions };
  /** Fully associative entries beside the main TLB that locked translations go to. Default 0. */
  readonly lockdown?: number;
  readonly walkCache?: TlbArrayOptions;
}

/**
 * A TLB of levels. A look-up asks the micro-TLB of its side, then the lockdown entries, then the main TLB; what it finds below it copies up.
 * Levels are not kept inclusive: an entry may live on above after the main TLB gave it up.
 *
 * Throws `MmuError` for a geometry that does not fit.
 */
export function hierarchyTlb(options: HierarchyTlbOptions): Tlb {
  const name = options.name ?? 'hierarchy';
  if (typeof options.main !== 'object' || options.main === null) throw new MmuError(name, 'needs a main TLB');
  const lockdown = integerIn(name, 'the number of lockdown entries', options.lockdown ?? 0, 0, 1024);
  return new ArrayTlb({
    name,
    microInstruction: options.microInstruction ?? null,
    microData: options.microData ?? null,
    microPageLog2: integerIn(name, 'the page size of the micro-TLBs (log2)', options.microPageLog2 ?? 30, 12, 30),
    flushMicro: options.flushMicro ?? false,
    main: options.main,
    lockdown: lockdown === 0 ? null : { entries: lockdown },
    walkCache: options.walkCache ?? null,
  });
}
