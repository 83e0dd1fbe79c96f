import type { GuestExceptionKind } from './image/traps.js';

/** An exception that kernel code took, as its own handler reported it. */
export interface AbortReport {
  readonly kind: GuestExceptionKind | 'locked-up' | 'runaway' | 'ended';
  /** DFSR or IFSR. */
  readonly status: number;
  /** DFAR or IFAR. */
  readonly address: number;
  /** Of the instruction. */
  readonly pc: number;
  /** The call site, when the PC is in the kernel's image. */
  readonly symbol: string | undefined;
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** Ends a host routine: the machine has taken the guest's vector, and the kernel's handler has said why. */
export class GuestAbort extends Error {
  override readonly name = 'GuestAbort';
  readonly report: AbortReport;

  constructor(report: AbortReport) {
    const at = report.symbol === undefined ? hex(report.pc) : `${report.symbol} (${hex(report.pc)})`;
    super(`[kmem] [abort] ${report.kind} at ${at}, address ${hex(report.address)}, status ${hex(report.status)}`);
    this.report = report;
  }
}
