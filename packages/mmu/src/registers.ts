import { ACCESS_READ, ACCESS_WRITE, type SystemRegister, type SystemRegisterBank } from '@tablewalk/machine/contracts';
import { TLB_SIDE_BOTH, TLB_SIDE_DATA, TLB_SIDE_INSTRUCTION } from './contracts/tlb.js';
import type { RegisterWrites } from './register-writes.js';
import type { TlbMaintenance } from './tlb-maintenance.js';
import type { TranslationControl } from './translation-control.js';
import type { Vmsav7 } from './vmsav7.js';

/** Defines the MMU's part of CP15 (ARM DDI 0406C.d, B3.17.1). */
export function defineRegisters(
  bank: SystemRegisterBank,
  mmu: Vmsav7,
  write: RegisterWrites,
  tlb: TlbMaintenance,
  c: TranslationControl,
  seen: TranslationControl,
  long: boolean,
): void {
  const define = (crn: number, crm: number, opc2: number, register: SystemRegister): void =>
    bank.define({ cp: 15, opc1: 0, crn, crm, opc2 }, register);

  define(1, 0, 0, { name: 'SCTLR', read: () => seen.sctlr, write: (value) => write.sctlr(value) });
  define(2, 0, 0, { name: 'TTBR0', read: () => seen.ttbr0, write: (value) => write.ttbr0(value) });
  define(2, 0, 1, { name: 'TTBR1', read: () => seen.ttbr1, write: (value) => write.ttbr1(value) });
  define(2, 0, 2, { name: 'TTBCR', read: () => seen.ttbcr, write: (value) => write.ttbcr(value) });
  define(3, 0, 0, { name: 'DACR', read: () => seen.dacr, write: (value) => write.dacr(value) });
  define(13, 0, 1, { name: 'CONTEXTIDR', read: () => seen.contextidr, write: (value) => write.contextidr(value) });
  // One register each, named by TTBCR.EAE: PRRR and NMRR, or MAIR0 and MAIR1.
  define(10, 2, 0, { name: 'PRRR', read: () => seen.prrr, write: (value) => write.prrr(value) });
  define(10, 2, 1, { name: 'NMRR', read: () => seen.nmrr, write: (value) => write.nmrr(value) });
  // No implementation-defined attributes exist on these cores: UNK/SBZP, read as zero (Cortex-A15 TRM, 4.2.10).
  define(10, 3, 0, { name: 'AMAIR0', read: () => 0, write: () => {} });
  define(10, 3, 1, { name: 'AMAIR1', read: () => 0, write: () => {} });

  define(7, 4, 0, {
    name: 'PAR',
    read: () => c.par,
    write: (value) => {
      c.par = value >>> 0;
    },
  });
  define(7, 8, 0, { name: 'ATS1CPR', volatile: true, write: (va) => mmu.translateToPar(va >>> 0, ACCESS_READ, true) });
  define(7, 8, 1, { name: 'ATS1CPW', volatile: true, write: (va) => mmu.translateToPar(va >>> 0, ACCESS_WRITE, true) });
  define(7, 8, 2, { name: 'ATS1CUR', volatile: true, write: (va) => mmu.translateToPar(va >>> 0, ACCESS_READ, false) });
  define(7, 8, 3, { name: 'ATS1CUW', volatile: true, write: (va) => mmu.translateToPar(va >>> 0, ACCESS_WRITE, false) });

  if (long) {
    const define64 = (
      opc1: number,
      crm: number,
      name: string,
      low: () => number,
      high: () => number,
      write: (low: number, high: number) => void,
    ): void =>
      bank.define64(
        { cp: 15, opc1, crm },
        {
          name,
          read(pair) {
            pair[0] = low();
            pair[1] = high();
          },
          write,
        },
      );
    define64(
      0,
      2,
      'TTBR0',
      () => seen.ttbr0,
      () => seen.ttbr0High,
      (low, high) => write.ttbr0(low, high),
    );
    define64(
      1,
      2,
      'TTBR1',
      () => seen.ttbr1,
      () => seen.ttbr1High,
      (low, high) => write.ttbr1(low, high),
    );
    define64(
      0,
      7,
      'PAR',
      () => c.par,
      () => c.parHigh,
      (low, high) => {
        c.par = low >>> 0;
        c.parHigh = high >>> 0;
      },
    );
  }

  // TLB maintenance by CRm: inner shareable, instruction, data, both.
  const maintenance = (crm: number, opc2: number, name: string, perform: (operand: number) => void): void =>
    define(8, crm, opc2, { name, volatile: true, write: perform });
  for (const [crm, prefix, suffix, side] of [
    [3, 'TLBI', 'IS', TLB_SIDE_BOTH],
    [5, 'ITLBI', '', TLB_SIDE_INSTRUCTION],
    [6, 'DTLBI', '', TLB_SIDE_DATA],
    [7, 'TLBI', '', TLB_SIDE_BOTH],
  ] as const) {
    maintenance(crm, 0, `${prefix}ALL${suffix}`, () => tlb.all(side));
    maintenance(crm, 1, `${prefix}MVA${suffix}`, (operand) => tlb.mva(operand, side));
    maintenance(crm, 2, `${prefix}ASID${suffix}`, (operand) => tlb.asid(operand, side));
    // By MVA of every ASID has no instruction-only and data-only form.
    if (prefix === 'TLBI') maintenance(crm, 3, `TLBIMVAA${suffix}`, (operand) => tlb.mvaAllAsid(operand));
  }
}
