import type { Encoding } from '../encoding.js';
import { dataProcessingA32 } from './data-processing-a32.js';
import { dataProcessingT16 } from './data-processing-t16.js';
import { dataProcessingT32 } from './data-processing-t32.js';

/** Data processing (ARM DDI 0406C, A5.2.1-A5.2.3, A6.2.1-A6.2.4, A6.3.1-A6.3.3, A6.3.11). */
export const dataProcessing: readonly Encoding[] = [...dataProcessingA32, ...dataProcessingT32, ...dataProcessingT16];
