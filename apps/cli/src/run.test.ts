import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredBytes, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { Lockstep, VirtMachine } from '@tablewalk/board-qemu-virt';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { builtinGuest } from './builtin-guest.js';
import { Expect } from './expect.js';
import { parseRun } from './options.js';
import { Output } from './output.js';
import { run } from './run.js';
import { loadSnapshot, saveSnapshot } from './snapshot-file.js';

const folder = mkdtempSync(join(tmpdir(), 'tablewalk-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe('the built-in guest', () => {
  it('walks through MMU, supervisor call and timer, and powers off', async () => {
    const machine = new VirtMachine({ kernel: builtinGuest() });
    expect(await machine.run({ instructions: 1e6 })).toEqual({ reason: 'poweroff' });
    const text = machine.console.tail();
    for (const line of ['MMU on', 'is read at the other', 'supervisor call taken', 'timer interrupt taken', 'Powering off'])
      expect(text).toContain(line);
  });

  it('runs the same twice, and in pieces with a snapshot between any two', () => {
    // Little RAM: each of the many machines looks through all of it.
    const make = (snapshot?: VirtMachineOptions['snapshot']): VirtMachine =>
      new VirtMachine({ memory: 16 << 20, kernel: builtinGuest(), ...(snapshot && { snapshot }) });
    const whole = make();
    while (whole.runFor(1e6).reason === 'limit');
    const pieces = make();
    let machine = pieces;
    let end = machine.runFor(97);
    while (end.reason === 'limit') {
      // In turn: into a machine that has run, and into one that is made so.
      const snapshot = structuredClone(machine.snapshot());
      const used = make();
      used.runFor(5000);
      used.restore(snapshot);
      machine = machine.instructions % 2 === 0 ? used : make(snapshot);
      end = machine.runFor(1499);
    }
    expect(end).toEqual({ reason: 'poweroff' });
    expect(machine.instructions).toBe(whole.instructions);
    expect(machine.time).toBe(whole.time);
    const state = (of: VirtMachine): unknown => ({ ...of.snapshot().data.cpu, memory: of.snapshot().data.memory });
    expect(state(machine)).toEqual(state(whole));
  });
});

describe('snapshot files', () => {
  it('give back what was put in', () => {
    const value = { a: [1, 2, { b: Uint8Array.of(1, 2, 3) }], c: Uint32Array.of(7), d: Number.POSITIVE_INFINITY, e: null };
    const path = join(folder, 'state');
    saveSnapshot(path, value);
    const whole = loadSnapshot(path);
    expect(whole.value).toEqual(value);
    whole.close();
  });

  it('leave in the file what is asked for, to be brought in pieces', () => {
    const path = join(folder, 'left');
    saveSnapshot(path, { a: [Uint8Array.of(1), Uint8Array.of(2, 3, 4, 5)], b: Uint8Array.of(6) });
    const { value, close } = loadSnapshot(path, (key) => key === 'a.1');
    const { a, b } = value as { a: [Uint8Array, StoredBytes]; b: Uint8Array };
    expect([a[0], b]).toEqual([Uint8Array.of(1), Uint8Array.of(6)]);
    const target = new Uint8Array(2);
    a[1].copyTo(target, 1);
    expect([a[1].length, target]).toEqual([4, Uint8Array.of(3, 4)]);
    close();
  });

  it('are refused when they are cut or something else', () => {
    const path = join(folder, 'cut');
    saveSnapshot(path, { a: new Uint8Array(100) });
    const whole = readFileSync(path);
    for (const length of [0, 20, 40, whole.length - 100])
      expect(() => loadSnapshot(file('cut', whole.subarray(0, length)))).toThrow('no snapshot');
    expect(() => loadSnapshot(file('other', Uint8Array.of(1, 2, 3)))).toThrow('no snapshot');
    expect(() => loadSnapshot(join(folder, 'absent'))).toThrow('no such file');
  });
});

describe('scripts', () => {
  it('answer in order however the output is cut', () => {
    const replies: string[] = [];
    const script = new Expect(
      [
        { text: 'login:', reply: 'root' },
        { text: '# ', reply: 'ls' },
      ],
      [],
      (text) => replies.push(text),
      () => {},
    );
    for (const c of '# no login: yes # ') script.put(Uint8Array.of(c.charCodeAt(0)));
    expect(replies).toEqual(['root', 'ls']);
    expect(script.pending).toBe(0);
  });
});

describe('--trace', () => {
  it('writes each instruction with what it changed', async () => {
    const trace = join(folder, 'trace');
    expect(await run(parseRun(['--trace', trace, '--max-instructions', '6'])!)).toBe(124);
    const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe('0 40000000:  e3a00000  mov r0, #0');
    expect(lines[1]).toMatch(/^1 40000004: {2}e59f1004 {2}ldr r1, \[pc, #4\] +r1=ffffffff$/);
    expect(lines[4]).toMatch(/^4 40010000: .* sp=400f0000$/);
  });
});

describe('--engine lockstep', () => {
  const outputOf = async (...argv: string[]): Promise<{ status: number; text: string }> => {
    let text = '';
    const spy = vi.spyOn(Output.prototype, 'write').mockImplementation((piece) => {
      text += typeof piece === 'string' ? piece : String.fromCharCode(...piece);
    });
    try {
      return { status: await run(parseRun(['-m', '16', '--engine', 'lockstep', ...argv])!), text };
    } finally {
      spy.mockRestore();
    }
  };

  it.each([['exits,heat=1'], ['budgets,seed=5']])('runs the guest on both, compares at %s, prints once', async (mode) => {
    const { status, text } = await outputOf('--lockstep', mode, '--stats', '-d', 'int');
    expect(status).toBe(0);
    expect(text.split('supervisor call taken')).toHaveLength(2);
    expect(text.split('] svc at ')).toHaveLength(2);
    expect(text).toMatch(
      mode.startsWith('exits') ? /lockstep at exits, [1-9]\d+ comparisons/ : /lockstep at budgets, [1-9]\d* comparisons/,
    );
  });

  it('ends with status 67 and one report at the first difference', async () => {
    const runFor = Lockstep.prototype.runFor;
    const spy = vi.spyOn(Lockstep.prototype, 'runFor').mockImplementation(function (this: Lockstep, ...budget) {
      this.machine.writeMemory(0x40400004, Uint8Array.of(9));
      this.machine.cpu.writeRegister('r9', 77);
      return runFor.apply(this, budget);
    });
    const { status, text } = await outputOf('--max-instructions', '40');
    spy.mockRestore();
    expect(status).toBe(67);
    expect(text.split('tablewalk: interpreter and translator differ between instructions 0 and 40, pc 0x')).toHaveLength(2);
    expect(text).toContain('  r9: interpreter 0x00000000, translator 0x0000004d\n');
    expect(text).toContain('  memory page 0x40400000: first at 0x40400004, interpreter 0x00000000, translator 0x00000009\n');
    expect(text).toMatch(/\n <? ?[0-9a-f]{8}: {2}[0-9a-f]{8} {2}\w+/);
  });

  it.each([
    [['--lockstep', 'exits'], '--engine lockstep'],
    [['--engine', 'lockstep', '--lockstep', 'often'], 'exits, budgets'],
    [['--engine', 'lockstep', '--lockstep', 'budgets,seed=x'], 'number'],
    [['--engine', 'lockstep', '--lockstep', 'exits,heat'], 'number'],
    [['--engine', 'lockstep', '--lockstep', 'exits,cold=1'], 'cold'],
    [['--engine', 'lockstep', '--trace', '-'], '--trace'],
    [['--engine', 'lockstep', '--save', 'x'], '--save'],
    [['--engine', 'both'], 'lockstep'],
  ] as const)('%j is one clear line', (argv, words) => {
    expect(() => parseRun(argv)).toThrow(words);
  });
});

describe('bad input', () => {
  it.each([
    ['a missing kernel', () => ['-kernel', join(folder, 'none')], 'no such file'],
    ['an empty kernel', () => ['-kernel', file('empty', new Uint8Array(0))], 'empty'],
    ['empty firmware', () => ['-bios', file('empty-bios', new Uint8Array(0))], 'empty'],
    ['a folder', () => ['-kernel', folder], 'directory'],
    ['an x86-64 program', () => ['-kernel', process.execPath], 'ELF'],
    ['too little RAM', () => ['-m', '1K'], '1 MiB'],
    ['too much RAM', () => ['-m', '3073'], '3072 MiB'],
    ['an unknown core', () => ['-cpu', 'z80'], 'z80'],
    [
      'an initrd larger than RAM',
      () => ['-m', '8', '-kernel', file('k', builtinGuest()), '-initrd', file('big', new Uint8Array(9 << 20))],
      'initrd',
    ],
    ['a broken device tree', () => ['-kernel', file('k2', builtinGuest()), '-dtb', file('dtb', new Uint8Array(64))], 'fdt'],
    ['a drive that is not there', () => ['-drive', `file=${join(folder, 'disk')}`], 'no such file'],
    ['a drive that is no disk', () => ['-drive', `file=${file('tiny', new Uint8Array(3))}`], 'sector'],
  ])('%s is one clear line', async (_what, argv, words) => {
    const error = await run(parseRun(argv())!).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toBeInstanceOf(Error);
    expect(error!.message.toLowerCase()).toContain(words.toLowerCase());
    expect(error!.message).not.toContain('\n');
  });
});
