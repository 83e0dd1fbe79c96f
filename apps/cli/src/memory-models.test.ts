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
