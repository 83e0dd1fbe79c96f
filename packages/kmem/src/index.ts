export type { BootEvent, BootStep } from './boot/boot-log.js';
export { BootLog } from './boot/boot-log.js';
export type { BootRecord, EarlyMap, PhysicalRange } from './boot/early.js';
export { EarlyBoot } from './boot/early.js';
export type { CoreFacts } from './core-facts.js';
export type { Costs } from './costs.js';
export { costsBetween } from './costs.js';
export type { Attributes } from './descriptors.js';
export {
  KERNEL_DATA,
  KERNEL_DEVICE,
  KERNEL_IDENTITY,
  KERNEL_TEXT,
  section,
  smallPage,
  tablePointer,
  userAttributes,
} from './descriptors.js';
export type { AbortReport } from './guest-abort.js';
export { GuestAbort } from './guest-abort.js';
export { guestWords } from './guest-words.js';
export type { WalkRequest } from './hardware-walk.js';
export { hardwareWalk } from './hardware-walk.js';
export type { KernelProgram, KernelSymbol, ProgramOptions } from './image/program.js';
export { kernelProgram } from './image/program.js';
export type { Cp15Name, Site, SiteKind, SiteList } from './image/sites.js';
export { CP15, routine } from './image/sites.js';
export type { StartupOptions } from './image/startup.js';
export type { GuestExceptionKind } from './image/traps.js';
export { Kernel } from './kernel.js';
export type { KernelInternals, KernelOptions } from './kernel-options.js';
export type { AllocatorPictures } from './kernel-parts.js';
export { KernelTables } from './kernel-tables.js';
export { KmemError } from './kmem-error.js';
export type { KernelLayout, LayoutOptions, Region } from './layout.js';
export { kernelLayout, linearToPhysical, physicalToLinear, regionsOf, VMALLOC_END, VMALLOC_START } from './layout.js';
export type { KernelMachine } from './machine.js';
export type { Maintenance, Stale } from './maintenance.js';
export { maintenance } from './maintenance.js';
export { POISON } from './poison.js';
export { directMap } from './policies/direct-map.js';
export type { PmmVmmOptions } from './policies/pmm-vmm.js';
export { pmmVmm } from './policies/pmm-vmm.js';
export type { AllocateOptions, KernelMemory, MemoryPolicy, NotPossible, PolicySurroundings, Translated } from './policies/policy.js';
export { POLICY_CONTRACT } from './policies/policy.js';
export type { KernelPort } from './port.js';
export { CpuPort } from './port.js';
export { buddyInfo, extFrag, slabInfo } from './reports.js';
export type { AddressSpaceState, FaultAnswer, Rights, UserRegion, UserSurroundings } from './user/address-space.js';
export { AddressSpace } from './user/address-space.js';
export type { AsidState, AsidTag } from './user/asids.js';
export { Asids } from './user/asids.js';
export type { ProgramSurroundings, ProgramTableState } from './user/program-table.js';
export { ProgramTable } from './user/program-table.js';
export type { Program, ProgramStop } from './user/programs.js';
export { SYS_EXIT, SYS_FORK, SYS_GETPID, SYS_PUTC, SYS_YIELD } from './user/programs.js';
export type { VmallocOptions, VmallocState } from './vmalloc.js';
export { Vmalloc } from './vmalloc.js';
export type { Workload } from './workloads.js';
export { workloads } from './workloads.js';
