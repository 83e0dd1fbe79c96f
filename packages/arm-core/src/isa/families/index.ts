import type { Encoding } from '../encoding.js';
import { coprocessorInstructions } from './coprocessor.js';
import { exclusive } from './exclusive.js';
import { loadStore } from './load-store.js';
import { loadStoreExtra } from './load-store-extra.js';
import { loadStoreMultiple } from './load-store-multiple.js';
import { system } from './system.js';
import { vfpDataProcessing } from './vfp.js';
import { vfpTransfers } from './vfp-transfer.js';

/** Every encoding, A32, T32 and T16. */
export const encodings: readonly Encoding[] = [
  ...loadStore,
  ...loadStoreExtra,
  ...loadStoreMultiple,
  ...exclusive,
  ...system,
  ...coprocessorInstructions,
  ...vfpDataProcessing,
  ...vfpTransfers,
];
