import { cortexA7 } from './cortex-a7.js';
import { cortexA15 } from './cortex-a15.js';
import type { CoreProfile } from './profile.js';

export { cortexA7 } from './cortex-a7.js';
export { cortexA15 } from './cortex-a15.js';
export type { CoreProfile } from './profile.js';

/** The cores that `--cpu` knows, by QEMU's name. */
export const coreProfiles: Readonly<Record<string, CoreProfile>> = {
  'cortex-a7': cortexA7,
  'cortex-a15': cortexA15,
};
