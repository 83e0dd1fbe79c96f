import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { afterAll, describe, expect, it } from 'vitest';
import { builtinGuest } from './builtin-guest.js';
import { modelOptions, modelStatistics } from './memory-models.js';
import { parseRun } from './options.js';

const folder = mkdtempSync(join(tmpdir(), 'tablewalk-models-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The TLB of a stranger: one entry, and a count of what it was asked. */
const STRANGER = `
export default () => {
  const arena = new Uint32Array(8);
  let asked = 0;
  const drop = (sink) => { if (arena[1] !== 0) sink.evicted(arena, 0); arena[1] = 0; };
  const fits = (va, asid) => arena[1] !== 0 && va >= arena[0] && va - arena[0] < 2 ** (arena[1] & 255) && ((arena[1] & 0x10000) !== 0 || ((arena[1] >>> 8) & 255) === asid);
  return {
    name: 'one-entry', contract: 2, replacement: 'fifo', arena,
    lookup: (va, asid) => { asked++; return fits(va, asid) ? 0 : -1; },
    insert: (entry, fetch, sink) => { drop(sink); arena.set(entry.subarray(0, 8)); },
    invalidateAll: (side, sink) => drop(sink),
    invalidateMva: (va, asid, side, sink) => drop(sink),
    invalidateAsid: (asid, side, sink) => drop(sink),
    invalidateMvaAllAsid: (va, side, sink) => drop(sink),
    evictOne: (random, sink) => { const had = arena[1] !== 0; drop(sink); return had; },
    reset: (sink) => drop(sink),
    entries: () => (arena[1] === 0 ? [] : [0]),
    stats: () => ({ asked }),
    resetStats: () => { asked = 0; },
    snapshot: () => ({ schema: 'stranger/one-entry', version: 1, data: arena.slice() }),
    restore: ({ data }) => arena.set(data),
  };
};
`;

describe('models by name or module', () => {
  it('run in a machine and print what they counted', async () => {
    const path = join(folder, 'one-entry.mjs');
    writeFileSync(path, STRANGER);
    const args = parseRun(['--fidelity', 'architectural', '--tlb', path, '--cache', 'cortex-a7'])!;
    const machine = new VirtMachine({ memory: 16 << 20, kernel: builtinGuest(), ...(await modelOptions(args)) });
    let end = machine.runFor(2_000_000);
    while (end.reason === 'limit' && machine.instructions < 20_000_000) end = machine.runFor(2_000_000);
    expect(end.reason).toBe('poweroff');
    expect(machine.models.tlb!.name).toBe('one-entry');
    const lines = modelStatistics(machine);
    expect(lines[0]).toBe('TLB one-entry');
    expect(lines.some((line) => line.includes('L1D'))).toBe(true);
  });

  const cacheModule = (name: string, body: string): string => {
    const path = join(folder, name);
    const mmu = new URL('../../../packages/mmu/src/index.ts', import.meta.url).pathname;
    writeFileSync(path, `import { setAssociativeCache } from '${mmu}';\n${body}`);
    return path;
  };
  const withCache = async (path: string, ...more: readonly string[]): Promise<VirtMachine> => {
    const args = parseRun(['--fidelity', 'measured', '--cache', path, ...more])!;
    return new VirtMachine({ memory: 16 << 20, kernel: builtinGuest(), cpu: args.cpu, ...(await modelOptions(args)) });
  };

  it('a single cache takes the place of the core’s own', async () => {
    const path = cacheModule(
      'small.ts',
      "export default () => setAssociativeCache({ name: 'small', unit: 1, byteLength: 1024, ways: 1, lineLength: 64, replacement: 'fifo' });",
    );
    const machine = await withCache(path);
    while (machine.instructions < 15_000) machine.runFor(1000);
    const { caches } = machine.models;
    expect(caches).toMatchObject({ name: 'cortex-a15 with small', data: { name: 'small' }, unified: { wayCount: 16 }, walks: 'l1d' });
    const own = new VirtMachine({ memory: 16 << 20, kernel: builtinGuest(), fidelity: 'measured' });
    while (own.instructions < 15_000) own.runFor(1000);
    const { caches: counted } = machine.memoryStatistics();
    expect(counted!['L1D reads']).toBe(own.memoryStatistics().caches!['L1D reads']);
    expect(counted!['L1D read misses']).toBeGreaterThan(own.memoryStatistics().caches!['L1D read misses']!);
  });

  it('one that walks cannot look into is walked past, and one that does not fit is refused', async () => {
    const vipt = cacheModule(
      'vipt.ts',
      "export default () => setAssociativeCache({ name: 'vipt', unit: 1, byteLength: 65536, ways: 2, lineLength: 64, virtuallyIndexed: true });",
    );
    expect((await withCache(vipt)).models).toMatchObject({ caches: { walks: 'l2' }, profile: { id: { ID_MMFR3: 0x02002211 } } });
    const long = cacheModule(
      'long.ts',
      "export default () => setAssociativeCache({ name: 'long', unit: 1, byteLength: 65536, ways: 2, lineLength: 128 });",
    );
    await expect(withCache(long)).rejects.toThrow('lines of the L2 are shorter than those of the L1 data cache');
    const half = cacheModule('half.ts', 'export default () => ({ name: "half", contract: 2, unit: 1, replacement: "fifo" });');
    await expect(withCache(half)).rejects.toThrow('is no cache');
  });

  it('are none at functional fidelity, and refused by name', async () => {
    expect(await modelOptions(parseRun([])!)).toEqual({});
    expect(await modelOptions(parseRun(['--tlb', 'none', '--cache', 'none'])!)).toEqual({ tlb: 'none', cache: 'none' });
    await expect(modelOptions(parseRun(['--fidelity', 'measured', '--tlb', 'no-such-tlb'])!)).rejects.toThrow(
      "there is no TLB 'no-such-tlb'",
    );
    expect(() => parseRun(['--fidelity', 'exact'])).toThrow('--fidelity exact: there are functional, architectural, measured');
    expect(() => parseRun(['--retain', 'long'])).toThrow('--retain long: there are finite, forever');
  });
});
