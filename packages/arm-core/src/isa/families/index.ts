import type { Encoding } from '../encoding.js';
import { bitFields } from './bit-field.js';
import { branches } from './branch.js';
import { coprocessorInstructions } from './coprocessor.js';
import { dataProcessing } from './data-processing.js';
import { exceptionGenerating } from './exception-generating.js';
import { exclusive } from './exclusive.js';
import { hints } from './hints.js';
import { loadStore } from './load-store.js';
import { loadStoreExtra } from './load-store-extra.js';
import { loadStoreMultiple } from './load-store-multiple.js';
import { media } from './media.js';
import { multiplies } from './multiply.js';
import { neonMemory } from './neon-memory.js';
import { neonMisc } from './neon-misc.js';
import { neonMixed } from './neon-mixed.js';
import { neonShift } from './neon-shift.js';
import { neonThree } from './neon-three.js';
import { shifts } from './shift.js';
import { system } from './system.js';
import { vfpDataProcessing } from './vfp.js';
import { vfpTransfers } from './vfp-transfer.js';

/** Every encoding, A32, T32 and T16. */
export const encodings: readonly Encoding[] = [
  ...bitFields,
  ...branches,
  ...dataProcessing,
  ...exceptionGenerating,
  ...hints,
  ...media,
  ...multiplies,
  ...shifts,
  ...loadStore,
  ...loadStoreExtra,
  ...loadStoreMultiple,
  ...exclusive,
  ...system,
  ...coprocessorInstructions,
  ...vfpDataProcessing,
  ...vfpTransfers,
  ...neonThree,
  ...neonMixed,
  ...neonShift,
  ...neonMisc,
  ...neonMemory,
];
