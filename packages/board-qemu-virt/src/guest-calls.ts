import type { ArmCpu } from '@tablewalk/arm-core';

import type { GuestMemory, Timeline } from '@tablewalk/machine';
import type { MachineEnd } from './machine-end.js';
import { psciCall } from './psci.js';
import { semihostingCall } from './semihosting.js';

/** What calls of the guest act on. */
export interface GuestCallContext {
  readonly cpu: ArmCpu;
  readonly memory: GuestMemory;
  readonly timeline: Timeline;
  /** Physical address of a VA as the guest's current translation has it, without a side effect. */
  readonly translate: (va: number) => number | undefined;
  readonly print: (byte: number) => void;
  readonly finish: (end: MachineEnd) => void;
}

/** A PSCI call of the core: function in r0, arguments in r1 to r3. Every one is answered. */
export const answerPsci = ({ cpu, finish }: GuestCallContext): void => {
  const R = cpu.core.words;
  const arg = (n: number): number => R[n]! >>> 0;
  const result = psciCall(arg(0), arg(1), arg(2), arg(3), (affinity) => (affinity === 0 ? 'on' : undefined));
  if ('value' in result) R[0] = result.value;
  switch (result.action) {
    case 'wait-for-interrupt':
      cpu.system.waitForInterrupt();
      break;
    case 'system-off':
    case 'cpu-off':
      finish({ reason: 'poweroff' });
      break;
    case 'system-reset':
      finish({ reason: 'reset' });
      break;
  }
};

/** A semihosting call: operation in r0, its argument in r1, result to r0. */
export const answerSemihosting = (context: GuestCallContext): void => {
  const { cpu, timeline, print, finish } = context;
  const R = cpu.core.words;
  semihostingCall(
    {
      readByte: (va) => readVirtual(context, va),
      readWord: (va) => {
        let word = 0;
        for (let i = 3; i >= 0; i--) {
          const byte = readVirtual(context, va + i);
          if (byte === undefined) return undefined;
          word = word * 256 + byte;
        }
        return word;
      },
      write: (bytes) => bytes.forEach(print),
      exit: (status) => finish({ reason: 'exit', status }),
      time: () => timeline.current,
      setResult: (value) => {
        R[0] = value;
      },
    },
    R[0]! >>> 0,
    R[1]! >>> 0,
  );
};

/** One byte as the guest sees it; undefined where there is no memory. */
const readVirtual = ({ memory, translate }: GuestCallContext, va: number): number | undefined => {
  const pa = translate(va);
  const region = pa === undefined ? undefined : memory.regionAt(pa);
  return pa === undefined || region === undefined ? undefined : memory.u8[memory.hostOffset(region, pa)];
};
