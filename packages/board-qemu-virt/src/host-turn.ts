/** The host's event loop gets a turn, by whatever timer the platform has. */
export const hostTurn = (): Promise<void> => {
  const host = globalThis as { setImmediate?: (run: () => void) => unknown; setTimeout?: (run: () => void, ms: number) => unknown };
  return new Promise((resolve) => {
    if (host.setImmediate) host.setImmediate(resolve);
    else if (host.setTimeout) host.setTimeout(resolve, 0);
    else resolve();
  });
};
