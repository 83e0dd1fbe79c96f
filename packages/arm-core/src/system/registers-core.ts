import type { Snapshot, Stateful } from '@tablewalk/machine/contracts';
import type { CoreProfile } from '../profiles/profile.js';
import type { RegisterBank } from './register-bank.js';
import { defineCacheRegisters } from './registers-cache.js';
import { defineControlRegisters } from './registers-control.js';
import { defineDebugRegisters } from './registers-debug.js';
import { SystemRegisterError } from './registers-error.js';
import type { CoreRegisterHost, RegisterGroup } from './registers-host.js';
import { defineIdRegisters } from './registers-id.js';
import type { PerformanceMonitors } from './registers-performance.js';
import { definePerformanceRegisters } from './registers-performance.js';

const SCHEMA = 'arm-core/registers';
const VERSION = 1;

/** The registers of CP14 and CP15 that belong to the core itself: not the MMU's, not the generic timer's. */
export interface CoreRegisters extends Stateful {
  reset(): void;
  /** A context synchronization event: writes that came before have their effect now. */
  synchronize(): void;
  /** For the core's privilege changes; see there. */
  readonly performance: PerformanceMonitors;
  /** `data` holds unsigned words by register name. */
  snapshot(): Snapshot<Readonly<Record<string, number>>>;
}

const isWord = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

/** Defines them all and gives them their power-on values. Throws when the profile lacks a register or the bank has one already. */
export function defineCoreRegisters(bank: RegisterBank, profile: CoreProfile, host: CoreRegisterHost): CoreRegisters {
  defineIdRegisters(bank, profile);
  const performance = definePerformanceRegisters(bank, profile, host);
  const groups: readonly RegisterGroup[] = [
    defineControlRegisters(bank, profile, host),
    defineCacheRegisters(bank, profile, host),
    performance,
    defineDebugRegisters(bank, profile, host),
  ];
  const state = (): Record<string, number> => Object.assign({}, ...groups.map((group) => group.state()));
  return {
    performance,
    reset: () => {
      for (const group of groups) group.reset();
    },
    synchronize: () => {
      for (const group of groups) group.synchronize?.();
    },
    snapshot: () => ({ schema: SCHEMA, version: VERSION, data: state() }),
    restore: ({ schema, version, data }) => {
      if (schema !== SCHEMA || version !== VERSION)
        throw new SystemRegisterError('registers', `cannot restore ${schema} version ${version}: ${SCHEMA} version ${VERSION} is wanted`);
      const values = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
      const expected = Object.keys(state());
      for (const name of expected)
        if (!isWord(values[name])) throw new SystemRegisterError('registers', `the snapshot has no 32-bit value for ${name}`);
      for (const name of Object.keys(values))
        if (!expected.includes(name)) throw new SystemRegisterError('registers', `the snapshot has ${name}, which ${profile.name} has not`);
      for (const group of groups) group.restore(values as Record<string, number>);
    },
  };
}
