import type { InlineVector, VectorKernel } from '@tablewalk/engine';
import { inlineBinaryF32, inlineBinaryF64, wasm } from '@tablewalk/engine';
import { vaddF32, vaddF64, vdivF32, vdivF64, vmulF32, vmulF64, vsubF32, vsubF64 } from '../fp/vfp-kernels.js';

/** Floating-point kernels that the translator writes out. */
export const fpInlines: ReadonlyMap<VectorKernel, InlineVector> = new Map([
  [vaddF64, inlineBinaryF64(wasm.F64_ADD)],
  [vsubF64, inlineBinaryF64(wasm.F64_SUB)],
  [vmulF64, inlineBinaryF64(wasm.F64_MUL)],
  [vdivF64, inlineBinaryF64(wasm.F64_DIV)],
  [vaddF32, inlineBinaryF32(wasm.F32_ADD)],
  [vsubF32, inlineBinaryF32(wasm.F32_SUB)],
  [vmulF32, inlineBinaryF32(wasm.F32_MUL)],
  [vdivF32, inlineBinaryF32(wasm.F32_DIV)],
]);
