import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { BootStep } from '@tablewalk/kmem';
import { Kernel, KmemError, kernelLayout, pmmVmm, regionsOf, VMALLOC_START } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { assembleKernel, bootKernel } from './boot-kernel.js';

// The statements of the design document that this package follows, each with its number in docs/kmem.md.

const MIB = 2 ** 20;
const PAGE = 4096;
const events = (step: BootStep, kind: string) => step.events.filter((event) => event.kind === kind);

describe('loading', () => {
  it('S1: a raw image is loaded at 0x40010000, and the kernel is built for that', () => {
    const { kernel, machine } = assembleKernel();
    expect(kernel.layout.loadAddress).toBe(0x40010000);
    expect(machine.readMemory(0x40010000, kernel.program.bytes.length)).toEqual(kernel.program.bytes);
  });

  it('S2: start-up is position independent: the same bytes whatever the load address, up to the jump to the linked one', () => {
    const images = [0x40010000, 0x40300000, 0x40765000].map((loadAddress) => {
      const { program } = new Kernel({ loadAddress });
      return program.bytes.slice(0, program.address('mmu_switch') - program.layout.linkAddress);
    });
    expect(images[0]!.length).toBeGreaterThan(100);
    expect(images[1]).toEqual(images[0]);
    expect(images[2]).toEqual(images[0]);
  });

  it('S2: start-up runs anywhere; kmem_init2 refuses an image whose symbols would be elsewhere, by name', () => {
    const kernel = new Kernel({ loadAddress: 0x40400000 });
    // A raw image goes to 0x40010000, not to where this one is linked for.
    const machine = new VirtMachine({ kernel: kernel.program.bytes, hypervisorCall: kernel.hypervisorCall });
    kernel.attach(machine);
    expect(() => kernel.boot()).toThrow(
      new KmemError('boot', 'the image runs at 0x40010000 and is linked for 0x40400000: its symbols would be elsewhere'),
    );
  });

  it.each([0x40010000, 0x40200000, 0x40c34000])('S3: at load address %i the symbols, vtop and ptov follow', (loadAddress) => {
    const { kernel, machine } = bootKernel({ loadAddress });
    const linked = 0x80000000 + (loadAddress - 0x40000000);
    expect(kernel.program.address('start')).toBe(linked);
    expect(machine.cpu.core.words[15]! >>> 0).toBe(kernel.program.address('idle') + 4);
    expect(machine.translate(linked)).toBe(loadAddress);
    kernel.call(({ memory }) => {
      expect(memory.vtop(linked)).toEqual({ possible: true, address: loadAddress });
      expect(memory.ptov(loadAddress)).toEqual({ possible: true, address: linked });
      const va = memory.allocate(2)!;
      expect(va).toBeGreaterThanOrEqual(linked + kernel.program.bytes.length);
      expect(memory.vtop(va)).toEqual({ possible: true, address: va - 0x40000000 });
    });
  });
});

describe('the layout', () => {
  it('S4: user space, user link address, direct map, vmalloc', () => {
    expect(regionsOf(kernelLayout()).map(({ name, start, end, table }) => [name, start, end, table])).toEqual([
      ['unused user space', 0, 0x40000000, 'TTBR0'],
      ['user link and load address', 0x40000000, 0x80000000, 'TTBR0'],
      ['kernel direct map', 0x80000000, 0xff800000, 'TTBR1'],
      ['kernel vmalloc', 0xff800000, 2 ** 32, 'TTBR1'],
    ]);
  });

  it('S5: the split is the one that two TTBRs give: halves, TTBCR.N = 1', () => {
    const { machine } = bootKernel();
    const { cpu, mmu } = machine;
    expect(cpu.readRegister('TTBCR')).toBe(1);
    expect(mmu.explainWalk(0x7fffffff).table).toBe('TTBR0');
    expect(mmu.explainWalk(0x80000000).table).toBe('TTBR1');
  });

  it('S5: a quarter for programs is possible too, and nothing else is', () => {
    const { kernel, machine } = bootKernel({ split: 0x40000000 });
    expect(machine.cpu.readRegister('TTBCR')).toBe(2);
    expect(machine.translate(0x40010000)).toBe(0x40010000);
    expect(kernel.layout.userLink).toBe(0x20000000);
    expect(() => kernelLayout({ split: 0x20000000 })).toThrow(KmemError);
    expect(() => kernelLayout({ loadAddress: 0x40010001 })).toThrow('is no multiple of 4096');
    expect(() => kernelLayout({ loadAddress: 0x3fff0000 })).toThrow('is outside the RAM');
  });
});

describe('the start', () => {
  const { kernel, machine } = bootKernel();
  const { steps } = kernel.bootLog;
  const { bootRecord: boot } = kernel;

  it('S6: kmem_init2 makes the page tables before the MMU is on', () => {
    const enabled = (step: BootStep) =>
      step.events.some((event) => event.kind === 'register' && event.name === 'SCTLR' && (event.value & 1) === 1);
    expect(steps.findIndex(enabled)).toBe(3);
    expect(events(steps[1]!, 'descriptors').length).toBeGreaterThan(3);
    for (const step of steps.slice(2, 4)) expect(events(step, 'descriptors')).toEqual([]);
  });

  it('S6: it makes the direct map, then the identity page', () => {
    const what = steps[1]!.events.flatMap((event) => (event.kind === 'descriptors' ? [event.what] : []));
    expect(what).toEqual(['sections', 'small pages', 'table pointers', 'table pointers', 'identity section']);
  });

  it('S7: the identity page is there before the MMU is on, and gone afterwards', () => {
    const { kernel: early, machine: young } = assembleKernel();
    let seen: string | undefined;
    const { mmu } = young;
    const write = mmu.registers.sctlr.bind(mmu.registers);
    mmu.registers.sctlr = (value) => {
      write(value);
      if (mmu.enabled) seen ??= mmu.explainWalk(0x40010000).outcome;
    };
    early.boot();
    expect(seen).toBe('0x40010000 -> 0x0040010000');
    expect(mmu.explainWalk(0x40010000).fault?.name).toBe('translation fault');
    // Nothing else was there either.
    expect(machine.readMemory(boot.userTable, 8192)).toEqual(new Uint8Array(8192));
  });

  it('S8: after that, the allocators', () => {
    expect(steps.map(({ title }) => title.split(/[ ,:]/)[0])).toEqual([
      'start-up',
      'kmem_init2',
      'translation',
      'MMU',
      'the',
      'kernalloc',
      'devices',
    ]);
  });

  it('S9: kernalloc has the pages from the end of the image to the end of RAM', () => {
    const imageEnd = kernel.layout.loadAddress + kernel.program.bytes.length;
    const runs = kernel.call(({ kernalloc }) => {
      const all: [number, number, boolean][] = [];
      kernalloc.forEachRun((start, pages, free) => all.push([start * PAGE, (start + pages) * PAGE, free]));
      return all;
    });
    expect(runs[0]![0]).toBe(imageEnd);
    expect(runs.at(-1)![1]).toBe(0x40000000 + 16 * MIB);
    // Taken are the tables, the metadata and the device tree, and nothing else.
    const taken = runs.filter(([, , free]) => !free).reduce((sum, [start, end]) => sum + end - start, 0);
    const reserved = boot.reserved.filter(({ start }) => start >= imageEnd).reduce((sum, { start, end }) => sum + end - start, 0);
    const console = 0;
    expect(taken).toBe(reserved + console);
    // Pretty much all of it.
    expect(taken / (16 * MIB)).toBeLessThan(0.15);
  });

  it('S10: kern_virt_allocator has the addresses of vmalloc', () => {
    const stats = kernel.call(({ kernVirtAllocator }) => {
      let first = -1;
      kernVirtAllocator.forEachRun((start) => {
        if (first < 0) first = start;
      });
      return { first, ...kernVirtAllocator.stats() };
    });
    expect(stats.first * PAGE).toBe(VMALLOC_START);
    expect(stats.pageCount * PAGE).toBe(8 * MIB);
    const va = kernel.call(({ vmalloc }) => vmalloc.allocate(3))!;
    expect(va).toBeGreaterThanOrEqual(VMALLOC_START);
    kernel.call(({ vmalloc }) => vmalloc.free(va));
  });

  it('S11: both are lists of ranges of pages unless another plugin is asked for', () => {
    expect([kernel.kernalloc.name, kernel.kernVirtAllocator.name]).toEqual(['tablewalk/zone-list', 'tablewalk/zone-list']);
  });
});

describe('the direct map beside physical and virtual managers', () => {
  const direct = bootKernel();
  const pair = bootKernel({ policy: pmmVmm() });

  /** What the CPU did for `body`. */
  const cost = ({ kernel }: typeof direct, body: (kernel: Kernel) => void) => {
    const before = kernel.costs;
    kernel.call(body);
    const after = kernel.costs;
    return {
      tlb: after.tlbMaintenance - before.tlbMaintenance,
      barriers: after.barriers - before.barriers,
      instructions: after.instructions - before.instructions,
    };
  };

  it('S12: one allocator of physical pages and one of virtual ones, mapped together page by page', () => {
    pair.kernel.call(({ memory, kernalloc, vmm }) => {
      const before = [kernalloc.stats().freePages, vmm!.stats().freePages];
      const va = memory.allocate(5)!;
      expect([kernalloc.stats().freePages, vmm!.stats().freePages]).toEqual(before.map((pages) => pages - 5));
      for (let n = 0; n < 5; n++) expect(pair.machine.mmu.explainWalk(va + n * PAGE).mapping?.sizeLog2).toBe(12);
      memory.free(va, 5);
      expect([kernalloc.stats().freePages, vmm!.stats().freePages]).toEqual(before);
    });
  });

  it('S13: releasing pages needs TLB maintenance there, and none in the direct map', () => {
    const use = ({ memory }: Kernel): void => memory.free(memory.allocate(4)!, 4);
    expect(cost(direct, use)).toMatchObject({ tlb: 0, barriers: 0 });
    expect(cost(pair, use)).toMatchObject({ tlb: 4, barriers: 5 });
  });

  it('S14: virtual to physical needs the tables there, and no load at all in the direct map', () => {
    const [va, other] = [direct, pair].map(({ kernel }) => kernel.call(({ memory }) => memory.allocate(1)!));
    expect(
      cost(direct, ({ memory }) => {
        expect(memory.vtop(va!).possible).toBe(true);
        expect(memory.ptov(0x40800000)).toEqual({ possible: true, address: 0x80800000 });
      }).instructions,
    ).toBe(0);
    // Two descriptors.
    expect(cost(pair, ({ memory }) => void memory.vtop(other!)).instructions).toBe(2);
  });

  it('S15: physical to virtual is impossible there, and says so', () => {
    expect(pair.kernel.memory.ptov(0x40800000)).toEqual({
      possible: false,
      reason: 'virtual addresses have nothing to do with physical ones, and no table leads back',
    });
  });

  it('S15: unless a reverse map is kept, which is an option', () => {
    const { kernel } = bootKernel({ policy: pmmVmm({ reverseMap: true }) });
    kernel.call(({ memory }) => {
      const va = memory.allocate(2)!;
      const pa = memory.vtop(va + PAGE);
      expect(pa.possible && memory.ptov(pa.address)).toEqual({ possible: true, address: va + PAGE });
    });
  });

  it('S16: addresses have nothing to do with each other there', () => {
    pair.kernel.call(({ memory }) => {
      const [first, second] = [memory.allocate(1)!, memory.allocate(1)!];
      const hole = memory.vtop(first);
      memory.free(first, 1);
      const va = memory.allocate(2)!;
      const pas = [memory.vtop(va), memory.vtop(va + PAGE)];
      expect(hole.possible && pas[0]!.possible && pas[0]!.address === hole.address).toBe(true);
      expect(pas[1]!.possible && pas[0]!.possible && pas[1]!.address - pas[0]!.address).not.toBe(PAGE);
      memory.free(va, 2);
      memory.free(second, 1);
    });
  });

  it('S17: kernel memory is small pages behind two levels there, and sections of one level in the direct map', () => {
    const steps = (va: number) => [direct, pair].map(({ machine }) => machine.mmu.explainWalk(va).steps.map(({ kind }) => kind));
    const [va, other] = [direct, pair].map(({ kernel }) => kernel.call(({ memory }) => memory.allocate(1)!));
    expect(steps(0x80600000)[0]).toEqual(['section']);
    expect(pair.machine.mmu.explainWalk(other!).steps.map(({ kind }) => kind)).toEqual(['table', 'small page']);
    void va;
  });

  it('S18: small pages are still there for some of the kernel: its own image and vmalloc', () => {
    const { kernel, machine } = direct;
    const text = machine.mmu.explainWalk(kernel.program.address('start')).mapping;
    const data = machine.mmu.explainWalk(kernel.program.address('data')).mapping;
    expect([text?.sizeLog2, text?.rights, data?.sizeLog2, data?.rights]).toEqual([12, 'rx', 12, 'rw']);
  });
});
