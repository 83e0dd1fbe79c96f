import { assemble } from '@tablewalk/arm-core';
import type { AddressSpace, Kernel, KernelInternals, KernelOptions, Maintenance } from '@tablewalk/kmem';
import { GuestAbort, KERNEL_DATA, routine, smallPage, userAttributes } from '@tablewalk/kmem';

/** Kernels that are wrong in one place, and a use of each that says what came of it. None of this is in the product. */
export interface Variant {
  readonly name: string;
  /** What the kernel leaves out. */
  readonly mistake: string;
  readonly options: KernelOptions;
  /** `right` as long as nothing of it shows; a correct kernel always answers that. Two mistakes are made by the use itself, if `wrong`. */
  readonly use: (kernel: Kernel, wrong: boolean) => string;
  /** The core on which it shows: one that allows it. */
  readonly core: 'cortex-a15' | 'armv7-weakest';
  /** What comes of it there, the same each time. */
  readonly architectural: string;
  /** What comes of it at `functional`. */
  readonly functional: string;
  /** What real QEMU does with it: `shown` if a load gave something else than it gives without TLB and caches. */
  readonly qemu: 'shown' | 'hidden';
}

export const sites = routine('variant', { load: 'load', store: 'store', clean: 'mcr DCCMVAC', dsb: 'dsb', switch_mm: 'branch' });

const PAGE = 4096;
const CODE = 0x40000000;
const DATA = 0x10000000;
const EXIT = 'mov r7, #0\nsvc #0\n';
const assembled = (source: string): Uint8Array => assemble(source, { origin: CODE }).bytes;

const without = (change: (correct: Maintenance) => Partial<Maintenance>): KernelOptions => ({
  internals: { maintenance: (correct) => ({ ...correct, ...change(correct) }) },
});
const internals = (value: KernelInternals): KernelOptions => ({ internals: value });

/** Runs `body`; `right` if the guest took an exception, as it should, otherwise what was read. */
const mustFault = (kernel: Kernel, body: () => number): string => {
  try {
    return `read 0x${kernel.call(body).toString(16)} where nothing is mapped`;
  } catch (error) {
    if (error instanceof GuestAbort) return 'right';
    throw error;
  }
};

/** `right` if the value is the one that was wanted; a fault is what came instead. */
const mustBe = (kernel: Kernel, wanted: number, body: () => number): string => {
  try {
    const value = kernel.call(body);
    return value === wanted ? 'right' : `read ${value} instead of ${wanted}`;
  } catch (error) {
    if (error instanceof GuestAbort) return `${error.report.kind} at ${error.report.symbol ?? 'nowhere'}`;
    throw error;
  }
};

const program = (kernel: Kernel, source: string, prepare: (space: AddressSpace) => void = () => {}): number =>
  kernel.call(({ programs }) => {
    const made = programs.create(CODE)!;
    made.space.loadCode(CODE, assembled(source));
    prepare(made.space);
    return made.id;
  });

const status = (kernel: Kernel, id: number): number | string => {
  try {
    kernel.run(id);
  } catch (error) {
    if (error instanceof GuestAbort) return `${error.report.kind} in the kernel`;
    throw error;
  }
  const { stop } = kernel.programs.get(id);
  return stop?.reason === 'exit' ? stop.status : (stop?.reason ?? 'nothing');
};

/** Uses a vmalloc page, unmaps it, and uses it once more. */
const useAfterUnmap = (kernel: Kernel): string => {
  const va = kernel.call(({ vmalloc }) => vmalloc.allocate(1))!;
  return mustFault(kernel, () => {
    kernel.port.store(sites.store, va, 0x600dcafe);
    kernel.vmalloc.free(va);
    return kernel.port.load(sites.load, va);
  });
};

/** Fills kernel pages with descriptors that would map a page of the kernel's for programs, as far as memory, and gives the pages back. */
const junk = ({ memory, port }: Kernel, pages: number): void => {
  const taken = Array.from({ length: pages }, () => memory.allocate(1)!);
  const descriptor = smallPage(0x40010000, userAttributes('rw'));
  for (const va of taken) {
    for (let n = 0; n < PAGE; n += 4) port.store(sites.store, va + n, descriptor);
    for (let n = 0; n < PAGE; n += 32) port.mcr(sites.clean, va + n);
  }
  port.dsb(sites.dsb);
  for (const va of taken) memory.free(va, 1);
};

/** Removes an instruction of a routine of the image: the text after `label:` up to the next blank line. */
const editRoutine =
  (label: string, edit: (text: string) => string) =>
  (source: string): string => {
    const start = source.indexOf(`\n${label}:\n`);
    const end = source.indexOf('\n\n', start);
    const text = source.slice(start, end);
    const edited = edit(text);
    if (start < 0 || edited === text) throw new Error(`nothing to change in ${label}`);
    return source.slice(0, start) + edited + source.slice(end);
  };

/** Two programs' spaces with different data, switched to by the kernel, which then reads it. */
const readAfterSwitch = (kernel: Kernel): string => {
  const ids = [1, 2].map(() => program(kernel, EXIT, (space) => space.map(DATA, 1, 'rw')));
  return mustBe(kernel, 12, () => {
    const { port, programs } = kernel;
    const enter = (id: number): void => {
      const { ttbr0, asid } = programs.resume(id);
      port.branch(sites.switch_mm, port.entry('switch_mm'), ttbr0, asid);
    };
    ids.forEach((id, n) => {
      enter(id);
      port.store(sites.store, DATA, n + 1);
    });
    const [first, second] = ids.map((id) => {
      enter(id);
      return port.load(sites.load, DATA);
    });
    return 10 * first! + second!;
  });
};

export const variants: readonly Variant[] = [
  {
    name: 'identity-left',
    mistake: 'the identity entry is cleared, and the TLB keeps it: 0x40000000 is the user’s link address',
    options: without(({ published }) => ({ identityGone: published })),
    use: (kernel) => mustFault(kernel, () => kernel.port.load(sites.load, 0x40010000)),
    core: 'cortex-a15',
    // The first instruction of the image, CPSID, by its physical address.
    architectural: 'read 0xf10e01d3 where nothing is mapped',
    functional: 'right',
    qemu: 'shown',
  },
  {
    name: 'unmap-no-tlbi',
    mistake: 'pages are unmapped and no TLB is told',
    options: without(({ published }) => ({ invalidate: published })),
    use: useAfterUnmap,
    core: 'cortex-a15',
    architectural: 'read 0x600dcafe where nothing is mapped',
    functional: 'read 0x600dcafe where nothing is mapped',
    qemu: 'shown',
  },
  {
    name: 'tlbi-no-dsb',
    mistake: 'the TLB is told and nobody waits for it: no DSB, no ISB',
    options: internals({
      maintenance: (correct, port) => ({
        ...correct,
        invalidate: ({ va, pages }) => {
          port.dsb(sites.dsb);
          for (let n = 0; n < pages; n++) port.mcr(tlbi.mva, va + n * PAGE);
        },
      }),
    }),
    use: useAfterUnmap,
    core: 'armv7-weakest',
    architectural: 'read 0x600dcafe where nothing is mapped',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'table-not-cleaned',
    mistake: 'a new table is cleared in the cache, and its pointer published before memory knows',
    options: without(({ descriptorsWritten }) => ({
      descriptorsWritten: (va, byteLength) => {
        if (byteLength < PAGE) descriptorsWritten(va, byteLength);
      },
    })),
    use: (kernel) => {
      kernel.call(() => junk(kernel, 24));
      const id = program(kernel, `ldr r0, =${DATA + 64 * PAGE}\nldr r0, [r0]\n${EXIT}`, (space) => space.map(DATA, 1, 'rw'));
      const outcome = status(kernel, id);
      return outcome === 'killed' ? 'right' : `the program read what is not mapped: ${outcome}`;
    },
    core: 'armv7-weakest',
    // The same word, which the junk descriptors map for programs.
    architectural: 'the program read what is not mapped: 4044227027',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'descriptor-not-cleaned',
    mistake: 'a descriptor is stored in the cache, and the walker looks at memory',
    options: without(() => ({ descriptorsWritten: () => {} })),
    use: (kernel) => {
      const va = kernel.call(({ vmalloc }) => vmalloc.allocate(1))!;
      return mustBe(kernel, 5, () => {
        kernel.port.store(sites.store, va, 5);
        return kernel.port.load(sites.load, va);
      });
    },
    core: 'armv7-weakest',
    architectural: 'data-abort at console.put',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'walks-not-cacheable',
    mistake: 'TTBR says that walks are not cacheable, the tables are, and nothing is cleaned because the core’s walks are coherent',
    options: internals({ facts: { walkAttributes: 0 } }),
    use: (kernel) => {
      const va = kernel.call(({ vmalloc }) => vmalloc.allocate(1))!;
      return mustBe(kernel, 5, () => {
        kernel.port.store(sites.store, va, 5);
        return kernel.port.load(sites.load, va);
      });
    },
    core: 'cortex-a15',
    architectural: 'data-abort at console.put',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'switch-no-isb',
    mistake: 'the address space is switched without a single ISB',
    options: internals({ source: editRoutine('switch_mm', (text) => text.replaceAll('  isb\n', '')) }),
    use: readAfterSwitch,
    core: 'armv7-weakest',
    architectural: 'data-abort at variant.store',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'asid-reuse',
    mistake: 'every program gets ASID 1, and nothing is invalidated between them',
    options: internals({
      asids: (correct) => Object.assign(correct, { current: () => ({ asid: 1, generation: 1 }) }),
    }),
    use: readAfterSwitch,
    core: 'cortex-a15',
    architectural: 'read 22 instead of 12',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'fork-no-tlbi',
    mistake: 'fork makes pages read-only, and the parent goes on writing through its old translation',
    options: without(({ published }) => ({ invalidateAsid: published })),
    use: (kernel) => {
      const id = program(
        kernel,
        `ldr r4, =${DATA}\nmov r1, #7\nstr r1, [r4]\nmov r7, #3\nsvc #0\ncmp r0, #0\nmovne r1, #9\nstrne r1, [r4]\nldr r0, [r4]\n${EXIT}`,
        (space) => space.mapOnDemand(DATA, 1, 'rw'),
      );
      const parent = status(kernel, id);
      const child = status(kernel, id + 1);
      return parent === 9 && child === 7 ? 'right' : `the parent has ${parent}, the child ${child}`;
    },
    core: 'cortex-a15',
    architectural: 'the parent has 9, the child 9',
    functional: 'the parent has 9, the child 9',
    qemu: 'shown',
  },
  {
    name: 'break-before-make-skipped',
    mistake: 'a page gets another address by one store: no break, no TLBI',
    options: {},
    use: (kernel, wrong) => {
      const va = kernel.call(({ vmalloc }) => vmalloc.allocate(1))!;
      return mustBe(kernel, 2, () => {
        const { memory, port, tables } = kernel;
        const other = memory.allocate(1)!;
        port.store(sites.store, va, 1);
        port.store(sites.store, other, 2);
        const pa = memory.vtop(other);
        if (wrong) tables.map(va, [pa.possible ? pa.address : 0], KERNEL_DATA);
        else tables.replace(va, pa.possible ? pa.address : 0, KERNEL_DATA);
        return port.load(sites.load, va);
      });
    },
    core: 'cortex-a15',
    architectural: 'read 1 instead of 2',
    functional: 'read 1 instead of 2',
    qemu: 'shown',
  },
  {
    name: 'code-no-icache',
    mistake: 'code is written over, cleaned, and the instruction cache keeps what it had',
    options: internals({
      maintenance: (correct, port, facts) => ({
        ...correct,
        codeWritten: (va, byteLength) => {
          for (let at = va - (va % facts.dataLine); at < va + byteLength; at += facts.dataLine) port.mcr(sites.clean, at);
          correct.published();
        },
      }),
    }),
    use: (kernel) => rewritten(kernel),
    core: 'cortex-a15',
    architectural: 'the program did what it was before: yield',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'code-not-cleaned',
    mistake: 'code is written over, the instruction cache invalidated, and what is fetched again is what memory had',
    options: internals({
      maintenance: (correct, port) => ({
        ...correct,
        codeWritten: () => {
          port.mcr(tlbi.iciallu, 0);
          port.mcr(tlbi.bpiall, 0);
          correct.published();
        },
      }),
    }),
    use: (kernel) => rewritten(kernel),
    core: 'armv7-weakest',
    architectural: 'the program did not come back: killed',
    functional: 'right',
    qemu: 'hidden',
  },
  {
    name: 'freed-table-walked',
    mistake: 'an address space is given back while it is current, and its translations stay: a freed table can still be walked',
    options: without(({ published }) => ({ invalidateAsid: published })),
    use: (kernel, wrong) => {
      const id = program(kernel, `ldr r0, =${DATA}\nldr r0, [r0]\nmov r7, #2\nsvc #0\n${EXIT}`, (space) => space.map(DATA, 1, 'rw'));
      const first = status(kernel, id);
      if (first !== 'yield') return `the program did not come back: ${first}`;
      return mustFault(kernel, () => {
        if (wrong) kernel.programs.get(id).space.destroy();
        else kernel.programs.destroy(id);
        return kernel.port.load(sites.load, DATA);
      });
    },
    core: 'cortex-a15',
    architectural: 'read 0x0 where nothing is mapped',
    functional: 'right',
    qemu: 'hidden',
  },
];

/** Operations without the order around them. */
const tlbi = routine('variant_operation', { mva: 'mcr TLBIMVA', iciallu: 'mcr ICIALLU', bpiall: 'mcr BPIALL' });
export const variantSites = [sites, tlbi];

/** A program runs, is written over, and runs again from its start. */
const rewritten = (kernel: Kernel): string => {
  const again = 'mov r0, #1\nmov r7, #2\nsvc #0\n';
  const id = program(kernel, `start:\n${again}b start\n`);
  const first = status(kernel, id);
  if (first !== 'yield') return `the program did not come back: ${first}`;
  kernel.call(({ programs }) => programs.get(id).space.writeCode(CODE, assembled(`${again}mov r0, #9\n${EXIT}`)));
  const second = status(kernel, id);
  return second === 9 ? 'right' : `the program did what it was before: ${second}`;
};
