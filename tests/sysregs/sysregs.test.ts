import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { describe, expect, it } from 'vitest';

/*
 * probe.c (build.sh makes probe.elf) tries every encoding of CP14 and CP15 from PL1 and PL0: does it read, what, does it write, which bits stay. What it
 * printed on qemu-system-arm 7.2 (`-M virt -cpu NAME -m 512 -semihosting -kernel probe.elf`) is recorded here.
 */
const file = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url));

/** Lines that differ, with the reason. */
const known: readonly (readonly [RegExp, string])[] = [
  [/^[rRdDu] f \d e /, 'the generic timer counts, and CNTKCTL has the bits that the architecture gives it (B8.1.5), where QEMU keeps 32'],
  [/^q event-counts 00000008/, 'an event counter that counts here'],
  [/^q sctlr-toggles/, 'SCTLR bits that a Cortex-A15 does not have stay as they are (TRM 4.3.27); QEMU keeps what is written'],
];

describe.each(['cortex-a15', 'cortex-a7'])('system registers of %s', (cpu) => {
  it('are readable, writable and UNDEFINED as on QEMU', { timeout: 180_000 }, () => {
    const machine = new VirtMachine({ cpu, memory: 512 << 20, kernel: file('probe.elf'), semihosting: true });
    let text = '';
    machine.console.onData((bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    });
    let end = machine.runFor(1e6);
    for (let i = 0; i < 200 && end.reason === 'limit'; i++) end = machine.runFor(1e6);
    expect(text.endsWith('end\n') || text.endsWith('end\r\n')).toBe(true);
    const lines = (of: string): string[] => of.replaceAll('\r', '').split('\n');
    const expected = lines(gunzipSync(file(`qemu-${cpu}.txt.gz`)).toString('latin1'));
    const actual = lines(text);
    expect(actual.length).toBe(expected.length);
    const differences = expected.flatMap((line, i) =>
      line === actual[i] || known.some(([pattern]) => pattern.test(line)) ? [] : [`${line}  |  ${actual[i]}`],
    );
    expect(differences).toEqual([]);
  });
});
