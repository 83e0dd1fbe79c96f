/** Registers by name, for gdb, snapshots, reports and tests. Not for hot paths. */
export interface CpuView {
  /** Names that `readRegister` knows: r0-r12, sp, lr, pc, cpsr, spsr, banked names (r8_fiq, sp_irq, ...), d0-d31 (as two words), fpscr, system registers. */
  registerNames(): readonly string[];
  /** Unsigned 32-bit value; undefined for a name it does not know. `dN` is read with `dN.lo` and `dN.hi`. */
  readRegister(name: string): number | undefined;
  /** False for an unknown or read-only name. */
  writeRegister(name: string, value: number): boolean;
}
