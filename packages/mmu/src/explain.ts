import type { AccessKind, PhysAddr, VirtAddr, WalkPort } from '@tablewalk/machine/contracts';
import {
  attributeInner,
  attributeOuter,
  attributeOuterShareable,
  attributeShareable,
  attributeType,
  FLAT_DATA_ATTRIBUTES,
} from './attributes.js';
import { FAULT_NAMES, FAULT_NONE, longStatus, shortStatus } from './fault-status.js';
import { walkLong } from './long-walk.js';
import { faultOf, RIGHT_EXECUTE, RIGHT_READ, RIGHT_WRITE, rights } from './permissions.js';
import { walkShort } from './short-walk.js';
import type { TranslationControl } from './translation-control.js';
import { type DescriptorKind, WalkState } from './walk-state.js';

/** One descriptor that the walk read (or the reason why it read none). */
export interface WalkStep {
  readonly level: number;
  readonly kind: DescriptorKind;
  /** Physical address of the descriptor, or -1 when none was read. */
  readonly descriptorAddress: PhysAddr;
  /** Bits 31:0, and bits 63:32 of a long descriptor (0 otherwise). */
  readonly low: number;
  readonly high: number;
  /** The descriptor's fields by their manual names, in the order in which they are shown. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface WalkMapping {
  readonly pa: PhysAddr;
  readonly sizeLog2: number;
  readonly ap: number;
  readonly xn: boolean;
  readonly pxn: boolean;
  readonly global: boolean;
  readonly domain: number;
  readonly contiguous: boolean;
  readonly type: 'strongly-ordered' | 'device' | 'normal';
  readonly inner: string;
  readonly outer: string;
  readonly shareability: 'non-shareable' | 'inner shareable' | 'outer shareable';
  /** What the asked privilege may do: some of `r`, `w`, `x`; empty for a domain without access. */
  readonly rights: string;
}

export interface WalkExplanation {
  readonly va: VirtAddr;
  readonly privileged: boolean;
  /** `off`: SCTLR.M is clear and the address is its own translation. */
  readonly format: 'off' | 'short' | 'long';
  /** `TTBR0` or `TTBR1`; undefined when no table was chosen. */
  readonly table: 'TTBR0' | 'TTBR1' | undefined;
  readonly steps: readonly WalkStep[];
  /** Undefined when the walk found no mapping. A mapping may still not be allowed: see `fault`. */
  readonly mapping: WalkMapping | undefined;
  /** Undefined for a translation that succeeds. `status` is in the layout of DFSR. */
  readonly fault: { readonly name: string; readonly level: number; readonly status: number } | undefined;
  /** The outcome in one line. */
  readonly outcome: string;
}

const TYPES = ['strongly-ordered', 'device', 'normal'] as const;
const POLICIES = ['non-cacheable', 'write-back write-allocate', 'write-through', 'write-back'] as const;

const hex = (value: number, digits = 8): string => `0x${value.toString(16).padStart(digits, '0')}`;
const bits = (value: number, width: number): string => `0b${value.toString(2).padStart(width, '0')}`;

/** Walks `va` with the very walker that the CPU uses, watching it, and says what it saw. */
export function explain(
  control: TranslationControl,
  memory: WalkPort,
  va: VirtAddr,
  access: AccessKind,
  privileged: boolean,
): WalkExplanation {
  const w = new WalkState(control, memory);
  if (!control.enabled) {
    w.attributes = FLAT_DATA_ATTRIBUTES;
    w.sizeLog2 = 32;
    return {
      va,
      privileged,
      format: 'off',
      table: undefined,
      steps: [],
      mapping: mappingOf(w, va, RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE),
      fault: undefined,
      outcome: `${hex(va)} -> ${hex(va, 10)} (translation is off)`,
    };
  }

  const steps: WalkStep[] = [];
  w.recorder = {
    descriptor(_va, level, kind, descriptorAddress, low, high) {
      const fields = control.long ? longFields(kind, level, low, high) : shortFields(kind, low);
      steps.push({ level, kind, descriptorAddress, low, high, fields });
    },
  };
  const found = control.long ? walkLong(w, va) : walkShort(w, va);
  const granted = found ? rights(w, privileged) : 0;
  const kind = found ? faultOf(granted, access) : w.fault;
  const mapping = found ? mappingOf(w, va, granted) : undefined;
  const fault =
    kind === FAULT_NONE
      ? undefined
      : {
          name: FAULT_NAMES[kind],
          level: w.level,
          status: control.long ? longStatus(kind, w.level) : shortStatus(kind, w.level, w.domain),
        };
  const outcome =
    fault !== undefined
      ? `${hex(va)} -> ${fault.name}, level ${fault.level}`
      : `${hex(va)} -> ${hex(mapping === undefined ? 0 : mapping.pa, 10)}`;
  const table = steps[0]?.kind === 'out of range' ? undefined : w.second ? 'TTBR1' : 'TTBR0';
  return { va, privileged, format: control.long ? 'long' : 'short', table, steps, mapping, fault, outcome };
}

function mappingOf(w: WalkState, va: VirtAddr, granted: number): WalkMapping {
  const a = w.attributes;
  const may = Math.max(granted, 0);
  return {
    pa: w.sizeLog2 === 32 ? va : w.paBase + (va & ((1 << w.sizeLog2) - 1)),
    sizeLog2: w.sizeLog2,
    ap: w.ap,
    xn: w.xn,
    pxn: w.pxn,
    global: w.global,
    domain: w.domain,
    contiguous: w.contiguous,
    type: TYPES[attributeType(a)],
    inner: POLICIES[attributeInner(a)],
    outer: POLICIES[attributeOuter(a)],
    shareability: !attributeShareable(a) ? 'non-shareable' : attributeOuterShareable(a) ? 'outer shareable' : 'inner shareable',
    rights: `${may & RIGHT_READ ? 'r' : ''}${may & RIGHT_WRITE ? 'w' : ''}${may & RIGHT_EXECUTE ? 'x' : ''}`,
  };
}

type Fields = readonly (readonly [string, string])[];

/** The fields as they stand in the descriptor (B3.5.1). Their meaning is the walker's business; this only cuts and names them. */
function shortFields(kind: DescriptorKind, d: number): Fields {
  const bit = (n: number): string => String((d >>> n) & 1);
  switch (kind) {
    case 'table':
      return [
        ['table', hex((d & 0xfffffc00) >>> 0)],
        ['domain', String((d >>> 5) & 0xf)],
        ['NS', bit(3)],
        ['PXN', bit(2)],
      ];
    case 'section':
    case 'supersection':
      return [
        ['base', hex((d & (kind === 'section' ? 0xfff00000 : 0xff000000)) >>> 0)],
        ...(kind === 'section'
          ? ([['domain', String((d >>> 5) & 0xf)]] as const)
          : ([
              ['PA[39:36]', hex((d >>> 5) & 0xf, 1)],
              ['PA[35:32]', hex((d >>> 20) & 0xf, 1)],
            ] as const)),
        ['NS', bit(19)],
        ['nG', bit(17)],
        ['S', bit(16)],
        ['AP', bits(((d >>> 13) & 4) | ((d >>> 10) & 3), 3)],
        ['TEX', bits((d >>> 12) & 7, 3)],
        ['C', bit(3)],
        ['B', bit(2)],
        ['XN', bit(4)],
        ['PXN', bit(0)],
      ];
    case 'large page':
    case 'small page': {
      const large = kind === 'large page';
      return [
        ['base', hex((d & (large ? 0xffff0000 : 0xfffff000)) >>> 0)],
        ['nG', bit(11)],
        ['S', bit(10)],
        ['AP', bits(((d >>> 7) & 4) | ((d >>> 4) & 3), 3)],
        ['TEX', bits((d >>> (large ? 12 : 6)) & 7, 3)],
        ['C', bit(3)],
        ['B', bit(2)],
        ['XN', bit(large ? 15 : 0)],
      ];
    }
    default:
      return [];
  }
}

/** As {@link shortFields} (B3.6.1, B3.6.2). */
function longFields(kind: DescriptorKind, level: number, low: number, high: number): Fields {
  const bit = (n: number): string => String(((n < 32 ? low : high) >>> (n & 31)) & 1);
  const address = (shift: number): string => hex(((low & (0xffffffff << shift)) >>> 0) + (high & 0xff) * 0x100000000, 10);
  switch (kind) {
    case 'table':
      return [
        ['table', address(12)],
        ['NSTable', bit(63)],
        ['APTable', bits((high >>> 29) & 3, 2)],
        ['XNTable', bit(60)],
        ['PXNTable', bit(59)],
      ];
    case 'block':
    case 'page':
      return [
        ['base', address(level === 3 ? 12 : level === 2 ? 21 : 30)],
        ['XN', bit(54)],
        ['PXN', bit(53)],
        ['contiguous', bit(52)],
        ['nG', bit(11)],
        ['AF', bit(10)],
        ['SH', bits((low >>> 8) & 3, 2)],
        ['AP[2:1]', bits((low >>> 6) & 3, 2)],
        ['NS', bit(5)],
        ['AttrIndx', String((low >>> 2) & 7)],
      ];
    default:
      return [];
  }
}
