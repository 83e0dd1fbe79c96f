import type { Vmsav7, WalkExplanation, WalkStep } from '@tablewalk/mmu';
import { Vmsav7 as Mmu } from '@tablewalk/mmu';

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;

const fieldsOf = ({ fields }: WalkStep): string => fields.map(([name, value]) => `${name} ${value}`).join(', ');

/** The fields of a descriptor that stands alone, decoded by the MMU's own walker. */
export const describeDescriptor = (what: string, descriptor: number): string => {
  const second = what === 'small pages';
  const words = new Map([
    [0x4000, second ? 0x8001 : descriptor],
    [0x8000, descriptor],
  ]);
  const mmu = new Mmu({ memory: { readU32: (pa) => words.get(pa) ?? 0 } });
  mmu.registers.ttbr0(0x4000);
  mmu.registers.dacr(1);
  mmu.registers.sctlr(mmu.sctlr | 1);
  const { steps } = mmu.explainWalk(0);
  const step = steps[second ? 1 : 0];
  return step === undefined ? '' : `${step.kind}: ${fieldsOf(step)}`;
};

const POLICY = (mapping: NonNullable<WalkExplanation['mapping']>): string =>
  mapping.type === 'normal' ? `normal, inner ${mapping.inner}, outer ${mapping.outer}, ${mapping.shareability}` : mapping.type;

/** A walk, descriptor by descriptor, and what PL1 and PL0 may do with what it found. */
export const walkLines = (mmu: Vmsav7, va: number): string[] => {
  const walk = mmu.explainWalk(va, 0, true);
  const lines: string[] = [];
  if (walk.format === 'off') return [walk.outcome];
  const registers = walk.table === undefined ? '' : ` through ${walk.table}`;
  lines.push(`${hex(va)}${registers}, ${walk.format} descriptors`);
  for (const step of walk.steps) {
    const word = step.high === 0 ? hex(step.low) : `${hex(step.high)}_${step.low.toString(16).padStart(8, '0')}`;
    const place = step.descriptorAddress < 0 ? 'no descriptor' : `${word} at ${hex(step.descriptorAddress)}`;
    lines.push(`  level ${step.level}: ${place}, ${step.kind}`);
    for (const [name, value] of step.fields) lines.push(`    ${name.padEnd(8)} ${value}`);
  }
  const { mapping } = walk;
  if (mapping !== undefined) {
    const size = mapping.sizeLog2 >= 20 ? `${2 ** (mapping.sizeLog2 - 20)} MB` : `${2 ** (mapping.sizeLog2 - 10)} KB`;
    const user = mmu.explainWalk(va, 0, false).mapping;
    lines.push(`  ${size}, ${POLICY(mapping)}, ${mapping.global ? 'global' : 'of one ASID'}, domain ${mapping.domain}`);
    lines.push(`  PL1 ${mapping.rights || 'nothing'}, PL0 ${user?.rights || 'nothing'}`);
  }
  if (walk.fault !== undefined) lines.push(`  DFSR 0x${walk.fault.status.toString(16)}`);
  lines.push(walk.outcome);
  return lines;
};
