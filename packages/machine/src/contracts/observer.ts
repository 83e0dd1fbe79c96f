import type { PhysAddr, VirtAddr } from './addresses.js';
import type { AccessKind } from './memory-system.js';

/**
 * Events for tracers, statistics and (later) the hazard checker. An observer implements what it wants; what nobody implements costs nothing,
 * because the event is not emitted at all. `pc` is the VA of the instruction concerned.
 */
export interface Observer {
  readonly name: string;
  exception?(kind: ExceptionKind, pc: VirtAddr, target: VirtAddr, cpsr: number): void;
  systemRegisterWrite?(name: string, value: number, pc: VirtAddr): void;
  walk?(va: VirtAddr, access: AccessKind, level: number, descriptorAddress: PhysAddr, descriptor: number): void;
  translationFault?(va: VirtAddr, access: AccessKind, status: number, pc: VirtAddr): void;
  deviceAccess?(device: string, offset: number, size: number, value: number, write: boolean, pc: VirtAddr): void;
  barrier?(kind: 'dsb' | 'dmb' | 'isb', option: number, pc: VirtAddr): void;
  maintenance?(operation: string, operand: number, pc: VirtAddr): void;
}

export type ExceptionKind =
  | 'reset'
  | 'undefined'
  | 'svc'
  | 'prefetch-abort'
  | 'data-abort'
  | 'hvc'
  | 'irq'
  | 'fiq'
  | 'smc'
  | 'semihosting'
  | 'bkpt';
