/** Exit statuses, as documented in the README. */
export const EXIT_USAGE = 64;
export const EXIT_CRASHED = 66;
export const EXIT_DIFFERENCE = 67;
export const EXIT_LIMIT = 124;

/** Errors whose message is the whole story: the user, not the program, can mend them. */
const clear = new Set([
  'UsageError',
  'BootError',
  'FdtError',
  'LoaderError',
  'MachineError',
  'DeviceError',
  'AssemblerError',
  'KmemError',
  'AllocError',
  'MmuError',
]);

/** The line for a user's mistake or a failing file system; undefined for an error of the program's own. */
export const userMessage = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  const line = error.message.split('\n')[0]!;
  if (clear.has(error.name)) return line.replace(/^(\[[^\]]*\] )+/, '');
  return code !== undefined && syscall !== undefined ? line : undefined;
};

/** Bad input: one clear line on standard error, exit status 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
