import type { InlineVector, VectorKernel } from '@tablewalk/engine';
import { floatPrecisions, inlineFloat as inline } from '@tablewalk/engine';
import * as convert from '../fp/vfp-convert-kernels.js';
import * as vfp from '../fp/vfp-kernels.js';

const { double, single } = floatPrecisions;

/** VFP kernels that the translator writes out. */
export const fpInlines: readonly (readonly [VectorKernel, InlineVector])[] = [
  [vfp.vaddF64, inline.inlineAdd(double, false)],
  [vfp.vaddF32, inline.inlineAdd(single, false)],
  [vfp.vsubF64, inline.inlineAdd(double, true)],
  [vfp.vsubF32, inline.inlineAdd(single, true)],
  [vfp.vmulF64, inline.inlineMultiply(double, false)],
  [vfp.vmulF32, inline.inlineMultiply(single, false)],
  [vfp.vnmulF64, inline.inlineMultiply(double, true)],
  [vfp.vnmulF32, inline.inlineMultiply(single, true)],
  [vfp.vdivF64, inline.inlineDivide(double)],
  [vfp.vdivF32, inline.inlineDivide(single)],
  [vfp.vsqrtF64, inline.inlineSquareRoot(double)],
  [vfp.vsqrtF32, inline.inlineSquareRoot(single)],
  [vfp.vmlaF64, inline.inlineChained(double, false, false)],
  [vfp.vmlaF32, inline.inlineChained(single, false, false)],
  [vfp.vmlsF64, inline.inlineChained(double, false, true)],
  [vfp.vmlsF32, inline.inlineChained(single, false, true)],
  [vfp.vnmlaF64, inline.inlineChained(double, true, true)],
  [vfp.vnmlaF32, inline.inlineChained(single, true, true)],
  [vfp.vnmlsF64, inline.inlineChained(double, true, false)],
  [vfp.vnmlsF32, inline.inlineChained(single, true, false)],
  [vfp.vfmaF64, inline.inlineFusedF64(false, false)],
  [vfp.vfmsF64, inline.inlineFusedF64(false, true)],
  [vfp.vfnmaF64, inline.inlineFusedF64(true, true)],
  [vfp.vfnmsF64, inline.inlineFusedF64(true, false)],
  [vfp.vfmaF32, inline.inlineFusedF32(false, false)],
  [vfp.vfmsF32, inline.inlineFusedF32(false, true)],
  [vfp.vfnmaF32, inline.inlineFusedF32(true, true)],
  [vfp.vfnmsF32, inline.inlineFusedF32(true, false)],
  [vfp.vcmpF64, inline.inlineCompare(double)],
  [vfp.vcmpF32, inline.inlineCompare(single)],
  [vfp.vcmpeF64, inline.inlineCompare(double)],
  [vfp.vcmpeF32, inline.inlineCompare(single)],
  [convert.vcvtF64S32, inline.inlineFromInteger(double, false)],
  [convert.vcvtF64U32, inline.inlineFromInteger(double, true)],
  [convert.vcvtF32S32, inline.inlineFromInteger(single, false)],
  [convert.vcvtF32U32, inline.inlineFromInteger(single, true)],
  [convert.vcvtS32F64, inline.inlineToInteger(double, false)],
  [convert.vcvtU32F64, inline.inlineToInteger(double, true)],
  [convert.vcvtS32F32, inline.inlineToInteger(single, false)],
  [convert.vcvtU32F32, inline.inlineToInteger(single, true)],
  [convert.vcvtF64F32, inline.inlineWiden],
  [convert.vcvtF32F64, inline.inlineNarrow],
];
