import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { Kernel } from '@tablewalk/kmem';
import { modelOptions } from '../memory-models.js';
import { resolvePlugin } from '../plugins.js';
import type { KernelArguments } from './arguments.js';
import { guestAllocatorKind, guestObjectCacheKind, policyKind } from './kinds.js';

/** A kernel on its machine, as the arguments want it, before it starts. */
export const makeKernel = async (args: KernelArguments): Promise<{ readonly kernel: Kernel; readonly machine: VirtMachine }> => {
  const policy = await resolvePlugin(policyKind, args.policy);
  const allocator = await resolvePlugin(guestAllocatorKind, args.allocator);
  const objectCache = args.objectCache === undefined ? undefined : await resolvePlugin(guestObjectCacheKind, args.objectCache);
  const kernel = new Kernel({
    ramBytes: args.memoryBytes,
    policy: policy.create(),
    allocator: allocator.create(),
    poison: args.poison,
    vmalloc: { unmapping: args.lazyUnmapping ? 'lazy' : 'eager' },
    ...(objectCache && { objectCache: objectCache.create() }),
    ...(args.loadAddress !== undefined && { loadAddress: args.loadAddress }),
    ...(args.split !== undefined && { split: args.split }),
  });
  const machine = new VirtMachine({
    memory: args.memoryBytes,
    cpu: args.cpu,
    kernel: kernel.image,
    hypervisorCall: kernel.hypervisorCall,
    ...(await modelOptions(args)),
  });
  kernel.attach(machine);
  return { kernel, machine };
};
