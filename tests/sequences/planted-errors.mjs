const wasm = 'packages/engine/src/wasm';

/**
 * Errors of the translator that the random sequences must find. `from` stands once in the file. What InstructionEmitter restores of an instruction that
 * leaves is not among them: no encoding writes a register before its last access, so only packages/engine's own tests reach it. Nor is what StateVectors asks
 * about words that a group has written already: no encoding reads one of them after that.
 */
export const plantedErrors = [
  { name: 'carry of equal operands', file: `${wasm}/flag-state.ts`, from: 'w.op(wasm.I32_GE_U);', to: 'w.op(wasm.I32_GT_U);' },
  { name: 'overflow of a sum', file: `${wasm}/flag-state.ts`, from: 'w.get(subtract ? this.x : this.y);', to: 'w.get(this.x);' },
  { name: 'signed comparison with zero', file: `${wasm}/flag-state.ts`, from: 'w.op(wasm.I32_GE_S);', to: 'w.op(wasm.I32_GT_S);' },
  {
    name: 'carry of a sum with carry',
    file: `${wasm}/flag-state.ts`,
    from: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.I32_OR);',
    to: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.I32_AND);',
  },
  {
    name: 'a register where a block is left in its middle',
    file: `${wasm}/region-leaves.ts`,
    from: 'storeRegisters(this.frame.plan.writtenRegisters);',
    to: 'storeRegisters(this.frame.plan.writtenRegisters & ~(1 << 9));',
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
  {
    name: 'flags where two ways meet',
    file: `${wasm}/flag-state.ts`,
    from: 'if (formula !== 0 && ((a ^ b) & (C_LOCAL | V_LOCAL)) === 0) {',
    to: 'if (formula !== 0) {',
  },
  {
    name: 'flags that a loop begins with',
    file: `${wasm}/flag-state.ts`,
    from: 'w.i32(subtract ? 1 : 0x80000000 | 0);',
    to: 'w.i32(0x80000000 | 0);',
  },
  {
    name: 'a condition after a sum',
    file: `${wasm}/flag-state.ts`,
    from: 'if (this.mask !== afterArithmetic(true) ||',
    to: 'if ((this.mask & NZ_OF_OPERANDS) === 0 ||',
  },
  {
    name: 'a call that comes back in another mode',
    file: `${wasm}/region-ways.ts`,
    from: 'w.loadWord(DECODE_MODE);\n    w.i32(this.frame.mode.key);\n    w.op(wasm.I32_NE);\n    w.brIf(missing);',
    to: '',
  },
  { name: 'time that a call took', file: `${wasm}/region-ways.ts`, from: 'w.loadWord(BUDGET);\n      w.set(this.frame.budget);', to: '' },
  {
    name: 'accesses that are looked up together, in two pages',
    file: `${wasm}/access-groups.ts`,
    from: 'return last - beyond - this.low;',
    to: 'return 0;',
  },
  { name: 'a list that crosses a page', file: `${wasm}/memory-emitter.ts`, from: 'w.i32(bytes - alignment);', to: 'w.i32(0);' },
  {
    name: 'an access without privilege',
    file: `${wasm}/memory-emitter.ts`,
    from: 'return this.privileged && (flags & op.MEM_UNPRIVILEGED) === 0;',
    to: 'return this.privileged;',
  },
  {
    name: 'division by zero',
    file: `${wasm}/emit-values.ts`,
    from: 'w.else();\n  w.i32(0);\n  w.end();\n};',
    to: 'w.else();\n  w.i32(-1);\n  w.end();\n};',
  },
  {
    name: 'infinities and NaNs',
    file: `${wasm}/float-work.ts`,
    from: 'this.w.i32(this.p.notFinite);',
    to: 'this.w.i32(-1);',
  },
  {
    name: 'a word that is moved into a register that is computed with',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'if (isSimdWord(a)) this.simd.wrote(a, 1);',
    to: '',
  },
  {
    name: 'QC of a saturating sum',
    file: 'packages/arm-core/src/core/neon-inlines.ts',
    from: 'k.saturated(r, k.keep());',
    to: 'k.keep();',
  },
  {
    name: 'an arithmetic shift of lanes by their width',
    file: 'packages/arm-core/src/core/neon-inlines.ts',
    from: 'k.shift(code, bits - 1);',
    to: 'k.shift(code, bits - 2);',
  },
  {
    name: 'the word beside the sign of a double',
    file: `${wasm}/state-vectors.ts`,
    from: ': identity[kind]!)),',
    to: ': 0)),',
  },
  {
    name: 'budget where the interpreter is called for an instruction',
    file: `${wasm}/region-leaves.ts`,
    from: 'w.i32(at.block.end - at.instruction);',
    to: 'w.i32(at.block.end - at.instruction - 1);',
  },
];
