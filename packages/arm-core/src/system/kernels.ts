import type { CallKernel } from '@tablewalk/engine';
import type { CoreSystem } from './core-system.js';

export type SystemKernel = CallKernel<CoreSystem>;

/** Makes a CALL kernel; `run` gets the core and up to three values. */
export const systemKernel = (name: string, run: (core: CoreSystem, a: number, b: number, c: number) => number | void): SystemKernel => ({
  kind: 'call',
  name,
  run: (core, a, b, c) => run(core, a, b, c) ?? 0,
});

export const raiseUndefined = systemKernel('undefined', (core) => core.takeUndefined());
export const raiseSvc = systemKernel('svc', (core, immediate) => core.takeSvc(immediate));
