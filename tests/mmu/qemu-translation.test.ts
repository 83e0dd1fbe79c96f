import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SystemRegister, SystemRegister64, SystemRegisterBank } from '@tablewalk/machine/contracts';
import { Vmsav7 } from '@tablewalk/mmu';
import { describe, expect, it } from 'vitest';
import { CODE_SECTION, CONTROL, makeCases, RAM_BASE, RAM_SIZE, type TranslationCase } from './cases.js';

const QEMU = 'qemu-system-arm';
const GCC = 'arm-linux-gnueabihf-gcc';
const CASE_COUNT = 160;
const VAS_PER_CASE = 300;
/** A result whose high word is this is a Data Abort; the low word is DFSR. */
const ABORTED = 0xabababab;

const missing = [QEMU, GCC].filter((program) => spawnSync(program, ['--version']).error !== undefined);

/** The first 112 MB hold everything; the file is sparse. */
const USED = 0x07000000;

function runQemu(elf: string, image: Uint8Array): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'tablewalk-mmu-'));
  try {
    const path = join(directory, 'ram');
    const program = join(directory, 'translate.elf');
    const guest = fileURLToPath(new URL('guest/', import.meta.url));
    const built = spawnSync(GCC, ['-nostdlib', '-static', '-Wl,--build-id=none', '-T', `${guest}link.ld`, '-o', program, `${guest}${elf}`]);
    if (built.status !== 0) throw new Error(`${GCC}: ${built.stderr.toString()}`);
    const file = openSync(path, 'w+');
    ftruncateSync(file, RAM_SIZE);
    // Only what is not zero, a megabyte at a time: the file stays small.
    for (let at = 0; at < image.length; at += 0x100000) {
      const part = image.subarray(at, at + 0x100000);
      if (part.some((byte) => byte !== 0)) writeSync(file, part, 0, part.length, at);
    }
    const run = spawnSync(
      QEMU,
      [
        ...['-M', 'virt,memory-backend=ram', '-cpu', 'cortex-a15', '-m', '128', '-nic', 'none', '-display', 'none'],
        ...['-object', `memory-backend-file,id=ram,size=128M,mem-path=${path},share=on`],
        ...['-serial', 'none', '-monitor', 'none', '-kernel', program],
      ],
      { timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    if (run.status !== 0) throw new Error(`${QEMU} ended with ${run.status ?? run.signal}: ${run.stderr.toString()}`);
    const after = new Uint8Array(USED);
    readSync(file, after, 0, USED, 0);
    closeSync(file);
    return after;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A CP15 space in a map, so that the comparison goes through the registers as a guest's MCR does. */
function registerMap(): { bank: SystemRegisterBank; r(key: string): SystemRegister; d(key: string): SystemRegister64 } {
  const registers = new Map<string, SystemRegister>();
  const wide = new Map<string, SystemRegister64>();
  const get = <T>(map: Map<string, T>, key: string): T => {
    const found = map.get(key);
    if (found === undefined) throw new Error(`no register ${key}`);
    return found;
  };
  return {
    bank: {
      define: (e, register) => void registers.set(`c${e.crn} ${e.opc1} c${e.crm} ${e.opc2}`, register),
      define64: (e, register) => void wide.set(`${e.opc1} c${e.crm}`, register),
    },
    r: (key) => get(registers, key),
    d: (key) => get(wide, key),
  };
}

/** Everything a case's results could be, from our MMU: [TTBCR, SCTLR, 4 x PAR per VA]. */
function ours(c: TranslationCase, memory: DataView): { mmu: Vmsav7; ttbcr: number; sctlr: number; pars: [number, number][][] } {
  let aborted = -1;
  const mmu = new Vmsav7({
    memory: {
      readU32(pa) {
        const offset = pa - RAM_BASE;
        if (offset >= 0 && offset + 4 <= RAM_SIZE) return offset + 4 <= memory.byteLength ? memory.getUint32(offset, true) : 0;
        return undefined;
      },
    },
    onTranslationAbort: (_va, status) => {
      aborted = status;
    },
  });
  const { bank, r, d } = registerMap();
  mmu.defineRegisters(bank);
  r('c3 0 c0 0').write?.(c.dacr);
  r('c2 0 c0 2').write?.(c.ttbcr);
  d('0 c2').write?.(...c.ttbr0);
  d('1 c2').write?.(...c.ttbr1);
  r('c10 0 c2 0').write?.(c.prrr);
  r('c10 0 c2 1').write?.(c.nmrr);
  r('c1 0 c0 0').write?.(c.sctlr);
  const pair = new Uint32Array(2);
  const pars = c.vas.map((va) =>
    [0, 1, 2, 3].map((operation): [number, number] => {
      aborted = -1;
      r(`c7 0 c8 ${operation}`).write?.(va);
      if (aborted >= 0) return [aborted, ABORTED];
      d('0 c7').read?.(pair);
      return [pair[0], pair[1]];
    }),
  );
  return { mmu, ttbcr: r('c2 0 c0 2').read?.() ?? -1, sctlr: r('c1 0 c0 0').read?.() ?? -1, pars };
}

/**
 * Differences that are the manual's order of checks against QEMU's, both seen in the short format only. The manual reads the second descriptor and
 * looks at its access flag before it looks at the domain (B3.13.2); QEMU looks at the domain when it has the first descriptor, and does not look at
 * the access flag for a manager at all.
 */
function orderOfChecks(mmu: Vmsav7, c: TranslationCase, va: number, mine: [number, number], theirs: [number, number]): boolean {
  if ((c.ttbcr & 0x80000000) !== 0) return false;
  const name = mmu.explainWalk(va).fault?.name;
  const steps = mmu.explainWalk(va).steps;
  const first = steps[0];
  const domain = first.kind === 'supersection' ? 0 : (first.low >>> 5) & 0xf;
  const field = (c.dacr >>> (2 * domain)) & 3;
  const refused = field === 0 || field === 2;
  // An aborted walk says DFSR; the others say PAR. In both the fault that comes first must be one of the second descriptor or the access flag.
  const level2 = steps.length === 2;
  const parDomain = ((level2 ? 0xb : 0x9) << 1) | 1;
  if (refused && theirs[0] === parDomain && theirs[1] === 0) {
    return name === 'access flag fault' || (level2 && (name === 'translation fault' || name === 'external abort on walk'));
  }
  const succeeded = (theirs[0] & 1) === 0 && theirs[1] === 0;
  return field === 3 && name === 'access flag fault' && succeeded && (mine[0] & 1) === 1;
}

const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('translations against QEMU', () => {
  if (missing.length > 0) {
    it(`NOT COMPARED: ${missing.join(' and ')} not installed`, () => {
      console.warn(`\n*** tests/mmu: ${missing.join(' and ')} missing: translations were NOT compared with QEMU ***\n`);
      expect(missing.length).toBeGreaterThan(0);
    });
    return;
  }

  it(`gives the PAR of ${CASE_COUNT * VAS_PER_CASE * 4} ATS1C* operations over random tables, both formats`, { timeout: 120_000 }, () => {
    const image = new Uint8Array(USED);
    const ram = new DataView(image.buffer);
    const cases = makeCases(ram, CASE_COUNT, VAS_PER_CASE, 20_240_601);
    const after = new DataView(runQemu('translate.S', image).buffer);
    expect(after.getUint32(CONTROL + 4 - RAM_BASE, true), 'the guest ran to its end').toBe(1);
    expect(after.getUint32(CODE_SECTION - RAM_BASE, true), 'the guest is in its RAM').not.toBe(0);

    const differences: string[] = [];
    const seen = new Map<string, number>();
    let explained = 0;
    for (const [index, c] of cases.entries()) {
      const { mmu, ttbcr, sctlr, pars } = ours(c, ram);
      expect(`${index} TTBCR ${ttbcr.toString(16)}`).toBe(
        `${index} TTBCR ${after.getUint32(c.record + 0x30 - RAM_BASE, true).toString(16)}`,
      );
      expect(`${index} SCTLR ${sctlr.toString(16)}`).toBe(
        `${index} SCTLR ${after.getUint32(c.record + 0x34 - RAM_BASE, true).toString(16)}`,
      );
      for (const [n, va] of c.vas.entries()) {
        for (let operation = 0; operation < 4; operation++) {
          const at = c.results + n * 32 + operation * 8 - RAM_BASE;
          const theirs: [number, number] = [after.getUint32(at, true), after.getUint32(at + 4, true)];
          const mine = pars[n][operation];
          const long = (c.ttbcr & 0x80000000) !== 0 ? 'long' : 'short';
          const outcome =
            theirs[1] === ABORTED ? `abort ${theirs[0].toString(16)}` : theirs[0] & 1 ? `fault ${(theirs[0] & 0x7e) >> 1}` : 'success';
          seen.set(`${long} ${outcome}`, (seen.get(`${long} ${outcome}`) ?? 0) + 1);
          if (mine[0] === theirs[0] && mine[1] === theirs[1]) continue;
          if (orderOfChecks(mmu, c, va, mine, theirs)) {
            explained++;
            continue;
          }
          differences.push(
            `case ${index} TTBCR ${hex([c.ttbcr])} SCTLR ${hex([c.sctlr])} VA ${hex([va])} op ${operation}: QEMU ${hex(theirs)}, ours ${hex(mine)}; ${mmu.explainWalk(va).outcome}`,
          );
        }
      }
    }
    expect(differences.slice(0, 20)).toEqual([]);
    // The random tables reach every outcome, and the tolerated kind stays a small part.
    for (const outcome of ['success', 'fault 5', 'fault 7', 'fault 9', 'fault 11', 'fault 13', 'fault 15', 'fault 3', 'fault 6']) {
      expect(`${outcome} ${(seen.get(`short ${outcome}`) ?? 0) > 20}`).toBe(`${outcome} true`);
    }
    for (const outcome of [
      'success',
      'fault 5',
      'fault 6',
      'fault 7',
      'fault 9',
      'fault 10',
      'fault 11',
      'fault 13',
      'fault 14',
      'fault 15',
    ]) {
      expect(`${outcome} ${(seen.get(`long ${outcome}`) ?? 0) > 20}`).toBe(`${outcome} true`);
    }
    expect(explained / (CASE_COUNT * VAS_PER_CASE * 4)).toBeLessThan(0.2);
    console.info(
      `translations compared with QEMU: ${[...seen.values()].reduce((a, b) => a + b, 0)}, ${explained} differ only in the order of checks`,
    );
    if (process.env.TABLEWALK_VERBOSE) console.info([...seen.entries()].sort());
  });
});
