import { ACCESS_READ, ACCESS_WRITE, type SystemRegister, type SystemRegisterBank } from '@tablewalk/machine/contracts';
import { TLB_SIDE_BOTH, TLB_SIDE_DATA, TLB_SIDE_INSTRUCTION } from './contracts/tlb.js';
import type { TranslationControl } from './translation-control.js';
import type { Vmsav7 } from './vmsav7.js';

/** Defines the MMU's part of CP15 (ARM DDI 0406C.d, B3.17.1). */
export function defineRegisters(bank: SystemRegisterBank, mmu: Vmsav7, c: TranslationControl, long: boolean): void {
  const define = (crn: number, crm: number, opc2: number, register: SystemRegister): void =>
    bank.define({ cp: 15, opc1: 0, crn, crm, opc2 }, register);

  define(1, 0, 0, { name: 'SCTLR', read: () => c.sctlr, write: (value) => mmu.writeSctlr(value) });
  define(2, 0, 0, { name: 'TTBR0', read: () => c.ttbr0, write: (value) => mmu.writeTtbr0(value) });
  define(2, 0, 1, { name: 'TTBR1', read: () => c.ttbr1, write: (value) => mmu.writeTtbr1(value) });
  define(2, 0, 2, { name: 'TTBCR', read: () => c.ttbcr, write: (value) => mmu.writeTtbcr(value) });
  define(3, 0, 0, { name: 'DACR', read: () => c.dacr, write: (value) => mmu.writeDacr(value) });
  define(13, 0, 1, { name: 'CONTEXTIDR', read: () => c.contextidr, write: (value) => mmu.writeContextidr(value) });
  // One register each, named by TTBCR.EAE: PRRR and NMRR, or MAIR0 and MAIR1.
  define(10, 2, 0, { name: 'PRRR', read: () => c.prrr, write: (value) => mmu.writePrrr(value) });
  define(10, 2, 1, { name: 'NMRR', read: () => c.nmrr, write: (value) => mmu.writeNmrr(value) });
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
      () => c.ttbr0,
      () => c.ttbr0High,
      (low, high) => mmu.writeTtbr0(low, high),
    );
    define64(
      1,
      2,
      'TTBR1',
      () => c.ttbr1,
      () => c.ttbr1High,
      (low, high) => mmu.writeTtbr1(low, high),
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
  const maintenance = (crm: number, opc2: number, name: string, write: (operand: number) => void): void =>
    define(8, crm, opc2, { name, volatile: true, write });
  for (const [crm, prefix, suffix, side] of [
    [3, 'TLBI', 'IS', TLB_SIDE_BOTH],
    [5, 'ITLBI', '', TLB_SIDE_INSTRUCTION],
    [6, 'DTLBI', '', TLB_SIDE_DATA],
    [7, 'TLBI', '', TLB_SIDE_BOTH],
  ] as const) {
    maintenance(crm, 0, `${prefix}ALL${suffix}`, () => mmu.tlbInvalidateAll(side));
    maintenance(crm, 1, `${prefix}MVA${suffix}`, (operand) => mmu.tlbInvalidateMva(operand, side));
    maintenance(crm, 2, `${prefix}ASID${suffix}`, (operand) => mmu.tlbInvalidateAsid(operand, side));
    // By MVA of every ASID has no instruction-only and data-only form.
    if (prefix === 'TLBI') maintenance(crm, 3, `TLBIMVAA${suffix}`, (operand) => mmu.tlbInvalidateMvaAllAsid(operand));
  }
}
