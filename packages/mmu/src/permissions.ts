import { ACCESS_FETCH, ACCESS_WRITE, type AccessKind } from '@tablewalk/machine/contracts';
import { FAULT_DOMAIN, FAULT_NONE, FAULT_PERMISSION, type FaultKind } from './fault-status.js';
import type { WalkState } from './walk-state.js';

export const RIGHT_READ = 1;
export const RIGHT_WRITE = 2;
export const RIGHT_EXECUTE = 4;

const RW = RIGHT_READ | RIGHT_WRITE;
const RO = RIGHT_READ;

/** Read and write rights by AP[2:0], PL1 then PL0 (B3.7.1, Table B3-8). AP = 0b100 is reserved: no access. */
const FULL_PL1: readonly number[] = [0, RW, RW, RW, 0, RO, RO, RO];
const FULL_PL0: readonly number[] = [0, 0, RO, RW, 0, 0, RO, RO];
/** The simplified model by AP[2:1] (SCTLR.AFE, and always with long descriptors): index AP[2:0] with AP[0] ignored. */
const SIMPLE_PL1: readonly number[] = [RW, RW, RW, RW, RO, RO, RO, RO];
const SIMPLE_PL0: readonly number[] = [0, 0, RW, RW, 0, 0, RO, RO];

/** DACR's two bits for a domain. */
export const DOMAIN_CLIENT = 1;
export const DOMAIN_MANAGER = 3;

/** Marks the absence of any right because of the domain, not of the descriptor. */
export const RIGHTS_DOMAIN_FAULT = -1;

/**
 * What the privilege may do with the mapping in `w`: RIGHT_* bits, or RIGHTS_DOMAIN_FAULT. Order and rules: B3.7 and B3.13.2 (domain before
 * permission; a manager's accesses are checked against nothing, execute-never included).
 */
export function rights(w: WalkState, privileged: boolean): number {
  const control = w.control;
  let simple = true;
  if (!control.long) {
    const domain = (control.dacr >>> (2 * w.domain)) & 3;
    if (domain === DOMAIN_MANAGER) return RW | RIGHT_EXECUTE;
    if (domain !== DOMAIN_CLIENT) return RIGHTS_DOMAIN_FAULT;
    simple = control.accessFlag;
  }
  const user = simple ? SIMPLE_PL0[w.ap] : FULL_PL0[w.ap];
  const data = privileged ? (simple ? SIMPLE_PL1[w.ap] : FULL_PL1[w.ap]) : user;
  // Execution needs a readable page. WXN takes it from what may be written, UWXN takes it at PL1 from what PL0 may write (B3.7.2).
  if (data === 0 || w.xn || (privileged && w.pxn)) return data;
  if (control.wxn && (data & RIGHT_WRITE) !== 0) return data;
  if (control.uwxn && privileged && (user & RIGHT_WRITE) !== 0) return data;
  return data | RIGHT_EXECUTE;
}

export function faultOf(granted: number, access: AccessKind): FaultKind {
  if (granted === RIGHTS_DOMAIN_FAULT) return FAULT_DOMAIN;
  const needed = access === ACCESS_FETCH ? RIGHT_EXECUTE : access === ACCESS_WRITE ? RIGHT_WRITE : RIGHT_READ;
  return (granted & needed) !== 0 ? FAULT_NONE : FAULT_PERMISSION;
}
