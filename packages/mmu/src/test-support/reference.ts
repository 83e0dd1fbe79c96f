/**
 * Translation written straight from the manual's tables with BigInt fields and no thought of speed, to compare the walker with. Shares nothing with it.
 */
export interface ReferenceRegisters {
  sctlr: number;
  ttbcr: number;
  ttbr0: bigint;
  ttbr1: bigint;
  dacr: number;
  prrr: number;
  nmrr: number;
}

export type ReferenceResult =
  | { fault: string; level: number; domain: number }
  | {
      pa: bigint;
      size: bigint;
      global: boolean;
      type: 'so' | 'device' | 'normal';
      inner: number;
      outer: number;
      shareable: boolean;
      read: boolean;
      write: boolean;
      execute: boolean;
    };

type Memory = (pa: bigint) => number | undefined;

const field = (value: bigint, high: number, low: number): bigint => (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
const bit = (value: bigint, n: number): boolean => field(value, n, n) === 1n;
const number = (value: bigint): number => Number(value);

export function reference(
  r: ReferenceRegisters,
  memory: Memory,
  va: bigint,
  access: 'read' | 'write' | 'fetch',
  pl1: boolean,
): ReferenceResult {
  return bit(BigInt(r.ttbcr), 31) ? referenceLong(r, memory, va, access, pl1) : referenceShort(r, memory, va, access, pl1);
}

function bigEndian(word: number): number {
  return Number.parseInt(word.toString(16).padStart(8, '0').match(/../g)?.reverse().join('') ?? '', 16);
}

function allowed(ap: number, simple: boolean, pl1: boolean): { read: boolean; write: boolean } {
  // Rows of Tables B3-7 and B3-8: PL1 and PL0 as text.
  const full = ['-- --', 'rw --', 'rw r-', 'rw rw', '-- --', 'r- --', 'r- r-', 'r- r-'];
  const simplified = ['rw --', 'rw rw', 'r- --', 'r- r-'];
  const row = (simple ? simplified[ap >> 1] : full[ap]).split(' ')[pl1 ? 0 : 1];
  return { read: row.includes('r'), write: row.includes('w') };
}

function executable(r: ReferenceRegisters, ap: number, simple: boolean, pl1: boolean, xn: boolean, pxn: boolean): boolean {
  const own = allowed(ap, simple, pl1);
  if (!own.read || xn) return false;
  if (pl1 && pxn) return false;
  const sctlr = BigInt(r.sctlr);
  if (bit(sctlr, 19) && own.write) return false;
  return !(bit(sctlr, 20) && pl1 && allowed(ap, simple, false).write);
}

function referenceShort(r: ReferenceRegisters, memory: Memory, va: bigint, access: string, pl1: boolean): ReferenceResult {
  const sctlr = BigInt(r.sctlr);
  const ttbcr = BigInt(r.ttbcr);
  const load = (pa: bigint): bigint | undefined => {
    const word = memory(pa);
    return word === undefined ? undefined : BigInt(bit(sctlr, 25) ? bigEndian(word) : word);
  };
  const n = number(field(ttbcr, 2, 0));
  const useTtbr0 = n === 0 || field(va, 31, 32 - n) === 0n;
  if (bit(ttbcr, useTtbr0 ? 4 : 5)) return { fault: 'translation', level: 1, domain: 0 };
  const width = useTtbr0 ? 14 - n : 14;
  const base = (useTtbr0 ? r.ttbr0 & 0xffffffffn : r.ttbr1 & 0xffffffffn) >> BigInt(width);
  const index = useTtbr0 ? field(va, 31 - n, 20) : field(va, 31, 20);
  const l1 = load((base << BigInt(width)) + index * 4n);
  if (l1 === undefined) return { fault: 'abort', level: 1, domain: 0 };
  let level = 1;
  let domain = number(field(l1, 8, 5));
  let pxn: boolean;
  let size: bigint;
  let pa: bigint;
  let bits: { tex: bigint; c: bigint; b: bigint; s: boolean; ap: number; xn: boolean; ng: boolean };
  switch (field(l1, 1, 0)) {
    case 0n:
      return { fault: 'translation', level: 1, domain: 0 };
    case 1n: {
      pxn = bit(l1, 2);
      level = 2;
      const l2 = load((field(l1, 31, 10) << 10n) + field(va, 19, 12) * 4n);
      if (l2 === undefined) return { fault: 'abort', level: 2, domain };
      const large = field(l2, 1, 0) === 1n;
      if (field(l2, 1, 0) === 0n) return { fault: 'translation', level: 2, domain };
      size = large ? 0x10000n : 0x1000n;
      pa = (l2 / size) * size;
      bits = {
        tex: large ? field(l2, 14, 12) : field(l2, 8, 6),
        c: field(l2, 3, 3),
        b: field(l2, 2, 2),
        s: bit(l2, 10),
        ap: number(field(l2, 9, 9) * 4n + field(l2, 5, 4)),
        xn: bit(l2, large ? 15 : 0),
        ng: bit(l2, 11),
      };
      break;
    }
    default: {
      pxn = bit(l1, 0);
      const superSection = bit(l1, 18);
      size = superSection ? 0x1000000n : 0x100000n;
      pa = (l1 / size) * size;
      if (superSection) {
        pa += (field(l1, 23, 20) << 32n) + (field(l1, 8, 5) << 36n);
        domain = 0;
      }
      bits = {
        tex: field(l1, 14, 12),
        c: field(l1, 3, 3),
        b: field(l1, 2, 2),
        s: bit(l1, 16),
        ap: number(field(l1, 15, 15) * 4n + field(l1, 11, 10)),
        xn: bit(l1, 4),
        ng: bit(l1, 17),
      };
    }
  }
  const afe = bit(sctlr, 29);
  if (afe && (bits.ap & 1) === 0) return { fault: 'access flag', level, domain };
  const domainAccess = number(field(BigInt(r.dacr), 2 * domain + 1, 2 * domain));
  if (domainAccess === 0 || domainAccess === 2) return { fault: 'domain', level, domain };
  const manager = domainAccess === 3;
  const own = manager ? { read: true, write: true } : allowed(bits.ap, afe, pl1);
  const execute = manager || executable(r, bits.ap, afe, pl1, bits.xn, pxn);
  const may = access === 'read' ? own.read : access === 'write' ? own.write : execute;
  if (!may) return { fault: 'permission', level, domain };
  const memoryType = bit(sctlr, 28) ? remap(r, bits) : noRemap(bits);
  return { pa: pa + (va % size), size, global: !bits.ng, ...memoryType, ...own, execute };
}

interface Attributes {
  type: 'so' | 'device' | 'normal';
  inner: number;
  outer: number;
  shareable: boolean;
}

function noRemap(d: { tex: bigint; c: bigint; b: bigint; s: boolean }): Attributes {
  const code = d.tex.toString(2).padStart(3, '0') + d.c.toString() + d.b.toString();
  if (code[0] === '1') {
    return { type: 'normal', outer: Number.parseInt(code.slice(1, 3), 2), inner: Number.parseInt(code.slice(3), 2), shareable: d.s };
  }
  const rows: Record<string, Attributes> = {
    '00000': { type: 'so', inner: 0, outer: 0, shareable: true },
    '00001': { type: 'device', inner: 0, outer: 0, shareable: true },
    '00010': { type: 'normal', inner: 2, outer: 2, shareable: d.s },
    '00011': { type: 'normal', inner: 3, outer: 3, shareable: d.s },
    '00100': { type: 'normal', inner: 0, outer: 0, shareable: d.s },
    '00111': { type: 'normal', inner: 1, outer: 1, shareable: d.s },
    '01000': { type: 'device', inner: 0, outer: 0, shareable: false },
  };
  return rows[code] ?? rows['00000'];
}

function remap(r: ReferenceRegisters, d: { tex: bigint; c: bigint; b: bigint; s: boolean }): Attributes {
  const n = number((d.tex & 1n) * 4n + d.c * 2n + d.b);
  const prrr = BigInt(r.prrr);
  const nmrr = BigInt(r.nmrr);
  switch (field(prrr, 2 * n + 1, 2 * n)) {
    case 1n:
      return { type: 'device', inner: 0, outer: 0, shareable: bit(prrr, d.s ? 17 : 16) };
    case 2n:
      return {
        type: 'normal',
        inner: number(field(nmrr, 2 * n + 1, 2 * n)),
        outer: number(field(nmrr, 2 * n + 17, 2 * n + 16)),
        shareable: bit(prrr, d.s ? 19 : 18),
      };
    default:
      return { type: 'so', inner: 0, outer: 0, shareable: true };
  }
}

function referenceLong(r: ReferenceRegisters, memory: Memory, va: bigint, access: string, pl1: boolean): ReferenceResult {
  const sctlr = BigInt(r.sctlr);
  const ttbcr = BigInt(r.ttbcr);
  const load = (pa: bigint): bigint | undefined => {
    const first = memory(pa);
    const second = memory(pa + 4n);
    if (first === undefined || second === undefined) return undefined;
    return bit(sctlr, 25) ? (BigInt(bigEndian(first)) << 32n) | BigInt(bigEndian(second)) : (BigInt(second) << 32n) | BigInt(first);
  };
  const t0 = number(field(ttbcr, 2, 0));
  const t1 = number(field(ttbcr, 18, 16));
  // The regions as ranges.
  const top = 1n << 32n;
  const first: [bigint, bigint] = t0 > 0 || t1 === 0 ? [0n, top >> BigInt(t0)] : [0n, top - (top >> BigInt(t1))];
  const second: [bigint, bigint] = t1 > 0 ? [top - (top >> BigInt(t1)), top] : [first[1], top];
  const inside = (range: [bigint, bigint]): boolean => va >= range[0] && va < range[1];
  const which = inside(second) ? 1 : inside(first) ? 0 : -1;
  if (which < 0) return { fault: 'translation', level: 1, domain: 0 };
  if (bit(ttbcr, which === 0 ? 7 : 23)) return { fault: 'translation', level: 1, domain: 0 };
  const tsz = which === 0 ? t0 : t1;
  const ttbr = which === 0 ? r.ttbr0 : r.ttbr1;
  let level = tsz >= 2 ? 2 : 1;
  const inputBits = 32 - tsz;
  let table = ttbr & 0xffffffffffn;
  const alignment = BigInt(level === 1 ? 5 - tsz : 14 - tsz);
  table = (table >> alignment) << alignment;
  let top63: bigint = 0n;
  let high = inputBits - 1;
  for (;;) {
    const low = [0, 30, 21, 12][level];
    const d = load(table + field(va, high, low) * 8n);
    if (d === undefined) return { fault: 'abort', level, domain: 0 };
    if (!bit(d, 0) || (level === 3 && !bit(d, 1))) return { fault: 'translation', level, domain: 0 };
    if (level < 3 && bit(d, 1)) {
      top63 |= field(d, 63, 59);
      table = field(d, 39, 12) << 12n;
      high = low - 1;
      level++;
      continue;
    }
    if (!bit(d, 10)) return { fault: 'access flag', level, domain: 0 };
    const size = 1n << BigInt(low);
    const pa = (field(d, 39, low) << BigInt(low)) + (va % size);
    const readOnly = bit(d, 7) || bit(top63, 3);
    const user = bit(d, 6) && !bit(top63, 2);
    const ap = (readOnly ? 4 : 0) + (user ? 2 : 0);
    const xn = bit(d, 54) || bit(top63, 1);
    const pxn = bit(d, 53) || bit(top63, 0);
    const own = allowed(ap, true, pl1);
    const execute = executable(r, ap, true, pl1, xn, pxn);
    if (!(access === 'read' ? own.read : access === 'write' ? own.write : execute)) return { fault: 'permission', level, domain: 0 };
    const index = number(field(d, 4, 2));
    const mair = number(field((BigInt(r.nmrr) << 32n) | BigInt(r.prrr), 8 * index + 7, 8 * index));
    return { pa, size, global: !bit(d, 11), ...mairType(mair, number(field(d, 9, 8))), ...own, execute };
  }
}

function mairType(byte: number, sh: number): Attributes {
  const policy = (nibble: number): number => {
    const name = nibble === 4 ? 'nc' : ['wt', 'wb', 'wt', 'wb'][nibble >> 2];
    return name === 'nc' ? 0 : name === 'wt' ? 2 : nibble % 2 === 1 ? 1 : 3;
  };
  if (byte === 4) return { type: 'device', inner: 0, outer: 0, shareable: true };
  if (byte < 16 || byte % 16 === 0) return { type: 'so', inner: 0, outer: 0, shareable: true };
  return { type: 'normal', inner: policy(byte % 16), outer: policy(byte >> 4), shareable: byte === 0x44 || sh >= 2 };
}
