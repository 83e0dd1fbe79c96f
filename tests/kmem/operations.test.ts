import { bitmapTree, fragmentation, knr, zoneList } from '@tablewalk/alloc/guest';
import { buddy } from '@tablewalk/alloc-buddy/guest';
import { slab } from '@tablewalk/alloc-slab/guest';
import { assemble } from '@tablewalk/arm-core';
import type { AddressSpace, Kernel, KernelOptions } from '@tablewalk/kmem';
import { Asids, buddyInfo, costsBetween, extFrag, GuestAbort, KERNEL_DATA, pmmVmm, routine, slabInfo, workloads } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { bootKernel } from './boot-kernel.js';

const PAGE = 4096;
const CODE = 0x40000000;
const DATA = 0x10000000;
const mine = routine('mine', { load: 'load', store: 'store', branch: 'branch' });

const code = (source: string): Uint8Array => assemble(source, { origin: CODE }).bytes;
const exit = 'mov r7, #0\nsvc #0\n';

/** A program with this code and DATA on demand. */
const start = (
  kernel: Kernel,
  source: string,
  prepare: (space: AddressSpace) => void = (space) => space.mapOnDemand(DATA, 4, 'rw'),
): number =>
  kernel.call(({ programs }) => {
    const program = programs.create(CODE)!;
    expect(program.space.loadCode(CODE, code(source))).toBe(true);
    prepare(program.space);
    return program.id;
  });
const stopOf = (kernel: Kernel, id: number) => {
  kernel.run(id);
  return kernel.programs.get(id).stop;
};
const freePages = (kernel: Kernel): number => kernel.inspect().kernalloc.stats().freePages;

describe('the port', () => {
  const { kernel, machine } = bootKernel({ sites: [mine] });
  const abortOf = (body: () => void) => {
    try {
      body();
    } catch (error) {
      if (error instanceof GuestAbort) return error.report;
      throw error;
    }
    return undefined;
  };

  it('a fault takes the guest’s vector, ends the routine and names the call site; the kernel goes on', () => {
    const { exceptions } = kernel.costs;
    const report = abortOf(() => kernel.call(({ port }) => port.store(mine.store, 0xfffff000, 1)));
    expect(report).toMatchObject({ kind: 'data-abort', address: 0xfffff000, symbol: 'mine.store', pc: kernel.program.site(mine.store) });
    // A translation fault of the second level, by a write.
    expect(report!.status & 0xc0f).toBe(0x807);
    expect(kernel.costs.exceptions).toBe(exceptions + 1);
    expect(kernel.call(({ port }) => port.load(mine.load, kernel.layout.linkAddress))).toBe(
      new DataView(kernel.program.bytes.buffer).getUint32(0, true),
    );
  });

  it('text cannot be written; data and the direct map cannot be executed', () => {
    const page = kernel.call(({ memory }) => memory.allocate(1))!;
    for (const va of [kernel.program.address('memzero')])
      expect(abortOf(() => kernel.call(({ port }) => port.store(mine.store, va, 0)))).toMatchObject({ kind: 'data-abort', address: va });
    for (const va of [page, kernel.program.address('data'), 0x80800000])
      expect(abortOf(() => kernel.call(({ port }) => port.branch(mine.branch, va)))).toMatchObject({ kind: 'prefetch-abort', address: va });
  });

  it('exists only inside a routine; routines are not nested, and no snapshot is taken in one', () => {
    expect(() => kernel.port.load(mine.load, 0x80000000)).toThrow('was reached outside of a host routine');
    expect(() => kernel.call(() => kernel.call(() => 0))).toThrow('a host routine is running already');
    expect(kernel.call(() => 'still there')).toBe('still there');
  });

  it('runs with interrupts masked, and each access is one instruction at its own address', () => {
    const { core } = machine.cpu;
    kernel.call(({ port }) => {
      const before = machine.instructions;
      port.load(mine.load, 0x80010000);
      expect(core.readCpsr() & 0x1df).toBe(0x1d3);
      expect(machine.instructions - before).toBe(1);
      expect(core.words[15]! >>> 0).toBe(kernel.program.site(mine.load) + 4);
    });
  });
});

describe('vmalloc', () => {
  it('gives virtually contiguous pages with a guard behind, and takes them back', () => {
    const { kernel, machine } = bootKernel({ sites: [mine] });
    const free = freePages(kernel);
    const va = kernel.call(({ vmalloc }) => vmalloc.allocate(3))!;
    expect(freePages(kernel)).toBe(free - 3);
    kernel.call(({ port }) => port.store(mine.store, va + 2 * PAGE, 0x600dcafe));
    expect(() => kernel.call(({ port }) => port.store(mine.store, va + 3 * PAGE, 1))).toThrow(GuestAbort);
    kernel.call(({ vmalloc }) => vmalloc.free(va));
    expect(freePages(kernel)).toBe(free);
    expect(machine.mmu.explainWalk(va).mapping).toBeUndefined();
    expect(() => kernel.call(({ vmalloc }) => vmalloc.free(va))).toThrow('there is no area at');
  });

  it('unmaps lazily: one invalidation for all that waits, before anything is used again', () => {
    const { kernel } = bootKernel({ vmalloc: { unmapping: 'lazy', lazyPages: 12 } });
    const free = freePages(kernel);
    const before = kernel.costs;
    const areas = kernel.call(({ vmalloc }) => [3, 3, 3, 3].map((pages) => vmalloc.allocate(pages)!));
    kernel.call(({ vmalloc }) => {
      for (const va of areas.slice(0, 3)) vmalloc.free(va);
      expect(vmalloc.waitingPages).toBe(9);
    });
    expect(costsBetween(before, kernel.costs).tlbMaintenance).toBe(0);
    expect(freePages(kernel)).toBe(free - 12);
    kernel.call(({ vmalloc }) => vmalloc.free(areas[3]!));
    expect(kernel.vmalloc.purges).toBe(1);
    expect(costsBetween(before, kernel.costs).tlbMaintenance).toBeLessThanOrEqual(16);
    expect(freePages(kernel)).toBe(free);
  });

  it('purges when addresses or pages run out, and answers nothing when there really are none', () => {
    const { kernel } = bootKernel({
      vmalloc: { unmapping: 'lazy', lazyPages: 1e6 },
      allocator: bitmapTree(),
      virtualAllocator: bitmapTree(),
      ramBytes: 4 * 2 ** 20,
    });
    kernel.call(({ vmalloc }) => {
      // Pages run out.
      for (let n = 0; n < 4; n++) vmalloc.free(vmalloc.allocate(300)!);
      expect(vmalloc.purges).toBeGreaterThan(0);
      // Addresses run out, of which there are 2048.
      const before = vmalloc.purges;
      for (let n = 0; n < 3; n++) vmalloc.free(vmalloc.mapPhysical(0x08000000, 1000)!);
      expect(vmalloc.purges).toBe(before + 1);
      expect(vmalloc.mapPhysical(0x08000000, 2048)).toBeUndefined();
      expect(vmalloc.allocate(1500)).toBeUndefined();
    });
    expect(kernel.inspect().kernalloc.check()).toEqual([]);
  });
});

describe('the kernel’s tables', () => {
  it('narrow rights, and replace an address by break before make', () => {
    const { kernel } = bootKernel({ sites: [mine] });
    const va = kernel.call(({ vmalloc }) => vmalloc.allocate(1))!;
    const other = kernel.call(({ memory }) => memory.allocate(1))!;
    kernel.call(({ port, tables }) => {
      port.store(mine.store, va, 1);
      port.store(mine.store, other, 2);
      tables.protect(va, 1, { ...KERNEL_DATA, kernel: 'r' });
      expect(port.load(mine.load, va)).toBe(1);
    });
    expect(() => kernel.call(({ port }) => port.store(mine.store, va, 3))).toThrow(/data-abort at mine\.store/);
    const before = kernel.costs;
    kernel.call(({ tables, memory, port }) => {
      const pa = memory.vtop(other);
      tables.replace(va, pa.possible ? pa.address : 0, KERNEL_DATA);
      expect(port.load(mine.load, va)).toBe(2);
      expect(tables.walk(va)).toBe(pa.possible && pa.address);
      expect(tables.walk(0xfffff000)).toBeUndefined();
      expect(tables.walk(0x80812345)).toBe(0x40812345);
    });
    expect(costsBetween(before, kernel.costs)).toMatchObject({ tlbMaintenance: 1, barriers: 5 });
    expect(() => kernel.call(({ tables }) => tables.map(0x80800000, [0x40000000], KERNEL_DATA))).toThrow('is not mapped by small pages');
  });
});

describe('programs', () => {
  const { kernel } = bootKernel();
  const free = freePages(kernel);

  it('run in their own address space, get pages on demand, and end', () => {
    const id = start(kernel, `ldr r0, =${DATA}\nldr r1, [r0]\nadd r1, r1, #5\nstr r1, [r0, #8]\nldr r0, [r0, #8]\n${exit}`);
    expect(stopOf(kernel, id)).toEqual({ reason: 'exit', status: 5 });
    expect(kernel.programs.get(id).space.mappedPages).toEqual([DATA, CODE]);
    kernel.call(({ programs }) => programs.destroy(id));
    expect(freePages(kernel)).toBe(free);
  });

  it.each([
    ['page 0', 'mov r0, #0\nldr r0, [r0]', 'not mapped', 'data-abort'],
    ['the kernel', 'ldr r0, =0x80010000\nldr r0, [r0]', 'not mapped', 'data-abort'],
    ['its own code', `ldr r0, =${CODE}\nstr r0, [r0]`, 'not allowed', 'data-abort'],
    ['data as code', `ldr r0, =${DATA}\nbx r0`, 'not allowed', 'prefetch-abort'],
    ['a privileged instruction', 'udf #0', 'an exception that no mapping mends', 'undefined'],
  ])('are killed for touching %s', (_name, source, why, kind) => {
    const id = start(kernel, `${source}\n${exit}`);
    expect(stopOf(kernel, id)).toMatchObject({ reason: 'killed', why, fault: { kind } });
    kernel.call(({ programs }) => programs.destroy(id));
    expect(freePages(kernel)).toBe(free);
  });

  it('fork shares until somebody writes', () => {
    const id = start(
      kernel,
      `ldr r4, =${DATA}\nadd r5, r4, #4096\nmov r1, #7\nstr r1, [r4]\nstr r1, [r5]\nmov r7, #3\nsvc #0\ncmp r0, #0\nmoveq r1, #9\nstreq r1, [r4]\nldr r0, [r4]\nldr r2, [r5]\nadd r0, r0, r2, lsl #4\n${exit}`,
    );
    const before = freePages(kernel);
    kernel.run(id);
    const child = id + 1;
    // The parent came back from fork and read; nothing was copied but the child's tables, a page of tasks, and what was touched.
    expect(kernel.programs.get(id).stop).toEqual({ reason: 'exit', status: 0x77 });
    const shared = freePages(kernel);
    expect(stopOf(kernel, child)).toEqual({ reason: 'exit', status: 0x79 });
    expect(freePages(kernel)).toBe(shared - 1);
    kernel.call(({ programs }) => {
      expect(programs.get(id).space.read(DATA)).toBe(7);
      expect(programs.get(child).space.read(DATA)).toBe(9);
      programs.destroy(id);
      programs.destroy(child);
    });
    expect(freePages(kernel)).toBe(free);
    expect(before).toBeGreaterThan(shared);
  });

  it('regions are checked, narrowed and taken away', () => {
    const id = start(kernel, `ldr r4, =${DATA}\nstr r4, [r4]\nmov r7, #2\nsvc #0\nstr r4, [r4]\n${exit}`);
    expect(stopOf(kernel, id)).toEqual({ reason: 'yield' });
    kernel.call(({ programs }) => {
      const { space } = programs.get(id);
      expect(() => space.map(0, 1, 'rw')).toThrow('are not pages of the user half above page 0');
      expect(() => space.map(0x7ffff000, 2, 'rw')).toThrow('are not pages of the user half');
      expect(() => space.map(DATA + PAGE, 1, 'rw')).toThrow('overlap what is mapped');
      expect(() => space.protect(DATA, 5, 'r')).toThrow('are not all mapped');
      space.protect(DATA, 1, 'r');
      expect(space.userRegions.map(({ start: from, end, rights }) => [from, end, rights])).toEqual([
        [DATA, DATA + PAGE, 'r'],
        [DATA + PAGE, DATA + 4 * PAGE, 'rw'],
        [CODE, CODE + PAGE, 'rx'],
      ]);
    });
    expect(stopOf(kernel, id)).toMatchObject({ reason: 'killed', why: 'not allowed', fault: { address: DATA } });
    kernel.call(({ programs }) => {
      programs.get(id).space.unmap(DATA, 4);
      expect(programs.get(id).space.mappedPages).toEqual([CODE]);
      programs.destroy(id);
      expect(() => programs.destroy(id)).toThrow('there is no program');
    });
    expect(freePages(kernel)).toBe(free);
  });

  it('run out of memory without losing any', () => {
    const { kernel: small } = bootKernel({ ramBytes: 4 * 2 ** 20 });
    const all = freePages(small);
    const made: number[] = [];
    small.call(({ programs }) => {
      for (;;) {
        const program = programs.create(CODE);
        if (program === undefined) break;
        made.push(program.id);
        if (!program.space.map(DATA, 40, 'rw')) break;
      }
    });
    expect(made.length).toBeGreaterThan(3);
    small.call(({ programs }) => {
      for (const id of made) programs.destroy(id);
    });
    expect(freePages(small)).toBe(all);
    expect(small.inspect().kernalloc.check()).toEqual([]);
  });
});

describe('ASIDs', () => {
  it('begin again with one invalidation when they run out, and programs keep their memory', () => {
    const { kernel } = bootKernel({ internals: { asids: (_correct, maintain) => new Asids(maintain, 3) } });
    const source = `ldr r4, =${DATA}\nldr r1, [r4]\nadd r1, r1, #1\nstr r1, [r4]\nmov r7, #2\nsvc #0\nb start\n`;
    const ids = [1, 2, 3, 4, 5].map(() => start(kernel, `start:\n${source}`));
    for (let round = 0; round < 6; round++) for (const id of ids) expect(stopOf(kernel, id)).toEqual({ reason: 'yield' });
    expect(kernel.asids.rollovers).toBeGreaterThan(5);
    kernel.call(({ programs }) => {
      for (const id of ids) expect(programs.get(id).space.read(DATA)).toBe(6);
    });
    const tags = ids.map((id) => kernel.programs.get(id).space.tag!);
    for (const { asid } of tags) expect(asid >= 1 && asid <= 3).toBe(true);
    // Those of the present generation are all different.
    const current = tags.filter((tag) => kernel.asids.isCurrent(tag)).map(({ asid }) => asid);
    expect(new Set(current).size).toBe(current.length);
  });
});

describe('snapshots', () => {
  it('take up kernel, programs and allocators in another machine, with the same future', () => {
    const options: KernelOptions = { objectCache: slab(), vmalloc: { unmapping: 'lazy' } };
    const [one, two] = [bootKernel(options), bootKernel(options)];
    const id = start(one.kernel, `ldr r4, =${DATA}\nmov r5, #3\nstr r5, [r4]\nmov r7, #2\nsvc #0\nldr r0, [r4]\n${exit}`);
    one.kernel.run(id);
    const va = one.kernel.call(({ vmalloc }) => vmalloc.allocate(2))!;
    const saved = structuredClone(one.kernel.snapshot());
    two.kernel.restore(saved);
    expect(two.machine.instructions).toBe(one.machine.instructions);
    const finish = ({ kernel, machine }: typeof one): unknown => {
      kernel.run(id);
      const { stop } = kernel.programs.get(id);
      kernel.call(({ vmalloc, programs }) => {
        vmalloc.free(va);
        vmalloc.purge();
        programs.destroy(id);
      });
      return [stop, machine.instructions, fragmentation(kernel.inspect().kernalloc)];
    };
    expect(finish(two)).toEqual(finish(one));
    expect(() => two.kernel.restore({ schema: 'x', version: 1, data: {} })).toThrow('cannot restore x version 1');
  });
});

describe('allocators in guest memory', () => {
  it.each<[string, KernelOptions]>([
    ['zoneList', { allocator: zoneList() }],
    ['knr, its list in the free pages', { allocator: knr() }],
    ['bitmapTree for all three', { allocator: bitmapTree(), virtualAllocator: bitmapTree() }],
    ['buddy with slab', { allocator: buddy(), objectCache: slab() }],
    ['pmmVmm over buddy', { policy: pmmVmm(), allocator: buddy() }],
  ])('%s: boots, passes every workload, and gives everything back', (_name, options) => {
    const { kernel } = bootKernel(options);
    const before = fragmentation(kernel.inspect().kernalloc);
    for (const workload of workloads.filter(({ name }) => name !== 'all')) workload.run(kernel, 7);
    const { kernalloc, virtual } = kernel.inspect();
    expect([kernalloc.check(), virtual.check()]).toEqual([[], []]);
    // A cache may keep an empty page, and its own words.
    expect(before.freePages - fragmentation(kernalloc).freePages).toBeLessThanOrEqual(options.objectCache === undefined ? 0 : 2);
  });

  it('poison finds a write after free', () => {
    const { kernel } = bootKernel({ poison: true, sites: [mine] });
    const va = kernel.call(({ memory }) => {
      const page = memory.allocate(1)!;
      memory.free(page, 1);
      const again = memory.allocate(1)!;
      memory.free(again, 1);
      return again;
    });
    kernel.call(({ port }) => port.store(mine.store, va + 0x120, 0));
    expect(() => kernel.call(({ memory }) => memory.allocate(1))).toThrow(
      `somebody wrote to 0x${(va + 0x120).toString(16)} after it was freed`,
    );
  });

  it('refuses an allocator that has nowhere to keep its words', () => {
    expect(() => bootKernel({ virtualAllocator: knr() })).toThrow('virtual pages are none');
    expect(() => bootKernel({ policy: pmmVmm(), allocator: knr() })).toThrow('have no address under pmmVmm');
  });

  it('reports have the shape of Linux’s', () => {
    const { kernel } = bootKernel({ allocator: buddy(), objectCache: slab() });
    workloads.find(({ name }) => name === 'programs')!.run(kernel, 1);
    const free = fragmentation(kernel.inspect().kernalloc);
    expect(buddyInfo('Normal', free)).toMatch(/^Node 0, zone {3}Normal(\s+\d+){11}$/);
    expect(extFrag('Normal', free)).toHaveLength(2);
    const cache = kernel.programs.taskCache!;
    expect(kernel.call(() => slabInfo([cache]))[1]).toMatch(/^task\s+0\s+\d+\s+72\s+\d+\s+1$/);
    // The figures are Linux's own sums: what buddyinfo says is all that is free.
    expect(free.blocks.reduce((sum, count, order) => sum + count * 2 ** order, 0)).toBe(free.freePages);
  });
});

describe('costs of the policies', () => {
  it('the separate managers walk more, maintain more and run more for the same work', () => {
    const work = workloads.find(({ name }) => name === 'all')!;
    const [direct, pair, mapped] = [{}, { policy: pmmVmm() }, { policy: pmmVmm({ reverseMap: true }) }].map((options) => {
      const { kernel } = bootKernel({ ...options, allocator: bitmapTree(), virtualAllocator: bitmapTree() });
      const before = kernel.costs;
      work.run(kernel, 3);
      return costsBetween(before, kernel.costs);
    });
    expect(pair!.tlbMaintenance).toBeGreaterThan(2 * direct!.tlbMaintenance);
    expect(pair!.barriers).toBeGreaterThan(2 * direct!.barriers);
    expect(pair!.walks).toBeGreaterThan(direct!.walks);
    expect(pair!.descriptorsRead).toBeGreaterThan(direct!.descriptorsRead);
    expect(pair!.instructions).toBeGreaterThan(direct!.instructions);
    // The reverse map is the host's: it costs the guest nothing here.
    expect(mapped).toEqual(pair);
  });
});
