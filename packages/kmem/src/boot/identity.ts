import type { VirtAddr } from '@tablewalk/machine';
import { routine } from '../image/sites.js';
import type { Maintenance } from '../maintenance.js';
import type { KernelPort } from '../port.js';

export const identitySites = routine('kmem_remove_identity', { store: 'store' });

/**
 * Takes the identity page away: the entry is cleared, the walker shall see it, and no TLB may keep it, for its address is the user's link address and
 * the entry is global. `entry` is the kernel's address of the descriptor.
 *
 * TTBCR.PD0 would be the way to switch TTBR0's walks off; without the Security Extensions it does not exist (ARM DDI 0406C, B4.1.153), as on this
 * board. The table, empty now, does the same on every core, so it stays.
 */
export const removeIdentity = (port: KernelPort, maintenance: Maintenance, entry: VirtAddr): void => {
  port.store(identitySites.store, entry, 0);
  maintenance.descriptorsWritten(entry, 4);
  maintenance.identityGone();
};
