import { describe, expect, it } from 'vitest';
import { RegisterBank } from '../system/register-bank.js';
import { profileRegisterNames } from '../system/registers-id.js';
import { coreProfiles } from './index.js';

/** Size and line of a CCSIDR value in bytes (ARM DDI 0406C, B4.1.19). */
const geometry = (ccsidr: number): { readonly line: number; readonly ways: number; readonly sets: number } => ({
  line: 16 << (ccsidr & 7),
  ways: ((ccsidr >>> 3) & 0x3ff) + 1,
  sets: ((ccsidr >>> 13) & 0x7fff) + 1,
});

describe.each(Object.values(coreProfiles))('$name', (profile) => {
  const { id, ccsidr } = profile;

  it('has a value for every identification register', () => {
    expect(profileRegisterNames.filter((name) => id[name] === undefined)).toEqual([]);
  });

  it('has a CCSIDR for each cache that CLIDR names, and no other', () => {
    const selectors: number[] = [];
    for (let level = 0; level < 7; level++) {
      const type = (id['CLIDR']! >>> (3 * level)) & 7;
      if (type >= 2) selectors.push(2 * level);
      if (type === 1 || type === 3) selectors.push(2 * level + 1);
    }
    expect(Object.keys(ccsidr).map(Number)).toEqual(selectors);
  });

  it('says that walks are coherent only with the extensions that make them so', () => {
    const coherent = ((id['ID_MMFR3']! >>> 20) & 0xf) !== 0;
    if (coherent) expect(id['MPIDR']! >>> 31).toBe(1);
    expect(profile.features.has('mp')).toBe(id['MPIDR']! >>> 31 === 1);
  });

  it('has long descriptors and divide where its feature registers say so', () => {
    expect((id['ID_MMFR0']! & 0xf) === 5).toBe(profile.lpae);
    expect(id['ID_ISAR0']! >>> 24 !== 0).toBe(profile.features.has('divide'));
    expect(profile.mvfr1 >>> 28 !== 0).toBe(profile.features.has('vfp4'));
  });
});

// QEMU gives its Cortex-A7 the caches of its Cortex-A15, and both are recorded from it.
describe.each(['cortex-a8', 'cortex-a9', 'armv7-weakest'])('caches of %s', (name) => {
  it('have the lines that CTR names and sizes that are powers of two', () => {
    const { id, ccsidr } = coreProfiles[name]!;
    const ctr = id['CTR']!;
    expect(geometry(ccsidr[0]!).line).toBe(4 << ((ctr >>> 16) & 0xf));
    expect(geometry(ccsidr[1]!).line).toBe(4 << (ctr & 0xf));
    for (const value of Object.values(ccsidr)) {
      const { line, ways, sets } = geometry(value);
      expect(Math.log2(line * ways * sets) % 1).toBe(0);
    }
  });
});

describe('a register that a profile lacks', () => {
  it('is UNDEFINED though a range around it is not', () => {
    const bank = new RegisterBank(['TLBIMVAA']);
    bank.define({ cp: 15, opc1: 0, crn: 8, crm: 7, opc2: 3 }, { name: 'TLBIMVAA', write: () => {} });
    bank.defineRange({ cp: 15, opc1: 0, crn: 8, crm: 7 }, { name: 'RANGE', write: () => {} });
    expect(bank.find((15 << 16) | (8 << 8) | (7 << 4) | 3)).toBeUndefined();
    expect(bank.find((15 << 16) | (8 << 8) | (7 << 4) | 4)?.name).toBe('RANGE');
    expect(bank.names()).toEqual([]);
  });
});
