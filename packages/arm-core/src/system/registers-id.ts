import type { SystemRegisterEncoding } from '@tablewalk/machine/contracts';
import type { CoreProfile } from '../profiles/profile.js';
import type { RegisterBank } from './register-bank.js';
import { SystemRegisterError } from './registers-error.js';

const p15 = (opc1: number, crn: number, crm: number, opc2: number): SystemRegisterEncoding => ({ cp: 15, opc1, crn, crm, opc2 });

/** The CPUID scheme and the other read-only words of CP15 c0 (ARM DDI 0406C.d, B3.17.1). */
const identification: Readonly<Record<string, SystemRegisterEncoding>> = {
  MIDR: p15(0, 0, 0, 0),
  CTR: p15(0, 0, 0, 1),
  TCMTR: p15(0, 0, 0, 2),
  TLBTR: p15(0, 0, 0, 3),
  MPIDR: p15(0, 0, 0, 5),
  REVIDR: p15(0, 0, 0, 6),
  ID_PFR0: p15(0, 0, 1, 0),
  ID_PFR1: p15(0, 0, 1, 1),
  ID_DFR0: p15(0, 0, 1, 2),
  ID_AFR0: p15(0, 0, 1, 3),
  ID_MMFR0: p15(0, 0, 1, 4),
  ID_MMFR1: p15(0, 0, 1, 5),
  ID_MMFR2: p15(0, 0, 1, 6),
  ID_MMFR3: p15(0, 0, 1, 7),
  ID_ISAR0: p15(0, 0, 2, 0),
  ID_ISAR1: p15(0, 0, 2, 1),
  ID_ISAR2: p15(0, 0, 2, 2),
  ID_ISAR3: p15(0, 0, 2, 3),
  ID_ISAR4: p15(0, 0, 2, 4),
  ID_ISAR5: p15(0, 0, 2, 5),
  ID_MMFR4: p15(0, 0, 2, 6),
  ID_ISAR6: p15(0, 0, 2, 7),
  CLIDR: p15(1, 0, 0, 1),
  AIDR: p15(1, 0, 0, 7),
};

/** Names of `CoreProfile.id` that other files of this folder give their encodings. */
const others = [
  'ACTLR',
  'L2CTLR',
  'L2ECTLR',
  'CBAR',
  'PMCR',
  'DBGDIDR',
  'DBGDRAR',
  'DBGDSAR',
  'DBGDEVID',
  'DBGDEVID1',
  'DBGDEVID2',
  'JIDR',
] as const;

/** Every name that `CoreProfile.id` must have. */
export const profileRegisterNames: readonly string[] = [...Object.keys(identification), ...others];

/** The profile's value; throws when the profile has none. */
export function profileRegister(profile: CoreProfile, name: string): number {
  const value = profile.id[name];
  if (value === undefined) throw new SystemRegisterError(profile.name, `the profile has no value for ${name}`);
  return value >>> 0;
}

/** Defines CP15 c0 except the cache size selection. */
export function defineIdRegisters(bank: RegisterBank, profile: CoreProfile): void {
  for (const [name, encoding] of Object.entries(identification)) {
    const value = profileRegister(profile, name);
    bank.define(encoding, { name, read: () => value });
  }
  // Unallocated words of c0, c0 are MIDR (B4.1.105); the rest of the CPUID space reads as zero (B7.1).
  bank.alias({ cp: 15, opc1: 0, crn: 0, crm: 0 }, p15(0, 0, 0, 0));
  bank.defineRange({ cp: 15, opc1: 0, crn: 0, crm: [3, 4, 5, 6, 7] }, { name: 'CPUID_RESERVED', read: () => 0 });
}
