import { TLB_SIDE_BOTH, type Tlb, type TlbEvictionSink, type TlbSide } from './contracts/tlb.js';
import type { HostTables } from './host-tables.js';

const ALL = 0;
const MVA = 1;
const ASID = 2;
const MVA_ALL_ASID = 3;
type Operation = 0 | 1 | 2 | 3;

/** One operation that has not taken effect: as TLBI*'s CRm and opc2 have it. */
export interface PendingMaintenance {
  readonly operation: Operation;
  readonly operand: number;
  readonly side: TlbSide;
}

/**
 * TLB maintenance (ARM DDI 0406C.d, B4.2.2): on the model, and on what the host made from it. With `late` an operation takes effect at the next DSB and
 * not before, which is as late as B3.10.1 lets it.
 */
export class TlbMaintenance {
  private readonly tlb: Tlb | null;
  private readonly host: HostTables;
  private readonly sink: TlbEvictionSink;
  private readonly late: boolean;
  private queue: PendingMaintenance[] = [];

  constructor(tlb: Tlb | null, host: HostTables, sink: TlbEvictionSink, late: boolean) {
    this.tlb = tlb;
    this.host = host;
    this.sink = sink;
    this.late = late;
  }

  all(side: TlbSide = TLB_SIDE_BOTH): void {
    this.request(ALL, 0, side);
  }
  /** `operand` is VA[31:12] and an ASID in bits 7:0, as TLBIMVA takes it. */
  mva(operand: number, side: TlbSide = TLB_SIDE_BOTH): void {
    this.request(MVA, operand >>> 0, side);
  }
  asid(operand: number, side: TlbSide = TLB_SIDE_BOTH): void {
    this.request(ASID, operand & 0xff, side);
  }
  /** `operand` is VA[31:12], as TLBIMVAA takes it. */
  mvaAllAsid(operand: number): void {
    this.request(MVA_ALL_ASID, operand >>> 0, TLB_SIDE_BOTH);
  }

  private request(operation: Operation, operand: number, side: TlbSide): void {
    if (this.late) this.queue.push({ operation, operand, side });
    else this.perform(operation, operand, side);
  }

  private perform(operation: Operation, operand: number, side: TlbSide): void {
    const { tlb, host, sink } = this;
    const va = (operand & 0xfffff000) >>> 0;
    switch (operation) {
      case ALL:
        tlb?.invalidateAll(side, sink);
        host.dropAll();
        break;
      case MVA:
        tlb?.invalidateMva(va, operand & 0xff, side, sink);
        host.dropMva(operand);
        break;
      case ASID:
        tlb?.invalidateAsid(operand, side, sink);
        host.dropAsid(operand);
        break;
      case MVA_ALL_ASID:
        tlb?.invalidateMvaAllAsid(va, side, sink);
        host.dropMva(operand);
        break;
    }
  }

  /** A DSB that waits for loads and stores: what was asked for is done now. */
  complete(): void {
    if (this.queue.length === 0) return;
    const { queue } = this;
    this.queue = [];
    for (const { operation, operand, side } of queue) this.perform(operation, operand, side);
  }

  pending(): readonly PendingMaintenance[] {
    return this.queue.map((entry) => ({ ...entry }));
  }
  setPending(queue: readonly PendingMaintenance[]): void {
    this.queue = queue.map((entry) => ({ ...entry }));
  }
}
