import type { SystemKernel } from '../../system/kernels.js';
import { systemKernel } from '../../system/kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding } from '../encoding.js';
import { imm } from '../operands.js';
import { bareImmediate, hexImmediate } from '../operands-integer.js';

/** SVC, HVC, SMC, BKPT, UDF and the semihosting calls among them (ARM DDI 0406C, A8.8; DUI 0471, semihosting). */

const hypervisorCall = systemKernel('hvc', (core, immediate) => core.hypervisorCall(immediate));
const secureMonitorCall = systemKernel('smc', (core, immediate) => core.secureMonitorCall(immediate));
const breakpoint = systemKernel('bkpt', (core, immediate) => core.takeBreakpoint(immediate));
const semihostingOrSvc = systemKernel('semihosting-svc', (core, immediate) => {
  if (!core.semihosting()) core.takeSvc(immediate);
});
const semihostingOrBreakpoint = systemKernel('semihosting-bkpt', (core, immediate) => {
  if (!core.semihosting()) core.takeBreakpoint(immediate);
});
const semihostingOrUndefined = systemKernel('semihosting-hlt', (core) => {
  if (!core.semihosting()) core.takeUndefined();
});

/** A call whose handler may also set PC (an exception, a reset): PC is the next instruction before the handler runs. */
const callHandler = (b: ArmBuilder, kernel: SystemKernel, immediate: number): void => {
  b.setState(15, b.here(b.size));
  b.call(kernel, b.const(immediate));
  b.resync();
};

const svc: Encoding['semantics'] = (b, f) => {
  if (f['i'] === (b.thumb ? 0xab : 0x123456)) callHandler(b, semihostingOrSvc, f['i']!);
  else b.svc(f['i']!);
};
const hvc: Encoding['semantics'] = (b, f) => (b.privileged ? callHandler(b, hypervisorCall, f['i']!) : b.undefined());
const smc: Encoding['semantics'] = (b, f) => (b.privileged ? callHandler(b, secureMonitorCall, f['i']!) : b.undefined());
const bkpt: Encoding['semantics'] = (b, f) => callHandler(b, b.thumb && f['i'] === 0xab ? semihostingOrBreakpoint : breakpoint, f['i']!);
const hlt: Encoding['semantics'] = (b, f) => callHandler(b, semihostingOrUndefined, f['i']!);
const udf: Encoding['semantics'] = (b) => b.undefined();

export const exceptionGenerating: readonly Encoding[] = [
  {
    name: 'SVC_A1',
    isa: 'A32',
    pattern: 'cccc 1111 iiiiiiiiiiiiiiiiiiiiiiii',
    ref: 'A8.8.228',
    text: ['svc{c}', hexImmediate('i', 8)],
    semantics: svc,
  },
  {
    name: 'SVC_T1',
    isa: 'T16',
    pattern: '11011111 iiiiiiii',
    ref: 'A8.8.228',
    text: ['svc{c}', bareImmediate('i')],
    semantics: svc,
  },
  {
    name: 'BKPT_A1',
    isa: 'A32',
    pattern: 'cccc 00010010 iiiiiiiiiiii 0111 iiii',
    ref: 'A8.8.24',
    text: ['bkpt', hexImmediate('i', 4)],
    unpredictable: (f) => f['c'] !== 14,
    semantics: bkpt,
  },
  {
    name: 'BKPT_T1',
    isa: 'T16',
    pattern: '10111110 iiiiiiii',
    ref: 'A8.8.24',
    text: ['bkpt', hexImmediate('i', 4)],
    semantics: bkpt,
  },
  {
    // The breakpoint of ARMv8, kept for its semihosting calls: UNDEFINED otherwise.
    name: 'HLT_A1',
    isa: 'A32',
    pattern: '1110 00010000 iiiiiiiiiiii 0111 iiii',
    ref: 'DUI 0471',
    text: ['hlt', hexImmediate('i', 4)],
    unless: (f) => f['i'] !== 0xf000,
    semantics: hlt,
  },
  {
    name: 'HLT_T1',
    isa: 'T16',
    pattern: '1011101010 iiiiii',
    ref: 'DUI 0471',
    text: ['hlt', hexImmediate('i', 4)],
    unless: (f) => f['i'] !== 0x3c,
    semantics: hlt,
  },
  {
    name: 'HVC_A1',
    isa: 'A32',
    pattern: 'cccc 00010100 iiiiiiiiiiii 0111 iiii',
    ref: 'B9.3.4',
    text: ['hvc', bareImmediate('i')],
    unpredictable: (f) => f['c'] !== 14,
    semantics: hvc,
  },
  {
    name: 'HVC_T1',
    isa: 'T32',
    pattern: '11110111 1110 iiii 1000 iiiiiiiiiiii',
    ref: 'B9.3.4',
    text: ['hvc', imm('i')],
    semantics: hvc,
  },
  {
    name: 'SMC_A1',
    isa: 'A32',
    pattern: 'cccc 00010110 ------------ 0111 iiii',
    ref: 'B9.3.14',
    text: ['smc{c}', bareImmediate('i')],
    semantics: smc,
  },
  {
    name: 'SMC_T1',
    isa: 'T32',
    pattern: '11110111 1111 iiii 1000 ------------',
    ref: 'B9.3.14',
    text: ['smc{c}', imm('i')],
    semantics: smc,
  },
  {
    name: 'UDF_A1',
    isa: 'A32',
    pattern: '1110 01111111 iiiiiiiiiiii 1111 iiii',
    ref: 'A8.8.247',
    text: ['udf', imm('i')],
    semantics: udf,
  },
  {
    name: 'UDF_T1',
    isa: 'T16',
    pattern: '11011110 iiiiiiii',
    ref: 'A8.8.247',
    text: ['udf{c}', imm('i')],
    semantics: udf,
  },
  {
    name: 'UDF_T2',
    isa: 'T32',
    pattern: '11110111 1111 iiii 1010 iiiiiiiiiiii',
    ref: 'A8.8.247',
    text: ['udf{c}{.w}', imm('i')],
    semantics: udf,
  },
];
