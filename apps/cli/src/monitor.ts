import { Disassembler } from '@tablewalk/arm-core';
import type { VirtMachine } from '@tablewalk/board-qemu-virt';

const hex = (value: number, digits = 8): string => value.toString(16).padStart(digits, '0');

/** What a monitor command does to the run besides printing. */
export type MonitorEffect = 'stay' | 'continue' | 'quit';

const HELP = `info registers      the CPU
info mtree          the memory map
info status         instructions, guest time
x/Nx ADDR           N words at a virtual address;  x/Ni ADDR  instructions
xp/Nx ADDR          N words at a physical address
gva2gpa ADDR        physical address of a virtual one
system_reset        reset the machine
system_powerdown    press the power key
c                   go on;  q  quit`;

/** One command of the monitor, QEMU's spellings where it has them. Returns text to print and what happens next. `driven` is told what the guest sees. */
export const monitorCommand = (
  machine: VirtMachine,
  line: string,
  driven: Pick<VirtMachine, 'reset' | 'powerKey'> = machine,
): { readonly text: string; readonly effect: MonitorEffect } => {
  const [command = '', ...rest] = line.trim().split(/\s+/);
  const stay = (text: string): { text: string; effect: MonitorEffect } => ({ text, effect: 'stay' });
  if (command === '') return stay('');
  if (command === 'c' || command === 'cont') return { text: '', effect: 'continue' };
  if (command === 'q' || command === 'quit') return { text: '', effect: 'quit' };
  if (command === 'help' || command === '?') return stay(HELP);
  if (command === 'info' && rest[0] === 'registers') return stay(registers(machine));
  if (command === 'info' && rest[0] === 'mtree') return stay(memoryTree(machine));
  if (command === 'info' && rest[0] === 'status') return stay(`${machine.instructions} instructions, ${machine.time} ns of guest time`);
  if (command === 'system_reset') {
    driven.reset();
    return { text: '', effect: 'continue' };
  }
  if (command === 'system_powerdown') {
    driven.powerKey();
    return { text: '', effect: 'continue' };
  }
  const examine = /^(x|xp)(?:\/([0-9]+)?([xi])?)?$/.exec(command);
  const address = Number(rest[0]);
  if ((examine || command === 'gva2gpa') && (rest.length !== 1 || !Number.isInteger(address)))
    return stay(`${command}: an address is needed, not '${rest.join(' ')}'`);
  if (command === 'gva2gpa') {
    const pa = machine.translate(address);
    return stay(pa === undefined ? 'it does not translate' : `gpa: 0x${pa.toString(16)}`);
  }
  if (examine) return stay(examineMemory(machine, examine[1] === 'xp', Number(examine[2] ?? 1), examine[3] === 'i', address));
  return stay(`unknown command '${command}'; 'help' lists them`);
};

/** The CPU's registers, four to a line. */
export const registers = (machine: VirtMachine): string => {
  const read = (name: string): string => hex(machine.cpu.readRegister(name) ?? 0);
  const names = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc'];
  const lines: string[] = [];
  for (let i = 0; i < 16; i += 4)
    lines.push(
      names
        .slice(i, i + 4)
        .map((name) => `${name.padStart(3)}=${read(name)}`)
        .join(' '),
    );
  lines.push(`cpsr=${read('cpsr')} spsr=${read('spsr')} fpscr=${read('fpscr')}`);
  return lines.join('\n');
};

const memoryTree = (machine: VirtMachine): string => {
  const rows = [
    ...machine.memory.regions.map((region) => ({
      base: region.base,
      end: region.base + region.byteLength,
      name: `${region.name} (${region.writable ? 'ram' : 'rom'})`,
    })),
    ...machine.bus.list().map(({ base, end, device }) => ({ base, end, name: `${device.name} (i/o)` })),
  ].sort((a, b) => a.base - b.base);
  return rows.map(({ base, end, name }) => `${hex(base, 10)}-${hex(end - 1, 10)}  ${name}`).join('\n');
};

const examineMemory = (machine: VirtMachine, physical: boolean, count: number, instructions: boolean, address: number): string => {
  const lines: string[] = [];
  let at = address;
  const thumb = ((machine.cpu.readRegister('cpsr') ?? 0) & 0x20) !== 0;
  for (let i = 0; i < Math.min(count, 4096); i++) {
    const pa = physical ? at : machine.translate(at);
    const bytes = pa === undefined ? undefined : machine.readMemory(pa, 4);
    if (bytes === undefined) {
      lines.push(`${hex(at)}: cannot read`);
      break;
    }
    const word = (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
    if (instructions) {
      const swapped = thumb ? (((word & 0xffff) << 16) | (word >>> 16)) >>> 0 : word;
      const shown = new Disassembler().disassemble(swapped, { thumb, address: at });
      lines.push(
        `${hex(at)}:  ${hex(thumb && shown.size === 2 ? word & 0xffff : swapped, thumb && shown.size === 2 ? 4 : 8)}  ${shown.text}`,
      );
      at += shown.size;
    } else {
      if (i % 4 === 0) lines.push(`${hex(at)}:`);
      lines[lines.length - 1] += ` 0x${hex(word)}`;
      at += 4;
    }
  }
  return lines.join('\n');
};
