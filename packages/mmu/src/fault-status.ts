import type { CpuFaultKind } from '@tablewalk/machine/contracts';

/** What stopped a translation. Small integers: they travel through the hot path. */
export const FAULT_NONE = 0;
export const FAULT_TRANSLATION = 1;
export const FAULT_ACCESS_FLAG = 2;
export const FAULT_DOMAIN = 3;
export const FAULT_PERMISSION = 4;
/** External abort on a translation table walk. */
export const FAULT_WALK_ABORT = 5;
export type FaultKind = 0 | 1 | 2 | 3 | 4 | 5;

export const FAULT_NAMES: readonly string[] = [
  'none',
  'translation fault',
  'access flag fault',
  'domain fault',
  'permission fault',
  'external abort on walk',
];

/** FS[3:0] by kind and level (B3.13.3, Table B3-23); each pair is level 1, level 2. None of them sets FS[4]. */
const SHORT_STATUS: readonly number[] = [0, 0, 0x5, 0x7, 0x3, 0x6, 0x9, 0xb, 0xd, 0xf, 0xc, 0xe];

/** STATUS[5:2] by kind (B3.13.4, Table B3-24); STATUS[1:0] is the level. There are no domains in this format. */
const LONG_STATUS: readonly number[] = [0, 0x04, 0x08, 0, 0x0c, 0x14];

/** DFSR/IFSR bit 9: the register is in the long-descriptor layout. */
const FSR_LPAE = 1 << 9;

/** Short-descriptor status with the domain in bits 7:4. */
export function shortStatus(kind: FaultKind, level: number, domain: number): number {
  return SHORT_STATUS[kind * 2 + (level - 1)] | (domain << 4);
}

export function longStatus(kind: FaultKind, level: number): number {
  return FSR_LPAE | LONG_STATUS[kind] | level;
}

export function cpuFaultStatus(kind: CpuFaultKind, long: boolean): number {
  switch (kind) {
    case 'alignment':
      return long ? FSR_LPAE | 0x21 : 0x01;
    case 'debug':
      return long ? FSR_LPAE | 0x22 : 0x02;
    case 'external':
      return long ? FSR_LPAE | 0x10 : 0x08;
  }
}

/** The six bits that PAR[6:1] receives from a fault status register value (B4.1.112): ExT:FS[4]:FS[3:0], or STATUS. */
export function parFaultStatus(status: number): number {
  if ((status & FSR_LPAE) !== 0) return status & 0x3f;
  return (((status >> 12) & 1) << 5) | (((status >> 10) & 1) << 4) | (status & 0xf);
}
