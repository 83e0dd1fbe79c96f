/** Thrown to leave a block after an exception was taken: not an error, so it carries no stack and costs little. */
export const GUEST_EXIT = Symbol('guest exception taken');
