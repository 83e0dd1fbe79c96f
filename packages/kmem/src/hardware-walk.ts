import type { VirtAddr } from '@tablewalk/machine';
import { routine } from './image/sites.js';
import type { KernelPort } from './port.js';

export const hardwareWalkSites = routine('hardware_walk', {
  kernel_read: 'mcr ATS1CPR',
  kernel_write: 'mcr ATS1CPW',
  user_read: 'mcr ATS1CUR',
  user_write: 'mcr ATS1CUW',
  isb: 'isb',
  par: 'mrc PAR',
});

/** Who asks the MMU, and for what. */
export type WalkRequest = 'kernel_read' | 'kernel_write' | 'user_read' | 'user_write';

/** PAR after the CPU's own address translation operation (ARM DDI 0406C, B4.2.4): what its MMU makes of a VA now. */
export const hardwareWalk = (port: KernelPort, va: VirtAddr, request: WalkRequest): number => {
  port.mcr(hardwareWalkSites[request], va);
  port.isb(hardwareWalkSites.isb);
  return port.mrc(hardwareWalkSites.par);
};
