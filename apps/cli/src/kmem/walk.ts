import { Output } from '../output.js';
import { withSavedMachine } from '../run.js';
import type { WalkArguments } from './arguments.js';
import { makeKernel } from './boot.js';
import { walkLines } from './walk-text.js';

/** `tablewalk walk`: of the kernel of packages/kmem, booted for it, or of a machine that `run --save` wrote. Resolves with the exit status. */
export const walk = async (args: WalkArguments): Promise<number> => {
  const output = new Output(1);
  if (args.load !== undefined) {
    const lines = await withSavedMachine(args.load, ({ mmu }) => walkLines(mmu, args.address));
    output.write(`${lines.join('\n')}\n`);
    return 0;
  }
  const { kernel, machine } = await makeKernel(args.kernel);
  kernel.boot();
  const symbol = kernel.program.symbolAt(args.address);
  if (symbol !== undefined) output.write(`${symbol}\n`);
  output.write(`${walkLines(machine.mmu, args.address).join('\n')}\n`);
  return 0;
};
