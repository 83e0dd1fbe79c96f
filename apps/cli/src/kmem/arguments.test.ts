import { describe, expect, it } from 'vitest';
import { countersBetween, modelCounters } from '../memory-models.js';
import { userMessage } from '../usage-error.js';
import { parseKmem, parseWalk } from './arguments.js';
import { makeKernel } from './boot.js';
import { costLines } from './report.js';

const refusal = async (attempt: () => unknown): Promise<string | undefined> => {
  try {
    await attempt();
  } catch (error) {
    return userMessage(error);
  }
  return 'nothing was refused';
};

describe('arguments of kmem and walk', () => {
  it('have defaults', () => {
    expect(parseKmem([])).toMatchObject({ policy: 'directMap', allocator: 'zoneList', cpu: 'cortex-a15', memoryBytes: 128 << 20, seed: 1 });
    expect(parseWalk(['-m', '16', '8010_0123'])).toMatchObject({ address: 0x80100123, load: undefined, kernel: { memoryBytes: 16 << 20 } });
    expect(parseKmem(['--help'])).toBeUndefined();
  });

  it.each([
    [['--workload', 'x'], "there is no workload 'x'; there are pages, vmalloc, programs, all"],
    [['--vmalloc', 'x'], "--vmalloc is eager or lazy, not 'x'"],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous."],
    [['--load-address', 'zz'], "--load-address takes a 32-bit address in hexadecimal, not 'zz'"],
    [['--fidelity', 'x'], '--fidelity x: there are functional, architectural, measured'],
    [['--walk', 'x'], '--walk x: there are coherent, noncoherent'],
    [['--evictions', 'x'], "--evictions takes a number, not 'x'"],
    [['x'], "Unexpected argument 'x'"],
  ])('kmem %j are refused', async (argv, message) => {
    expect(await refusal(() => parseKmem(argv))).toContain(message);
  });

  it.each([
    [[], 'walk takes one address'],
    [['0x123456789'], 'walk takes a 32-bit address in hexadecimal'],
    [['--load', 'x', '-m', '16', '0'], '--load brings the machine that was saved: --memory cannot be given with it'],
  ])('walk %j are refused', async (argv, message) => {
    expect(await refusal(() => parseWalk(argv))).toContain(message);
  });

  it.each([
    [['--policy', 'nonesuch'], "there is no policy 'nonesuch': built in are directMap, pmmVmm"],
    [['--allocator', 'nonesuch'], "there is no allocator 'nonesuch': built in are zoneList, knr, bitmapTree, buddy"],
    [['--load-address', '0x40010001'], 'the load address 0x40010001 is no multiple of 4096'],
    [['--split', '30000000'], 'the kernel can begin at 0x80000000 or 0x40000000, not at 0x30000000'],
    [['-m', '1', '--load-address', '0x40200000'], 'is outside RAM and flash'],
    [['-cpu', 'z80'], "there is no core 'z80'"],
    [['--retain', 'forever'], 'functional fidelity has no TLB and cache models'],
    [['--fidelity', 'measured', '--tlb', 'mine'], "there is no TLB 'mine'"],
  ])('kmem %j make no kernel', async (argv, message) => {
    expect(await refusal(() => makeKernel(parseKmem(argv)!))).toContain(message);
  });

  const boot = async (...options: readonly string[]): Promise<readonly string[]> => {
    const { kernel, machine } = await makeKernel(parseKmem(['-m', '4', '-cpu', 'armv7-weakest', ...options])!);
    kernel.boot();
    expect(machine.console.tail()).toContain('kmem: directMap');
    return costLines([{ name: 'boot', costs: kernel.costs, models: modelCounters(machine) }]);
  };
  const row = (lines: readonly string[], name: string): number | undefined => {
    const line = lines.find((text) => text.trimStart().startsWith(name));
    return line === undefined ? undefined : Number(line.slice(name.length + 2));
  };

  it('boot with the models that were asked for', async () => {
    expect(await boot('--tlb', 'none', '--cache', 'none')).not.toContain('TLB');
    await boot('--fidelity', 'architectural', '--tlb', 'none', '--cache', 'none');
    await boot('--fidelity', 'architectural', '--retain', 'forever', '--walk', 'noncoherent', '--evictions', '3');
    expect(await boot('--fidelity', 'architectural', '--tlb', 'cortex-a8')).toContain('TLB cortex-a8');
  });

  it('the table of costs has what the models counted', async () => {
    const lines = await boot('--fidelity', 'measured', '--tlb', 'cortex-a7', '--cache', 'cortex-a15');
    const instructions = row(lines, 'instructions')!;
    expect(row(lines, 'main misses')).toBeGreaterThan(3);
    // Each walk is a miss of the main TLB.
    expect(row(lines, 'main misses')).toBe(row(lines, 'table walks'));
    expect(row(lines, 'L1D read misses')).toBeLessThan(row(lines, 'L1D reads')!);
    expect(row(lines, 'estimated cycles')).toBeGreaterThan(instructions);
  });

  it('counters are those of the column', () => {
    const before = [{ heading: 'TLB x', counters: { hits: 3, misses: 1 } }];
    const after = [{ heading: 'TLB x', counters: { hits: 5, misses: 1 } }];
    expect(countersBetween(before, after)).toEqual([{ heading: 'TLB x', counters: { hits: 2, misses: 0 } }]);
  });

  it('a RAM that does not hold the tables is one line too', async () => {
    const { kernel } = await makeKernel(parseKmem(['-m', '1', '--load-address', '0x400f0000'])!);
    expect(await refusal(() => kernel.boot())).toMatch(/there is no room for .* in 1 MiB of RAM/);
  });
});
