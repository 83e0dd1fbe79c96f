import { disassemble } from '../../packages/arm-core/src/isa/disassembler.js';
import type { Sequence } from './generate.js';
import type { Difference, Pair } from './pair.js';
import * as at from './places.js';

/** Sequences with NOPs in place of what the difference does not need: alone if that is enough, else the group with the others as they are. */
export const shorten = (group: readonly Sequence[], difference: Difference, pair: Pair): Difference | undefined => {
  const { seed } = difference.sequence;
  const alone = [difference.sequence];
  const isAlone = pair.runAlone(alone) !== undefined;
  const others = isAlone ? [] : group.filter((other) => other.seed !== seed);
  let best = pair.runAlone([...others, difference.sequence]);
  if (best === undefined) best = pair.runAlone(group);
  if (best === undefined) return undefined;
  const { thumb, offsets } = best.sequence;
  for (let i = 0; i + 1 < offsets.length; i++) {
    const [code, later] = [best.sequence.code, best.sequence.later].map((bytes) => {
      const shorter = bytes.slice();
      const view = new DataView(shorter.buffer);
      for (let k = offsets[i]!; k < offsets[i + 1]!; k += 2) view.setUint16(k, 0xbf00, true);
      if (!thumb) view.setUint32(offsets[i]!, 0xe320_f000, true);
      return shorter;
    }) as [Uint8Array, Uint8Array];
    const found = pair.runAlone([...others, { ...best.sequence, code, later }]);
    if (found !== undefined && found.sequence.seed === best.sequence.seed) best = found;
  }
  return best;
};

/** Instructions of a sequence that are no NOPs, and what it begins with. */
export const listing = ({ code, later, offsets, thumb, states, slot }: Sequence): string => {
  const view = new DataView(code.buffer);
  const changed = later.findIndex((byte, k) => byte !== code[k]);
  const hex = (word: number): string => word.toString(16);
  const lines = states.map(
    (state, i) =>
      `state ${i}: entry ${hex(state[at.STATE_ENTRY]!)} cpsr ${hex(state[at.STATE_CPSR]!)} fpscr ${hex(state[at.STATE_FPSCR]!)} ticks ${state[at.STATE_TICKS]} ${state[at.STATE_TICKS_AGAIN]} registers ${[...state.subarray(0, 15)].map(hex).join(' ')}`,
  );
  if (changed >= 0) {
    const word = new DataView(later.buffer).getUint32(changed & ~3, true);
    lines.push(`later: word ${hex(word)} at ${hex(at.codeAt(slot) + (changed & ~3))}`);
  }
  for (let i = 0; i + 1 < offsets.length; i++) {
    const offset = offsets[i]!;
    const size = offsets[i + 1]! - offset;
    const word = !thumb
      ? view.getUint32(offset, true)
      : size === 2
        ? view.getUint16(offset, true)
        : ((view.getUint16(offset, true) << 16) | view.getUint16(offset + 2, true)) >>> 0;
    if (word === 0xbf00 || word === 0xbf00_bf00 || word === 0xe320_f000) continue;
    const address = at.codeAt(slot) + offset;
    const { text } = disassemble(word, { thumb, address });
    lines.push(`  ${hex(address)}  ${hex(word).padStart(2 * size, '0')}  ${text}`);
  }
  return lines.join('\n');
};
