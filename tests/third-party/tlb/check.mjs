// What a user of it sees: it passes the kit, translates for an MMU of theirs, and is the TLB of the machine that the command runs.
import assert from 'node:assert/strict';
import { Vmsav7 } from '@tablewalk/mmu';
import { runConformance, tlbConformance } from '@tablewalk/mmu/testing';
import { check, checkRefused, tablewalk } from '../steps.mjs';

const name = process.argv[2];
const { default: victimBufferTlb } = await import(name);
const cases = tlbConformance(() => victimBufferTlb());
runConformance(cases);
check(`it passes the kit's ${cases.length} cases`, true);
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

const kmem = (...args) => tablewalk('kmem', '-m', '16', '--fidelity', 'architectural', ...args);
for (const [how, specifier] of [
  ['the name of its package', name],
  ['the path of its file', `./node_modules/${name}/index.mjs`],
]) {
  const mine = kmem('--workload', 'all', '--tlb', specifier);
  check(`a kernel boots with it and passes its workloads, by ${how}`, mine.status === 0, mine.stderr);
  check('its own counters are printed', /TLB .*victim/.test(mine.stdout) && mine.stdout.includes('buffer hits'), mine.stdout.slice(-3000));
}
const run = tablewalk('run', '--fidelity', 'measured', '--tlb', name, '--stats');
check('it is the TLB of `tablewalk run`', run.status === 0 && /victim/.test(run.stdout + run.stderr), run.stdout.slice(-2000) + run.stderr);
checkRefused('a missing one is refused in one line', kmem('--tlb', 'no-such-tlb'), "there is no TLB 'no-such-tlb'");
