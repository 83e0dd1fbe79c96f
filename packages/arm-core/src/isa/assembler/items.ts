import type { InstructionText } from './instruction-encoder.js';
import type { SourceStatement } from './source.js';
import type { LocalLabel } from './symbols.js';

/** What reading a source leaves to be laid out: labels, instructions and data in order. */

/** The constants of `ldr rd, =expression` up to the next `.ltorg`. */
export interface LiteralPool {
  /** Expressions, each once; offsets are 4 * index. */
  readonly expressions: string[];
  /** Undefined until the first pass has come to it. */
  address: number | undefined;
}

export type ItemContent =
  | {
      readonly kind: 'instruction';
      readonly text: InstructionText;
      readonly thumb: boolean;
      readonly literal?: { readonly pool: LiteralPool; readonly index: number };
    }
  | { readonly kind: 'data'; readonly unit: 1 | 2 | 4; readonly expressions: readonly string[] }
  | { readonly kind: 'bytes'; readonly bytes: readonly number[] }
  | { readonly kind: 'align'; readonly to: number; readonly fill: number | undefined; readonly nops: 2 | 4 | undefined }
  | { readonly kind: 'space'; readonly count: string; readonly fill: number }
  | { readonly kind: 'origin'; readonly expression: string }
  | { readonly kind: 'pool'; readonly pool: LiteralPool }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'local'; readonly label: LocalLabel }
  /** `value` as of the last pass. */
  | { readonly kind: 'equ'; readonly name: string; readonly expression: string; value: number | undefined };

/** `address` and `size` (in bytes) are those of the last pass. */
export type Item<Kind extends ItemContent['kind'] = ItemContent['kind']> = {
  readonly source: SourceStatement;
  address: number;
  size: number;
} & Extract<ItemContent, { kind: Kind }>;
