/**
 * Power State Coordination Interface 1.1 (ARM DEN 0022D) as QEMU 7.2 answers it when a guest calls through HVC: the functions of PSCI 0.2 and
 * PSCI_FEATURES, plus the numbers that PSCI 0.1 left to the implementation. Pure: it decides, the machine acts.
 */

/** Function identifiers, SMC32 convention. */
export const PSCI_VERSION = 0x8400_0000;
export const PSCI_CPU_SUSPEND = 0x8400_0001;
export const PSCI_CPU_OFF = 0x8400_0002;
export const PSCI_CPU_ON = 0x8400_0003;
export const PSCI_AFFINITY_INFO = 0x8400_0004;
export const PSCI_MIGRATE = 0x8400_0005;
export const PSCI_MIGRATE_INFO_TYPE = 0x8400_0006;
export const PSCI_SYSTEM_OFF = 0x8400_0008;
export const PSCI_SYSTEM_RESET = 0x8400_0009;
export const PSCI_FEATURES = 0x8400_000a;

/** What PSCI 0.1 guests find in the properties of `/psci` on older trees. */
const PSCI_0_1_CPU_SUSPEND = 0x95c1_ba5e;
const PSCI_0_1_CPU_OFF = 0x95c1_ba5f;
const PSCI_0_1_CPU_ON = 0x95c1_ba60;

/** Return codes (5.2.2), as the unsigned words that reach r0. */
export const PSCI_SUCCESS = 0;
export const PSCI_NOT_SUPPORTED = 0xffff_ffff;
export const PSCI_INVALID_PARAMETERS = 0xffff_fffe;
export const PSCI_ALREADY_ON = 0xffff_fffc;
export const PSCI_ON_PENDING = 0xffff_fffb;

/** PSCI 1.1, major version in the upper half. */
const VERSION_1_1 = 0x0001_0001;
/** No trusted OS, or one that need not migrate (5.9). */
const MIGRATION_NOT_REQUIRED = 2;
/** Bits of CPU_SUSPEND's power_state that ask for an affinity level or are reserved (original format, 5.4.2). */
const UNSUPPORTED_POWER_STATE = 0xfffe_0000;

/** Power state of one CPU as AFFINITY_INFO returns it (5.7). */
export type CpuPowerState = 'on' | 'off' | 'on-pending';

/** What the call does. A missing `value` means that the caller does not return to the next instruction with r0 set. */
export type PsciResult =
  /** r0 = `value`, go on. */
  | { readonly action: 'return'; readonly value: number }
  /** r0 = `value`, then wait for an interrupt, as WFI does: CPU_SUSPEND in a standby state. */
  | { readonly action: 'wait-for-interrupt'; readonly value: number }
  /** Start CPU `cpu` at `entry` (bit 0 selects Thumb) with r0 = `context`; the caller gets r0 = `value`. */
  | { readonly action: 'cpu-on'; readonly value: number; readonly cpu: number; readonly entry: number; readonly context: number }
  /** The calling CPU stops. */
  | { readonly action: 'cpu-off' }
  /** The machine powers off. */
  | { readonly action: 'system-off' }
  /** The machine is reset. */
  | { readonly action: 'system-reset' };

/**
 * Decides one call.
 *
 * @param functionId r0, unsigned
 * @param arg1 r1, unsigned
 * @param arg2 r2, unsigned
 * @param arg3 r3, unsigned
 * @param cpuState power state of the CPU with this MPIDR affinity value (CPU 0 is 0), undefined when there is none
 */
export function psciCall(
  functionId: number,
  arg1: number,
  arg2: number,
  arg3: number,
  cpuState: (affinity: number) => CpuPowerState | undefined,
): PsciResult {
  switch (functionId) {
    case PSCI_VERSION:
      return value(VERSION_1_1);
    case PSCI_MIGRATE_INFO_TYPE:
      return value(MIGRATION_NOT_REQUIRED);
    case PSCI_AFFINITY_INFO:
      return value(affinityInfo(arg1, arg2, cpuState));
    case PSCI_SYSTEM_OFF:
      return { action: 'system-off' };
    case PSCI_SYSTEM_RESET:
      return { action: 'system-reset' };
    case PSCI_CPU_OFF:
    case PSCI_0_1_CPU_OFF:
      return { action: 'cpu-off' };
    case PSCI_CPU_SUSPEND:
    case PSCI_0_1_CPU_SUSPEND:
      // Power-down states are entered as standby, which the specification allows (5.4): the CPU keeps its state and returns success.
      if ((arg1 & UNSUPPORTED_POWER_STATE) !== 0) return value(PSCI_INVALID_PARAMETERS);
      return { action: 'wait-for-interrupt', value: PSCI_SUCCESS };
    case PSCI_CPU_ON:
    case PSCI_0_1_CPU_ON:
      return cpuOn(arg1, arg2, arg3, cpuState);
    case PSCI_FEATURES:
      return value(isImplemented(arg1) ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED);
    default:
      // Unknown functions, MIGRATE, and those of the 64-bit convention (DEN 0028, 5.2).
      return value(PSCI_NOT_SUPPORTED);
  }
}

function value(word: number): PsciResult {
  return { action: 'return', value: word };
}

function affinityInfo(affinity: number, lowestLevel: number, cpuState: (affinity: number) => CpuPowerState | undefined): number {
  // A cluster or anything above it is always on.
  if (lowestLevel !== 0) return 0;
  switch (cpuState(affinity)) {
    case 'on':
      return 0;
    case 'off':
      return 1;
    case 'on-pending':
      return 2;
    default:
      return PSCI_INVALID_PARAMETERS;
  }
}

function cpuOn(affinity: number, entry: number, context: number, cpuState: (affinity: number) => CpuPowerState | undefined): PsciResult {
  switch (cpuState(affinity)) {
    case 'on':
      return value(PSCI_ALREADY_ON);
    case 'on-pending':
      return value(PSCI_ON_PENDING);
    case 'off':
      return { action: 'cpu-on', value: PSCI_SUCCESS, cpu: affinity, entry, context };
    default:
      return value(PSCI_INVALID_PARAMETERS);
  }
}

function isImplemented(functionId: number): boolean {
  switch (functionId) {
    case PSCI_VERSION:
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_AFFINITY_INFO:
    case PSCI_MIGRATE_INFO_TYPE:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
    case PSCI_0_1_CPU_SUSPEND:
    case PSCI_0_1_CPU_OFF:
    case PSCI_0_1_CPU_ON:
      return true;
    default:
      return false;
  }
}
