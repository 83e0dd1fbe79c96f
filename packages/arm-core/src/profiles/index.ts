import { armv7Weakest } from './armv7-weakest.js';
import { cortexA7 } from './cortex-a7.js';
import { cortexA8 } from './cortex-a8.js';
import { cortexA9 } from './cortex-a9.js';
import { cortexA15 } from './cortex-a15.js';
import type { CoreProfile } from './profile.js';

export { armv7Weakest } from './armv7-weakest.js';
export { cortexA7 } from './cortex-a7.js';
export { cortexA8 } from './cortex-a8.js';
export { cortexA9 } from './cortex-a9.js';
export { cortexA15 } from './cortex-a15.js';
export type { CoreProfile } from './profile.js';

/** The cores that `--cpu` knows, by QEMU's name where QEMU has them. */
export const coreProfiles: Readonly<Record<string, CoreProfile>> = {
  'cortex-a7': cortexA7,
  'cortex-a8': cortexA8,
  'cortex-a9': cortexA9,
  'cortex-a15': cortexA15,
  'armv7-weakest': armv7Weakest,
};
