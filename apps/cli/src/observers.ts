import type { Observer } from '@tablewalk/machine';

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

const accessNames = ['read', 'write', 'fetch'] as const;

/** Lines for `-d int,mmu` as they happen. */
export const logObservers = (log: ReadonlySet<string>, line: (text: string) => void, instructions: () => number): readonly Observer[] => {
  const observers: Observer[] = [];
  if (log.has('int'))
    observers.push({
      name: 'log/int',
      exception: (kind, pc, target, cpsr) => line(`[${instructions()}] ${kind} at ${hex(pc)} -> ${hex(target)}, cpsr ${hex(cpsr)}`),
    });
  if (log.has('mmu'))
    observers.push({
      name: 'log/mmu',
      translationFault: (va, access, status, pc) =>
        line(`[${instructions()}] ${accessNames[access]} of ${hex(va)} faults, status ${hex(status)}, pc ${hex(pc)}`),
      systemRegisterWrite: (name, value, pc) => {
        if (/^(SCTLR|TT|DACR|CONTEXTIDR|PRRR|NMRR|MAIR|TLB|ITLB|DTLB)/.test(name))
          line(`[${instructions()}] ${name} = ${hex(value)}, pc ${hex(pc)}`);
      },
    });
  return observers;
};
