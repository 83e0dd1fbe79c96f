// What its author runs: the kit, and then a whole MMU with it.
import assert from 'node:assert/strict';
import { Vmsav7 } from '@tablewalk/mmu';
import { runConformance, tlbConformance } from '@tablewalk/mmu/testing';
import victimBufferTlb from './index.mjs';

const cases = tlbConformance(() => victimBufferTlb());
runConformance(cases);
assert.throws(
  () => runConformance(tlbConformance(() => victimBufferTlb({ forgetful: true }))),
  /^ConformanceError: what is gone was reported/,
);

// A section that the TLB holds hides the tables until it is invalidated.
const tables = new Map([[0x4004, 0x40000c02]]);
const mmu = new Vmsav7({ memory: { readU32: (pa) => tables.get(pa) ?? 0 }, tlb: victimBufferTlb() });
mmu.registers.ttbr0(0x4000);
mmu.registers.dacr(1);
mmu.registers.sctlr(mmu.sctlr | 1);
assert(mmu.translate(0x00123456, 0, true));
tables.clear();
assert(mmu.translate(0x00123456, 0, true));
mmu.maintenance.mva(0x001ff000);
assert(!mmu.translate(0x00123456, 0, true));
console.log(`${cases.length} cases`);
