import { describe, expect, it } from 'vitest';
import { userMessage } from '../usage-error.js';
import { parseKmem, parseWalk } from './arguments.js';
import { makeKernel } from './boot.js';

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
    [['--tlb', 'none'], '--tlb is for --fidelity architectural and measured'],
    [['--fidelity', 'measured', '--tlb', 'mine'], '--tlb mine: there are core, none'],
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
  ])('kmem %j make no kernel', async (argv, message) => {
    expect(await refusal(() => makeKernel(parseKmem(argv)!))).toContain(message);
  });

  it('boot at architectural fidelity, with and without TLB and caches', async () => {
    for (const models of [[], ['--tlb', 'none', '--cache', 'none'], ['--retain', 'forever', '--evictions', '3']]) {
      const { kernel, machine } = await makeKernel(
        parseKmem(['-m', '4', '-cpu', 'armv7-weakest', '--fidelity', 'architectural', ...models])!,
      );
      kernel.boot();
      expect(machine.console.tail()).toContain('kmem: directMap');
    }
  });

  it('a RAM that does not hold the tables is one line too', async () => {
    const { kernel } = await makeKernel(parseKmem(['-m', '1', '--load-address', '0x400f0000'])!);
    expect(await refusal(() => kernel.boot())).toMatch(/there is no room for .* in 1 MiB of RAM/);
  });
});
