import { seededRandom } from '@tablewalk/alloc/guest';
import { assemble } from '@tablewalk/arm-core';
import type { VirtAddr } from '@tablewalk/machine';
import type { Kernel } from './kernel.js';
import { KmemError } from './kmem-error.js';

/** Something for a booted kernel to do: the same for the same seed, whatever policy and allocators are. */
export interface Workload {
  readonly name: string;
  readonly description: string;
  run(kernel: Kernel, seed: number): void;
}

/** Pages as a kernel takes them: mostly one, now and then many, half of them living on. */
const pages: Workload = {
  name: 'pages',
  description: '2000 operations on kernel pages, 1 to 32 at a time',
  run: (kernel, seed) => {
    const random = seededRandom(seed);
    const live: { readonly va: VirtAddr; readonly count: number }[] = [];
    for (let n = 0; n < 2000; n++)
      kernel.call(({ memory }) => {
        if (live.length > 0 && (random.below(2) === 0 || live.length > 200)) {
          const [{ va, count }] = live.splice(random.below(live.length), 1) as [(typeof live)[number]];
          memory.free(va, count);
          return;
        }
        const count = random.below(4) > 0 ? 1 : 1 << random.below(6);
        const va = memory.allocate(count);
        if (va !== undefined) live.push({ va, count });
      });
    kernel.call(({ memory }) => {
      for (const { va, count } of live) memory.free(va, count);
    });
  },
};

const vmalloc: Workload = {
  name: 'vmalloc',
  description: '300 areas of 1 to 16 pages, mapped and unmapped',
  run: (kernel, seed) => {
    const random = seededRandom(seed);
    const live: VirtAddr[] = [];
    for (let n = 0; n < 300; n++)
      kernel.call(({ vmalloc: areas }) => {
        const va = areas.allocate(1 + random.below(16));
        if (va !== undefined) live.push(va);
        if (live.length > 20 || va === undefined) areas.free(live.splice(random.below(live.length), 1)[0]!);
      });
    kernel.call(({ vmalloc: areas }) => {
      for (const va of live) areas.free(va);
      areas.purge();
    });
  },
};

/** Writes a pattern over its pages, forks, and both write again and look: the exit status is the number of words that were wrong. */
const forkingProgram = `
  .equ DATA, 0x10000000
  .equ PAGES, 8
  mov   r4, #DATA
  mov   r5, #PAGES
1:
  str   r4, [r4]
  add   r4, r4, #4096
  subs  r5, r5, #1
  bne   1b
  mov   r7, #3                  @ fork
  svc   #0
  mov   r8, r0
  mov   r4, #DATA
  mov   r5, #PAGES
  mov   r6, #0
2:
  ldr   r1, [r4]
  cmp   r1, r4
  addne r6, r6, #1
  add   r1, r4, r8
  str   r1, [r4]                @ a copy of its own
  ldr   r2, [r4]
  cmp   r1, r2
  addne r6, r6, #1
  add   r4, r4, #4096
  subs  r5, r5, #1
  bne   2b
  mov   r0, r6
  mov   r7, #0                  @ exit
  svc   #0
`;

const programs: Workload = {
  name: 'programs',
  description: '12 programs that touch 8 pages, fork, and write to what they share',
  run: (kernel) => {
    const { userLink } = kernel.layout;
    const code = assemble(forkingProgram, { origin: userLink }).bytes;
    for (let n = 0; n < 12; n++) {
      const id = kernel.call(({ programs: table }) => {
        const program = table.create(userLink);
        if (program === undefined || !program.space.loadCode(userLink, code))
          throw new KmemError('workload', 'there is no memory for a program');
        program.space.mapOnDemand(0x10000000, 8, 'rw');
        return program.id;
      });
      kernel.run(id);
      const child = id + 1;
      kernel.run(child);
      for (const one of [child, id]) {
        const { stop } = kernel.programs.get(one);
        if (stop?.reason !== 'exit' || stop.status !== 0)
          throw new KmemError('workload', `program ${one} ended with ${JSON.stringify(stop)} and not with status 0`);
        kernel.call(({ programs: table }) => table.destroy(one));
      }
    }
  },
};

const all: Workload = {
  name: 'all',
  description: 'the others, one after the other',
  run: (kernel, seed) => {
    pages.run(kernel, seed);
    vmalloc.run(kernel, seed);
    programs.run(kernel, seed);
  },
};

/** What `--workload` of the command knows. */
export const workloads: readonly Workload[] = [pages, vmalloc, programs, all];
