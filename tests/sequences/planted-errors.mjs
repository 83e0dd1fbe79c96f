const wasm = 'packages/engine/src/wasm';

/** Errors of the translator that the random sequences must find. `from` stands once in the file. */
export const plantedErrors = [
  { name: 'carry of equal operands', file: `${wasm}/flag-state.ts`, from: 'w.op(wasm.I32_GE_U);', to: 'w.op(wasm.I32_GT_U);' },
  { name: 'overflow of a sum', file: `${wasm}/flag-state.ts`, from: 'w.get(subtract ? this.x : this.y);', to: 'w.get(this.x);' },
  { name: 'signed comparison with zero', file: `${wasm}/flag-state.ts`, from: 'w.op(wasm.I32_GE_S);', to: 'w.op(wasm.I32_GT_S);' },
  {
    name: 'carry of a sum with carry',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.I32_OR);',
    to: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.I32_AND);',
  },
  {
    name: 'base register after a fault',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'for (const { word, local } of this.saved) this.restore(word, local);',
    to: '',
  },
  {
    name: 'flags on the path around a condition',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'if (!leaves) flags.flushTo(inside);\n    w.if();',
    to: 'w.if();',
  },
  { name: 'sign of a big-endian halfword', file: `${wasm}/memory-emitter.ts`, from: 'if (isSigned) w.op(wasm.I32_EXTEND16_S);', to: '' },
  { name: 'order of a stored halfword', file: `${wasm}/memory-emitter.ts`, from: 'if (flags & op.MEM_SWAP) emitReverseHalf(w);', to: '' },
  {
    name: 'code that changes at a region’s end',
    file: 'packages/arm-core/src/core/region-runner.ts',
    from: 'for (let k = first; k < end; k++) granules |= 1 << (region.builder.offsets[k]! >>> 7);\n        granules |= 1 << (Math.min(next - 1, 4095) >>> 7);',
    to: 'granules |= 1 << (region.builder.offsets[first]! >>> 7);',
  },
  {
    name: 'instructions of a block',
    file: `${wasm}/region-emitter.ts`,
    from: 'w.i32(count);\n    w.op(wasm.I32_SUB);',
    to: 'w.i32(count > 6 ? count - 1 : count);\n    w.op(wasm.I32_SUB);',
  },
  {
    name: 'carry of a shift by 32',
    file: `${wasm}/emit-values.ts`,
    from: 'w.op(wasm.I32_LE_U);\n    w.op(wasm.SELECT);',
    to: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.SELECT);',
  },
];
