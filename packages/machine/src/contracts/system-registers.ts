/** Encoding of a 32-bit coprocessor register as in `MRC p15, opc1, Rt, CRn, CRm, opc2`. */
export interface SystemRegisterEncoding {
  readonly cp: 14 | 15;
  readonly opc1: number;
  readonly crn: number;
  readonly crm: number;
  readonly opc2: number;
}

/** Encoding of a 64-bit register as in `MRRC p15, opc1, Rt, Rt2, CRm`. */
export interface SystemRegisterEncoding64 {
  readonly cp: 14 | 15;
  readonly opc1: number;
  readonly crm: number;
}

/** Who may access: from PL0 and from PL1. A missing `read` or `write` makes that direction UNDEFINED whatever the level. */
export type Pl0Access = 'none' | 'read' | 'write' | 'read-write';

/**
 * One register. Values are unsigned 32-bit. `read` and `write` run between instructions as far as time and interrupts are concerned:
 * `Clock.now()` is exact in them. A write ends the translated block, so it may change anything (translation, mode, endianness).
 */
export interface SystemRegister {
  /** The manual's name: SCTLR, TTBR0, DCCMVAC. */
  readonly name: string;
  /** Default 'none'. A function is asked at each PL0 access (CNTKCTL, PMUSERENR). */
  readonly pl0?: Pl0Access | ((write: boolean) => boolean);
  read?(): number;
  write?(value: number): void;
  /** For reports and gdb: true when reading has an effect or is meaningless. */
  readonly volatile?: boolean;
}

export interface SystemRegister64 {
  readonly name: string;
  readonly pl0?: Pl0Access | ((write: boolean) => boolean);
  /** Fills `pair[0]` with bits 31:0 and `pair[1]` with bits 63:32. */
  read?(pair: Uint32Array): void;
  write?(low: number, high: number): void;
}

/** The CPU's CP14/CP15 space. The MMU and the generic timer register theirs; defining an encoding twice throws. */
export interface SystemRegisterBank {
  define(encoding: SystemRegisterEncoding, register: SystemRegister): void;
  define64(encoding: SystemRegisterEncoding64, register: SystemRegister64): void;
}
