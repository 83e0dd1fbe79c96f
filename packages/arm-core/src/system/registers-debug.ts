import type { SystemRegister } from '@tablewalk/machine/contracts';
import type { CoreProfile } from '../profiles/profile.js';
import type { RegisterBank } from './register-bank.js';
import type { CoreRegisterHost, RegisterGroup } from './registers-host.js';
import { profileRegister } from './registers-id.js';

/** Writing this to DBGOSLAR locks, anything else unlocks (ARM DDI 0406C.d, C11.11.30). */
const OS_LOCK_KEY = 0xc5acce55;
const DSCR_MDBGEN = 1 << 15;

/**
 * CP14: debug registers as QEMU has them (ARM DDI 0406C.d, C11.11), ThumbEE and Jazelle. The registers keep what is written and no breakpoint or
 * watchpoint fires; the first one that a guest arms is reported.
 */
export function defineDebugRegisters(bank: RegisterBank, profile: CoreProfile, host: CoreRegisterHost): RegisterGroup {
  const id = (name: string): number => profileRegister(profile, name);
  const didr = id('DBGDIDR');
  const breakpoints = ((didr >>> 24) & 0xf) + 1;
  const watchpoints = (didr >>> 28) + 1;
  const values: Record<string, number> = { DBGDSCR: 0, OSLOCK: 1, DBGOSDLR: 0, TEECR: 0, TEEHBR: 0 };
  let reported = false;

  const define = (opc1: number, crn: number, crm: number, opc2: number, register: SystemRegister): void =>
    bank.define({ cp: 14, opc1, crn, crm, opc2 }, register);
  const stored = (opc1: number, crn: number, crm: number, opc2: number, name: string, store: (value: number) => number): void => {
    values[name] = 0;
    define(opc1, crn, crm, opc2, {
      name,
      read: () => values[name]!,
      write: (value) => {
        values[name] = store(value) >>> 0;
        reportArmed();
      },
    });
  };
  const ignored = (opc1: number, crn: number, crm: number, opc2: number, name: string): void =>
    define(opc1, crn, crm, opc2, { name, read: () => 0, write: () => {} });

  const armed = (): boolean => {
    if ((values['DBGDSCR']! & DSCR_MDBGEN) === 0) return false;
    for (let i = 0; i < breakpoints; i++) if ((values[`DBGBCR${i}`]! & 1) !== 0) return true;
    for (let i = 0; i < watchpoints; i++) if ((values[`DBGWCR${i}`]! & 1) !== 0) return true;
    return false;
  };
  const reportArmed = (): void => {
    if (reported || !armed()) return;
    reported = true;
    host.diagnostics?.unimplemented('core', 'a hardware breakpoint or watchpoint is enabled: none will fire');
  };

  for (let i = 0; i < breakpoints; i++) {
    stored(0, 0, i, 4, `DBGBVR${i}`, (value) => value);
    // Byte address select works by halfwords: bit 6 is a copy of bit 5, bit 8 of bit 7.
    stored(0, 0, i, 5, `DBGBCR${i}`, (value) => (value & ~0x140) | ((value & 0xa0) << 1));
  }
  for (let i = 0; i < watchpoints; i++) {
    stored(0, 0, i, 6, `DBGWVR${i}`, (value) => value & ~3);
    stored(0, 0, i, 7, `DBGWCR${i}`, (value) => value);
  }

  define(0, 0, 0, 0, { name: 'DBGDIDR', pl0: 'read', read: () => didr });
  define(0, 0, 1, 0, { name: 'DBGDSCRint', read: () => values['DBGDSCR']! });
  define(0, 0, 2, 2, {
    name: 'DBGDSCRext',
    read: () => values['DBGDSCR']!,
    write: (value) => {
      values['DBGDSCR'] = value >>> 0;
      reportArmed();
    },
  });
  ignored(0, 0, 2, 0, 'DBGDCCINT');
  ignored(0, 0, 7, 0, 'DBGVCR');

  const address = (crm: number, name: string): void => {
    const value = id(name);
    define(0, crm, 0, 0, { name, pl0: 'read', read: () => value });
    bank.define64(
      { cp: 14, opc1: 0, crm },
      {
        name,
        pl0: 'read',
        read: (pair) => {
          pair[0] = value;
          pair[1] = 0;
        },
      },
    );
  };
  address(1, 'DBGDRAR');
  address(2, 'DBGDSAR');

  define(0, 1, 0, 4, {
    name: 'DBGOSLAR',
    volatile: true,
    write: (value) => {
      values['OSLOCK'] = value >>> 0 === OS_LOCK_KEY ? 1 : 0;
    },
  });
  // OSLM says that the lock exists (bit 3), OSLK that it is locked (bit 1).
  define(0, 1, 1, 4, { name: 'DBGOSLSR', read: () => 8 | (values['OSLOCK']! << 1) });
  stored(0, 1, 3, 4, 'DBGOSDLR', (value) => value & 1);

  // QEMU has the device IDs at c7, c0; the architecture at c7, c0-c2, 7 (C11.11.14).
  const constant = (opc2: number, name: string): void => {
    const value = id(name);
    define(0, 7, 0, opc2, { name, read: () => value });
  };
  constant(0, 'DBGDEVID2');
  constant(1, 'DBGDEVID1');
  constant(2, 'DBGDEVID');

  stored(6, 0, 0, 0, 'TEECR', (value) => value & 1);
  values['TEEHBR'] = 0;
  define(6, 1, 0, 0, {
    name: 'TEEHBR',
    // TEECR.XED takes it away from PL0.
    pl0: () => (values['TEECR']! & 1) === 0,
    read: () => values['TEEHBR']!,
    write: (value) => {
      values['TEEHBR'] = value >>> 0;
    },
  });
  const jidr = id('JIDR');
  define(7, 0, 0, 0, { name: 'JIDR', read: () => jidr });
  ignored(7, 1, 0, 0, 'JOSCR');
  ignored(7, 2, 0, 0, 'JMCR');

  return {
    reset: () => {
      for (const name of Object.keys(values)) values[name] = 0;
      values['OSLOCK'] = 1;
      reported = false;
    },
    state: () => ({ ...values }),
    restore: (state) => {
      for (const name of Object.keys(values)) values[name] = state[name]!;
    },
  };
}
