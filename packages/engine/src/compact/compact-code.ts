import type { BlockCompiler } from '../closures/compile.js';
import type { ClosureEnvironment } from '../closures/environment.js';
import { CompactCompiler } from './compiler.js';
import type { CompactRun } from './interpreter.js';
import { compactInterpreter } from './interpreter.js';
import { KernelNumbers } from './kernels.js';
import { rehearse } from './rehearsal.js';
import { CompactStore } from './store.js';

/** Compact code of one core: where it is, what makes it, and what executes it. */
export interface CompactCode {
  readonly store: CompactStore;
  readonly compiler: BlockCompiler;
  readonly run: CompactRun;
}

/** `capacity` in words: an instruction takes five or six. */
export const compactCode = (env: ClosureEnvironment, capacity: number): CompactCode => {
  const store = new CompactStore(capacity);
  const kernels = new KernelNumbers(env.state, env.bound);
  const run = compactInterpreter(env, store, kernels);
  rehearse(env, store, run);
  return { store, compiler: new CompactCompiler(store, kernels, env), run };
};
