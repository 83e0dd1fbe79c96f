/** Exit statuses, as documented in the README. */
export const EXIT_USAGE = 64;
export const EXIT_CRASHED = 66;
export const EXIT_LIMIT = 124;

/** Bad input: one clear line on standard error, exit status 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
