import type { SystemRegister } from '@tablewalk/machine/contracts';
import type { CoreProfile } from '../profiles/profile.js';
import { LateRegister } from './late-register.js';
import type { RegisterBank } from './register-bank.js';
import type { CoreRegisterHost, RegisterGroup } from './registers-host.js';
import { profileRegister } from './registers-id.js';

/** ASEDIS, D32DIS, cp11, cp10: these cores have no other coprocessors (ARM DDI 0406C.d, B4.1.40). */
const CPACR_WRITABLE = 0xc0f00000;
const VBAR_WRITABLE = 0xffffffe0;

/** Exception, thread and implementation-defined registers: CP15 c1, c5, c6, c9 (L2), c10 (lock-down), c12, c13, c15. */
export function defineControlRegisters(bank: RegisterBank, profile: CoreProfile, host: CoreRegisterHost): RegisterGroup {
  const values = { FCSEIDR: 0 };
  const late = host.lateEffects ?? false;
  const cpacr = new LateRegister('CPACR', late, (value) => host.coprocessorAccessChanged(value));
  const vbar = new LateRegister('VBAR', late, (value) => host.vectorBaseChanged(value));
  const { faults, thread } = host;
  const define = (opc1: number, crn: number, crm: number, opc2: number, register: SystemRegister): void =>
    bank.define({ cp: 15, opc1, crn, crm, opc2 }, register);
  /** A constant whose writes are ignored. */
  const constant = (opc1: number, crn: number, crm: number, opc2: number, name: string, value: number): void =>
    define(opc1, crn, crm, opc2, { name, read: () => value, write: () => {} });

  constant(0, 1, 0, 1, 'ACTLR', profileRegister(profile, 'ACTLR'));
  define(0, 1, 0, 2, {
    name: 'CPACR',
    read: () => cpacr.written,
    write: (value) => cpacr.write(value & CPACR_WRITABLE),
  });

  define(0, 5, 0, 0, {
    name: 'DFSR',
    read: () => faults.dfsr,
    write: (value) => {
      faults.dfsr = value >>> 0;
    },
  });
  define(0, 5, 0, 1, {
    name: 'IFSR',
    read: () => faults.ifsr,
    write: (value) => {
      faults.ifsr = value >>> 0;
    },
  });
  constant(0, 5, 1, 0, 'ADFSR', 0);
  constant(0, 5, 1, 1, 'AIFSR', 0);
  define(0, 6, 0, 0, {
    name: 'DFAR',
    read: () => faults.dfar,
    write: (value) => {
      faults.dfar = value >>> 0;
    },
  });
  // The watchpoint fault address of ARMv6, which ARMv7 has in CP14 only.
  constant(0, 6, 0, 1, 'WFAR', 0);
  define(0, 6, 0, 2, {
    name: 'IFAR',
    read: () => faults.ifar,
    write: (value) => {
      faults.ifar = value >>> 0;
    },
  });

  constant(1, 9, 0, 2, 'L2CTLR', profileRegister(profile, 'L2CTLR'));
  constant(1, 9, 0, 3, 'L2ECTLR', profileRegister(profile, 'L2ECTLR'));
  bank.defineRange({ cp: 15, crn: 10, crm: [0, 1, 4, 8] }, { name: 'TLB_LOCKDOWN', read: () => 0, write: () => {} });
  // CRn 3 holds nothing but DACR, and QEMU's cores do not decode the other fields.
  bank.alias({ cp: 15, crn: 3 }, { cp: 15, opc1: 0, crn: 3, crm: 0, opc2: 0 });

  define(0, 12, 0, 0, {
    name: 'VBAR',
    read: () => vbar.written,
    write: (value) => vbar.write(value & VBAR_WRITABLE),
  });
  define(0, 12, 1, 0, { name: 'ISR', read: () => host.pendingInterrupts() >>> 0 });

  define(0, 13, 0, 0, {
    name: 'FCSEIDR',
    read: () => values.FCSEIDR,
    write: (value) => {
      values.FCSEIDR = value >>> 0;
      if (value !== 0)
        host.diagnostics?.unimplemented('core', 'FCSEIDR is not 0: the Fast Context Switch Extension does not translate here');
    },
  });
  define(0, 13, 0, 2, {
    name: 'TPIDRURW',
    pl0: 'read-write',
    read: () => thread.TPIDRURW,
    write: (value) => {
      thread.TPIDRURW = value >>> 0;
    },
  });
  define(0, 13, 0, 3, {
    name: 'TPIDRURO',
    pl0: 'read',
    read: () => thread.TPIDRURO,
    write: (value) => {
      thread.TPIDRURO = value >>> 0;
    },
  });
  define(0, 13, 0, 4, {
    name: 'TPIDRPRW',
    read: () => thread.TPIDRPRW,
    write: (value) => {
      thread.TPIDRPRW = value >>> 0;
    },
  });

  const cbar = profileRegister(profile, 'CBAR');
  define(4, 15, 0, 0, { name: 'CBAR', read: () => cbar });
  bank.defineRange({ cp: 15, crn: 15 }, { name: 'IMPLEMENTATION_DEFINED', read: () => 0, write: () => {} });

  const assign = (state: Readonly<Record<string, number>>): void => {
    values.FCSEIDR = state['FCSEIDR']!;
    thread.TPIDRURW = state['TPIDRURW']!;
    thread.TPIDRURO = state['TPIDRURO']!;
    thread.TPIDRPRW = state['TPIDRPRW']!;
    faults.dfsr = state['DFSR']!;
    faults.dfar = state['DFAR']!;
    faults.ifsr = state['IFSR']!;
    faults.ifar = state['IFAR']!;
  };
  const zero: Readonly<Record<string, number>> = {
    FCSEIDR: 0,
    TPIDRURW: 0,
    TPIDRURO: 0,
    TPIDRPRW: 0,
    DFSR: 0,
    DFAR: 0,
    IFSR: 0,
    IFAR: 0,
  };
  return {
    reset: () => {
      vbar.reset();
      cpacr.reset();
      assign(zero);
    },
    state: () => ({
      ...cpacr.state(),
      ...vbar.state(),
      ...values,
      TPIDRURW: thread.TPIDRURW,
      TPIDRURO: thread.TPIDRURO,
      TPIDRPRW: thread.TPIDRPRW,
      DFSR: faults.dfsr,
      DFAR: faults.dfar,
      IFSR: faults.ifsr,
      IFAR: faults.ifar,
    }),
    restore: (state) => {
      vbar.restore(state);
      cpacr.restore(state);
      assign(state);
    },
    synchronize: () => {
      vbar.synchronize();
      cpacr.synchronize();
    },
  };
}
