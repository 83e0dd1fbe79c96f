import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine/contracts';
import { describe, expect, it } from 'vitest';
import { TestMemory } from './test-support/machine.js';
import { type ReferenceRegisters, reference } from './test-support/reference.js';
import { Vmsav7 } from './vmsav7.js';

/** A linear congruential generator's high bits: seeded, so that a failure comes back. */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 32n);
  };
}

const SHORT_FAULTS: Record<string, readonly [number, number]> = {
  translation: [5, 7],
  'access flag': [3, 6],
  domain: [9, 0xb],
  permission: [0xd, 0xf],
  abort: [0xc, 0xe],
};
const LONG_FAULTS: Record<string, number> = { translation: 0x04, 'access flag': 0x08, permission: 0x0c, abort: 0x14 };
const TYPES = ['so', 'device', 'normal'] as const;
const ACCESSES = [
  ['read', ACCESS_READ],
  ['write', ACCESS_WRITE],
  ['fetch', ACCESS_FETCH],
] as const;

/** Memory in which every word is a hash of its address: tables everywhere, no set-up. Words of the upper eighth of each 4 GB do not exist. */
class HashedMemory extends TestMemory {
  private readonly seed: number;
  private readonly long: boolean;
  constructor(seed: number, long: boolean) {
    super();
    this.seed = seed;
    this.long = long;
  }
  override readU32(pa: number): number | undefined {
    if (pa % 0x100000000 >= 0xe0000000) return undefined;
    const low = pa % 0x100000000;
    let h = Math.imul(low ^ this.seed ^ Math.floor(pa / 0x100000000), 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca77);
    h ^= h >>> 13;
    // Valid long descriptors are tables, blocks or pages with the access flag mostly set; table attributes rarely all at once.
    if (this.long && pa % 8 === 0 && (h & 0xf0000) !== 0) return (h | 1 | ((h & 0x700000) !== 0 ? 0x400 : 0)) >>> 0;
    if (this.long && pa % 8 === 4) return ((h & 0x0fffffff) | ((h & 0x30000000) === 0 ? (h << 3) & 0xf8000000 : 0)) >>> 0;
    return h >>> 0;
  }
}

function run(long: boolean, seed: number, configurations: number, addresses: number): Map<string, number> {
  const next = generator(seed);
  const seen = new Map<string, number>();
  for (let configuration = 0; configuration < configurations; configuration++) {
    const memory = new HashedMemory(next(), long);
    const mmu = new Vmsav7({ memory, securityExtensions: true });
    const flags = next() & ((1 << 19) | (1 << 20) | (1 << 25) | (1 << 28) | (1 << 29));
    const registers: ReferenceRegisters = {
      sctlr: (0x00c50079 | flags) >>> 0,
      ttbcr: long
        ? (0x80000000 | (next() & 0x00070007) | (next() % 4 === 0 ? next() & 0x00800080 : 0)) >>> 0
        : (next() & 7) | (next() % 4 === 0 ? next() & 0x30 : 0),
      ttbr0: BigInt(next()) | (BigInt(next() & 0x00ff00ff) << 32n),
      ttbr1: BigInt(next()) | (BigInt(next() & 0x00ff00ff) << 32n),
      dacr: next(),
      prrr: next(),
      nmrr: next(),
    };
    mmu.registers.ttbcr(registers.ttbcr);
    mmu.registers.ttbr0(Number(registers.ttbr0 & 0xffffffffn), Number(registers.ttbr0 >> 32n));
    mmu.registers.ttbr1(Number(registers.ttbr1 & 0xffffffffn), Number(registers.ttbr1 >> 32n));
    mmu.registers.dacr(registers.dacr);
    mmu.registers.prrr(registers.prrr);
    mmu.registers.nmrr(registers.nmrr);
    mmu.registers.sctlr(registers.sctlr);
    for (let i = 0; i < addresses; i++) {
      const va = i < 16 ? (2 ** (17 + (i >> 1)) - (i & 1)) >>> 0 : i < 32 ? (2 ** 32 - 2 ** (32 - (i >> 1) + 8) - (i & 1)) >>> 0 : next();
      for (const [name, access] of ACCESSES) {
        for (const pl1 of [false, true]) {
          const expected = reference(registers, (pa) => memory.readU32(Number(pa)), BigInt(va), name, pl1);
          const ok = mmu.translate(va, access, pl1);
          const where = `VA ${va.toString(16)} ${name} PL${pl1 ? 1 : 0} TTBCR ${registers.ttbcr.toString(16)} SCTLR ${registers.sctlr.toString(16)}`;
          if ('fault' in expected) {
            const { fault, level } = expected;
            const domain = name === 'fetch' ? 0 : expected.domain;
            const status = long ? 0x200 | LONG_FAULTS[fault] | level : SHORT_FAULTS[fault][level - 1] | (domain << 4);
            expect(ok ? `${where} translated` : `${where} ${mmu.fault.status.toString(16)} level ${mmu.fault.level}`).toBe(
              `${where} ${status.toString(16)} level ${level}`,
            );
            seen.set(`${fault} ${level}`, (seen.get(`${fault} ${level}`) ?? 0) + 1);
          } else {
            const t = mmu.translation;
            const actual = ok
              ? {
                  pa: BigInt(t.pa),
                  size: 1n << BigInt(t.sizeLog2),
                  global: t.global,
                  type: TYPES[t.type],
                  inner: t.inner,
                  outer: t.outer,
                  shareable: t.shareable,
                  read: t.readable,
                  write: t.writable,
                  execute: t.executable,
                }
              : { status: mmu.fault.status };
            expect({ where, ...actual }).toEqual({ where, ...expected });
            seen.set(`size ${t.sizeLog2}`, (seen.get(`size ${t.sizeLog2}`) ?? 0) + 1);
          }
        }
      }
    }
  }
  return seen;
}

describe('walks against an independent reference', () => {
  it('short descriptors', () => {
    const seen = run(false, 1, 60, 100);
    const outcomes = ['size 12', 'size 16', 'size 20', 'size 24', 'translation 1', 'translation 2', 'access flag 1', 'access flag 2'];
    outcomes.push('domain 1', 'domain 2', 'permission 1', 'permission 2', 'abort 1', 'abort 2');
    for (const outcome of outcomes) expect(`${outcome}: ${(seen.get(outcome) ?? 0) > 5}`).toBe(`${outcome}: true`);
  });

  it('long descriptors', () => {
    const seen = run(true, 2, 60, 100);
    const outcomes = ['size 12', 'size 21', 'size 30', 'translation 1', 'translation 2', 'translation 3', 'access flag 1', 'access flag 2'];
    outcomes.push('access flag 3', 'permission 1', 'permission 2', 'permission 3', 'abort 1', 'abort 2', 'abort 3');
    for (const outcome of outcomes) expect(`${outcome}: ${(seen.get(outcome) ?? 0) > 5}`).toBe(`${outcome}: true`);
  });
});
