import type { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { CacheHierarchy } from '@tablewalk/mmu';
import { cacheHierarchy, setAssociativeCache } from '@tablewalk/mmu';
import { describe, expect, it } from 'vitest';
import { digest } from '../hostile/support.js';
import { machine } from './support.js';

/*
 * Regions count fetches of lines that they have seen, without a look at what is held. Here a loop loses its lines all the time: to functions that it calls, whose
 * lines are of the same sets, and to what it loads and stores, since the L2 is small and includes the L1.
 */
const NOPS = '  nop\n'.repeat(14);
const THRASHING = `
  mov r6, #0
  ldr r7, =0x40601000
  b again
  .ltorg
  .balign 4096
again:
${NOPS}  bl first
${NOPS}  bl second
${NOPS}  and r2, r6, #63
  add r2, r7, r2, lsl #6
inner:
  ldr r3, [r2]
${NOPS}  add r2, r2, #1024
  str r6, [r2]
${NOPS}  tst r2, #0x3000
  bne inner
  add r6, r6, #1
  cmp r6, #400
  blt again
  b done
  .balign 4096
first:
${NOPS}${NOPS}  bx lr
  .balign 4096
second:
${NOPS}${NOPS}  bx lr
done:
`;

const lineLength = 64;
const caches = (sets: number): CacheHierarchy =>
  cacheHierarchy({
    instruction: setAssociativeCache({ byteLength: 2 * sets * lineLength, ways: 2, lineLength, replacement: 'lru', unit: 0 }),
    data: setAssociativeCache({ byteLength: 4096, ways: 2, lineLength, replacement: 'lru', unit: 1 }),
    unified: setAssociativeCache({ byteLength: 8192, ways: 4, lineLength, replacement: 'round-robin', unit: 2 }),
    inclusive: true,
  });

describe.each([
  ['a set for each line of a page', 64],
  ['lines of a page in few sets', 4],
  ['in one set', 1],
])('a loop that loses its lines of code: %s', (_name, sets) => {
  it('is counted the same by interpreter and translator', { timeout: 60_000 }, () => {
    const run = (engine: 'interpreter' | 'wasm'): VirtMachine => {
      const m = machine(THRASHING, {
        cpu: 'cortex-a15',
        fidelity: 'measured',
        cache: caches(sets),
        engine,
        translation: { heat: 2, batch: 1 },
      });
      for (let i = 0; i < 1000 && m.runFor(10_000).reason === 'limit'; i++);
      return m;
    };
    const [expected, found] = [run('interpreter'), run('wasm')];
    expect(found.cpu.core.translated.regions).toBeGreaterThan(2);
    expect(found.instructions).toBeGreaterThan(100_000);
    expect(found.memoryStatistics()).toEqual(expected.memoryStatistics());
    expect(digest(found)).toBe(digest(expected));
  });
});
