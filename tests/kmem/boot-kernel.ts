import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { KernelOptions } from '@tablewalk/kmem';
import { Kernel } from '@tablewalk/kmem';

const MIB = 2 ** 20;

/** A kernel on a machine, before it starts. */
export const assembleKernel = (
  options: KernelOptions = {},
  machineOptions: Partial<VirtMachineOptions> = {},
): { readonly kernel: Kernel; readonly machine: VirtMachine } => {
  const ramBytes = options.ramBytes ?? machineOptions.memory ?? 16 * MIB;
  const kernel = new Kernel({ ...options, ramBytes });
  const machine = new VirtMachine({
    memory: ramBytes,
    kernel: kernel.image,
    hypervisorCall: kernel.hypervisorCall,
    ...machineOptions,
  });
  kernel.attach(machine);
  return { kernel, machine };
};

/** The same, booted. */
export const bootKernel = (options: KernelOptions = {}, machineOptions: Partial<VirtMachineOptions> = {}) => {
  const booted = assembleKernel(options, machineOptions);
  booted.kernel.boot();
  return booted;
};
