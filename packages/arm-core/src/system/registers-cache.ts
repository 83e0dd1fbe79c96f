import type { SystemRegister } from '@tablewalk/machine/contracts';
import type { CoreProfile } from '../profiles/profile.js';
import { LateRegister } from './late-register.js';
import type { RegisterBank } from './register-bank.js';
import type { CoreRegisterHost, DataCacheOperation, RegisterGroup } from './registers-host.js';

/**
 * CP15 c7 and the cache size selection (ARM DDI 0406C.d, B4.2.1 and B3.17.1). An operation by MVA takes any address: one that does not translate is
 * no fault here, as on QEMU; the core's caches with contents make the architecture's fault of it.
 *
 * c7 also holds what older cores had there (prefetch, block transfers, cache lock-down). ARMv7 leaves those encodings UNPREDICTABLE; they do nothing.
 * SCTLR.CP15BEN does not disable the CP15 barriers, as on QEMU.
 */
export function defineCacheRegisters(bank: RegisterBank, profile: CoreProfile, host: CoreRegisterHost): RegisterGroup {
  const { ccsidr } = profile;
  let selected = 0;
  const csselr = new LateRegister('CSSELR', host.lateEffects ?? false, (value) => {
    selected = value;
  });

  bank.define(
    { cp: 15, opc1: 2, crn: 0, crm: 0, opc2: 0 },
    {
      name: 'CSSELR',
      read: () => csselr.written,
      write: (value) => csselr.write(value & 0xf),
    },
  );
  bank.define({ cp: 15, opc1: 1, crn: 0, crm: 0, opc2: 0 }, { name: 'CCSIDR', read: () => ccsidr[selected] ?? 0 });

  const operation = (crm: number, opc2: number, name: string, write: (value: number) => void, pl0: SystemRegister['pl0'] = 'none'): void =>
    bank.define({ cp: 15, opc1: 0, crn: 7, crm, opc2 }, { name, pl0, volatile: true, write });
  const data = (crm: number, opc2: number, name: DataCacheOperation): void =>
    operation(crm, opc2, name, (operand) => host.dataCacheMaintained?.(name, operand >>> 0));

  operation(1, 0, 'ICIALLUIS', () => host.instructionCacheInvalidated?.('ICIALLUIS', 0));
  operation(1, 6, 'BPIALLIS', () => host.branchPredictorInvalidated?.('BPIALLIS', 0));
  operation(5, 0, 'ICIALLU', () => host.instructionCacheInvalidated?.('ICIALLU', 0));
  operation(5, 1, 'ICIMVAU', (va) => host.instructionCacheInvalidated?.('ICIMVAU', va >>> 0));
  operation(5, 4, 'CP15ISB', () => host.barrier('isb', 15), 'write');
  operation(5, 6, 'BPIALL', () => host.branchPredictorInvalidated?.('BPIALL', 0));
  operation(5, 7, 'BPIMVA', (va) => host.branchPredictorInvalidated?.('BPIMVA', va >>> 0));
  data(6, 1, 'DCIMVAC');
  data(6, 2, 'DCISW');
  data(10, 1, 'DCCMVAC');
  data(10, 2, 'DCCSW');
  operation(10, 4, 'CP15DSB', () => host.barrier('dsb', 15), 'write');
  operation(10, 5, 'CP15DMB', () => host.barrier('dmb', 15), 'write');
  data(11, 1, 'DCCMVAU');
  data(14, 1, 'DCCIMVAC');
  data(14, 2, 'DCCISW');

  // c8 is address translation: without the Security Extensions opc2 4-7 do not exist.
  bank.defineRange(
    { cp: 15, opc1: 0, crn: 7, crm: [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15] },
    { name: 'C7_RESERVED', volatile: true, write: () => {} },
  );

  return {
    reset: () => csselr.reset(),
    state: () => csselr.state(),
    restore: (state) => csselr.restore(state),
    synchronize: () => csselr.synchronize(),
  };
}
