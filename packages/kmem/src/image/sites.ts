/**
 * Call sites of kernel routines. A routine written in TypeScript touches the machine through {@link KernelPort} only, and each place in it that does
 * owns one instruction of the kernel's text, under the name `routine.site`: so the machine sees a PC with a symbol, fetches code, and takes faults at
 * an address that says who did it.
 */
export interface Site {
  /** `routine.name`, a symbol of the image. */
  readonly symbol: string;
  /** A32 text; operands are in r0 (address or value) and r1 (data). */
  readonly code: string;
}

/** CP15 registers and operations that the kernel uses (ARM DDI 0406C, B3.17.1), as the operands of MRC and MCR after the register. */
export const CP15 = {
  CTR: 'c0, c0, 1',
  ID_PFR1: 'c0, c1, 1',
  ID_MMFR3: 'c0, c1, 7',
  MPIDR: 'c0, c0, 5',
  SCTLR: 'c1, c0, 0',
  TTBR0: 'c2, c0, 0',
  TTBR1: 'c2, c0, 1',
  TTBCR: 'c2, c0, 2',
  CONTEXTIDR: 'c13, c0, 1',
  ICIALLU: 'c7, c5, 0',
  ICIMVAU: 'c7, c5, 1',
  BPIALL: 'c7, c5, 6',
  DCIMVAC: 'c7, c6, 1',
  DCCMVAC: 'c7, c10, 1',
  DCCMVAU: 'c7, c11, 1',
  DCCIMVAC: 'c7, c14, 1',
  ATS1CPR: 'c7, c8, 0',
  ATS1CPW: 'c7, c8, 1',
  ATS1CUR: 'c7, c8, 2',
  ATS1CUW: 'c7, c8, 3',
  PAR: 'c7, c4, 0',
  TLBIALL: 'c8, c7, 0',
  TLBIMVA: 'c8, c7, 1',
  TLBIASID: 'c8, c7, 2',
  TLBIMVAA: 'c8, c7, 3',
} as const;

export type Cp15Name = keyof typeof CP15;

const simple = {
  load: 'ldr r1, [r0]',
  load16: 'ldrh r1, [r0]',
  load8: 'ldrb r1, [r0]',
  store: 'str r1, [r0]',
  store16: 'strh r1, [r0]',
  store8: 'strb r1, [r0]',
  dsb: 'dsb',
  dmb: 'dmb',
  isb: 'isb',
  // What is called comes back to the trap that follows.
  branch: 'blx r0',
} as const;

/** What a site does: `mcr NAME` and `mrc NAME` name a register of {@link CP15}. */
export type SiteKind = keyof typeof simple | `mcr ${Cp15Name}` | `mrc ${Cp15Name}`;

const codeOf = (kind: SiteKind): string => {
  if (kind in simple) return simple[kind as keyof typeof simple];
  const [operation, name] = kind.split(' ') as ['mcr' | 'mrc', Cp15Name];
  return `${operation} p15, 0, r0, ${CP15[name]}`;
};

/** The sites of one routine: names and what they do. */
export const routine = <const Kinds extends Readonly<Record<string, SiteKind>>>(
  name: string,
  kinds: Kinds,
): { readonly [Name in keyof Kinds]: Site } =>
  Object.fromEntries(Object.entries(kinds).map(([site, kind]) => [site, { symbol: `${name}.${site}`, code: codeOf(kind) }])) as {
    readonly [Name in keyof Kinds]: Site;
  };

/** Sites of several routines, in the order in which they stand in the text. */
export type SiteList = readonly Readonly<Record<string, Site>>[];
