import { describe, expect, test } from 'vitest';
import type { BootOptions, BootPlan } from './boot.js';
import { BootError, planBoot } from './boot.js';
import { parseFdt } from './fdt/fdt-parser.js';
import { FdtTree } from './fdt/fdt-tree.js';
import { writeFdt } from './fdt/fdt-writer.js';
import { RAM_BASE } from './memory-map.js';

const MIB = 1024 * 1024;
const base: BootOptions = { ramBytes: 512 * MIB, cpu: 'cortex-a15', seed: 1 };
const raw = Uint8Array.of(0xfe, 0xff, 0xff, 0xea, 0, 0, 0, 0, 0, 0, 0, 0);
const initrd51 = new Uint8Array(51).fill(0x55);

/** "name address+length" of each write. */
const layout = (plan: BootPlan): string[] =>
  plan.writes.map(({ name, address, byteLength }) => `${name} ${address.toString(16)}+${byteLength.toString(16)}`);

function wordsOf(plan: BootPlan, name: string): string[] {
  const { bytes } = plan.writes.find((write) => write.name === name) ?? { bytes: new Uint8Array(0) };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true).toString(16));
}

function treeOf(plan: BootPlan): FdtTree {
  const { bytes } = plan.writes.find(({ name }) => name === 'device tree') ?? { bytes: new Uint8Array(0) };
  const blob = new Uint8Array(new DataView(bytes.buffer, bytes.byteOffset).getUint32(4));
  blob.set(bytes);
  return parseFdt(blob);
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

interface ElfOptions {
  readonly address: number;
  readonly entry?: number;
  readonly virtualAddress?: number;
  readonly memoryBytes?: number;
  readonly bigEndian?: 'be8' | 'be32';
}

/** An ELF file with one executable segment of 12 bytes. */
function elf({ address, entry = address, virtualAddress = address, memoryBytes = 12, bigEndian }: ElfOptions): Uint8Array {
  const bytes = new Uint8Array(52 + 32 + 12);
  const view = new DataView(bytes.buffer);
  const little = bigEndian === undefined;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, little ? 1 : 2, 1]);
  view.setUint16(16, 2, little);
  view.setUint16(18, 40, little);
  view.setUint32(24, entry, little);
  view.setUint32(28, 52, little);
  view.setUint32(36, bigEndian === 'be8' ? 0x05800000 : 0x05000000, little);
  view.setUint16(42, 32, little);
  view.setUint16(44, 1, little);
  [1, 84, virtualAddress, address, 12, memoryBytes, 5, 4].forEach((word, index) => {
    view.setUint32(52 + index * 4, word, little);
  });
  return bytes;
}

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

function uImage(options: { load: number; entry: number; os?: number; type?: number }): Uint8Array {
  const data = new Uint8Array(64).fill(1);
  const bytes = new Uint8Array(64 + data.length);
  bytes.set(data, 64);
  const view = new DataView(bytes.buffer);
  [0x27051956, 0, 0, data.length, options.load, options.entry, crc(data)].forEach((word, index) => {
    view.setUint32(index * 4, word);
  });
  bytes.set([options.os ?? 5, 2, options.type ?? 2, 0], 28);
  view.setUint32(4, crc(bytes.subarray(0, 64)));
  return bytes;
}

const refusal = (options: Partial<BootOptions>): string => {
  try {
    planBoot({ ...base, ...options });
  } catch (error) {
    if (error instanceof BootError) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('a raw kernel or zImage, as recorded from QEMU', () => {
  test('without an initrd', () => {
    const plan = planBoot({ ...base, kernel: raw });
    expect(layout(plan)).toEqual(['boot stub 40000000+1c', 'kernel 40010000+c', 'device tree 48000000+100000']);
    expect(wordsOf(plan, 'boot stub')).toEqual(['e3a00000', 'e59f1004', 'e59f2004', 'e59ff004', 'ffffffff', '48000000', '40010000']);
    expect(plan).toMatchObject({ kind: 'linux', dtbAddress: 0x48000000, lowEcam: false, fwCfg: [], notes: [] });
    expect(plan.entry).toEqual({ pc: 0x40000000, cpsr: 0x400001d3, bigEndian: false });
  });

  test.each([
    [64, '42000000', '42001000'],
    [128, '44000000', '44001000'],
    [2048, '48000000', '48001000'],
  ])('-m %i with an initrd', (mib, initrdAddress, dtbAddress) => {
    const plan = planBoot({ ...base, ramBytes: mib * MIB, kernel: raw, initrd: initrd51 });
    expect(layout(plan)).toEqual([
      'boot stub 40000000+1c',
      'kernel 40010000+c',
      `initrd ${initrdAddress}+33`,
      `device tree ${dtbAddress}+100000`,
    ]);
    expect(wordsOf(plan, 'boot stub')[5]).toBe(dtbAddress);
  });

  test('Debian’s sizes: tree on the next page after the initrd', () => {
    const zImage = new Uint8Array(0x532200);
    new DataView(zImage.buffer).setUint32(0x24, 0x016f2818, true);
    new DataView(zImage.buffer).setUint32(0x2c, 0x532200, true);
    new DataView(zImage.buffer).setUint32(0x30, 0x04030201, true);
    const plan = planBoot({ ...base, kernel: zImage, initrd: new Uint8Array(0xd8187) });
    expect(layout(plan)).toEqual([
      'boot stub 40000000+1c',
      'kernel 40010000+532200',
      'initrd 48000000+d8187',
      'device tree 480d9000+100000',
    ]);
  });

  test('an initrd that ends on a page boundary, and an empty one', () => {
    expect(planBoot({ ...base, kernel: raw, initrd: new Uint8Array(4096) }).dtbAddress).toBe(0x48001000);
    const empty = planBoot({ ...base, kernel: raw, initrd: new Uint8Array(0) });
    expect(layout(empty)).toEqual(layout(planBoot({ ...base, kernel: raw })));
    expect(treeOf(empty).get('/chosen', 'linux,initrd-start')).toBeUndefined();
  });

  test('small machines: the padding of the tree may hang over the end of RAM', () => {
    expect(layout(planBoot({ ...base, ramBytes: MIB, kernel: raw })).at(-1)).toBe('device tree 40080000+80000');
    expect(layout(planBoot({ ...base, ramBytes: 2 * MIB, kernel: raw, initrd: new Uint8Array(700000) })).at(-1)).toBe(
      'device tree 401ab000+55000',
    );
  });

  test('a DTB describes what was loaded', () => {
    const tree = treeOf(planBoot({ ...base, kernel: raw, initrd: initrd51, append: 'console=ttyAMA0' }));
    expect(text(tree.get('/chosen', 'bootargs'))).toBe('console=ttyAMA0\0');
    expect(tree.getCell('/chosen', 'linux,initrd-start')).toBe(0x48000000);
    expect(tree.getCell('/chosen', 'linux,initrd-end')).toBe(0x48000033);
  });
});

describe('an ELF program', () => {
  test('with room below it, the tree is at the base of RAM; no stub, no initrd', () => {
    const plan = planBoot({ ...base, kernel: elf({ address: 0x40200000 }), append: 'foo', initrd: raw });
    expect(layout(plan)).toEqual(['device tree 40000000+100000', 'kernel, segment 0 40200000+c']);
    expect(plan.entry).toEqual({ pc: 0x40200000, cpsr: 0x400001d3, bigEndian: false });
    expect(plan.kind).toBe('program');
    expect(plan.notes).toEqual([expect.stringMatching(/initrd is not used/)]);
    const tree = treeOf(plan);
    expect(text(tree.get('/chosen', 'bootargs'))).toBe('foo\0');
    expect(tree.get('/chosen', 'linux,initrd-start')).toBeUndefined();
  });

  test.each([
    [0x40100000, 0x40000000],
    [0x400fffff, undefined],
    [0x40080000, undefined],
    [0x40000000, 0],
    [0x00001000, 0x40000000],
  ])('at %x the tree is at %s', (address, dtbAddress) => {
    const plan = planBoot({ ...base, kernel: elf({ address }) });
    expect(plan.dtbAddress).toBe(dtbAddress);
    expect(plan.writes.some(({ name }) => name === 'device tree')).toBe(dtbAddress !== undefined);
    expect(plan.notes).toHaveLength(dtbAddress === undefined ? 1 : 0);
  });

  test('what is loaded below RAM goes to flash', () => {
    const plan = planBoot({ ...base, kernel: elf({ address: 0x1000 }) });
    expect(plan.writes.map(({ target }) => target)).toEqual(['flash', 'ram']);
  });

  test('Thumb, big-endian and moved entries; zeros behind the file’s part', () => {
    expect(planBoot({ ...base, kernel: elf({ address: 0x40200000, entry: 0x40200001 }) }).entry).toEqual({
      pc: 0x40200000,
      cpsr: 0x400001f3,
      bigEndian: false,
    });
    expect(planBoot({ ...base, kernel: elf({ address: 0x40200000, bigEndian: 'be8' }) }).entry).toEqual({
      pc: 0x40200000,
      cpsr: 0x400003d3,
      bigEndian: true,
    });
    const moved = planBoot({
      ...base,
      kernel: elf({ address: 0x40300000, virtualAddress: 0xc0300000, entry: 0xc0300004, memoryBytes: 0x2000 }),
    });
    expect(moved.entry.pc).toBe(0x40300004);
    expect(layout(moved)).toContain('kernel, segment 0 40300000+2000');
  });

  test('refusals', () => {
    expect(refusal({ kernel: elf({ address: 0x60000000 }) })).toMatch(/\(0x60000000 to 0x6000000c\) is outside RAM and flash/);
    expect(refusal({ kernel: elf({ address: 0x09000000 }) })).toMatch(/outside RAM and flash/);
    expect(refusal({ kernel: elf({ address: 0x40200000, memoryBytes: 0x20000000 }) })).toMatch(/outside RAM and flash/);
    expect(refusal({ kernel: elf({ address: 0x40200000, bigEndian: 'be32' }) })).toMatch(/BE32/);
    expect(refusal({ kernel: elf({ address: 0x40200000, memoryBytes: 0 }).fill(0, 52, 56) })).toMatch(/nothing to load/);
  });
});

describe('a uImage', () => {
  test('Linux: stub, and the image where the header says', () => {
    const plan = planBoot({ ...base, ramBytes: 128 * MIB, kernel: uImage({ load: 0x40008000, entry: 0x40008000 }) });
    expect(layout(plan)).toEqual(['boot stub 40000000+1c', 'kernel 40008000+40', 'device tree 44000000+100000']);
    expect(wordsOf(plan, 'boot stub')[6]).toBe('40008000');
  });

  test('an image without an address', () => {
    const plan = planBoot({ ...base, kernel: uImage({ load: 0, entry: 0, type: 14 }) });
    expect(layout(plan)[1]).toBe('kernel 42000040+40');
    expect(wordsOf(plan, 'boot stub')[6]).toBe('42000040');
  });

  test('not Linux: entered as it is', () => {
    const plan = planBoot({ ...base, kernel: uImage({ load: 0x40008000, entry: 0x40008010, os: 0 }) });
    expect(plan).toMatchObject({ kind: 'program', entry: { pc: 0x40008010 }, dtbAddress: 0 });
  });

  test('a ramdisk image as initrd loses its header', () => {
    const plan = planBoot({ ...base, kernel: raw, initrd: uImage({ load: 0, entry: 0, type: 3 }) });
    expect(layout(plan)).toContain('initrd 48000000+40');
  });

  test('refusals', () => {
    expect(refusal({ kernel: uImage({ load: 0x40000000, entry: 0x40000000 }) })).toMatch(
      /the kernel .* and the boot stub at 0x40000000 overlap/,
    );
    expect(refusal({ kernel: uImage({ load: 0x8000, entry: 0x8000 }) })).toMatch(/does not fit/);
    expect(refusal({ kernel: uImage({ load: 0, entry: 0, type: 3 }) })).toMatch(/ramdisk image/);
    expect(refusal({ kernel: raw, initrd: uImage({ load: 0, entry: 0 }) })).toMatch(/initrd is a kernel image/);
  });
});

describe('firmware', () => {
  test('starts at 0, with the tree at the base of RAM', () => {
    const plan = planBoot({ ...base, firmware: raw });
    expect(layout(plan)).toEqual(['firmware 0+c', 'device tree 40000000+100000']);
    expect(plan).toMatchObject({ kind: 'firmware', entry: { pc: 0, cpsr: 0x400001d3 }, dtbAddress: RAM_BASE, lowEcam: true, fwCfg: [] });
    expect(plan.writes[0].target).toBe('flash');
  });

  test('gets kernel, initrd and command line through fw_cfg', () => {
    const plan = planBoot({ ...base, firmware: raw, kernel: raw, initrd: initrd51, append: 'hello' });
    expect(plan.fwCfg.map(({ key, bytes }) => [key, bytes.length])).toEqual([
      [0x08, 4],
      [0x11, 12],
      [0x0b, 4],
      [0x12, 51],
      [0x14, 4],
      [0x15, 6],
    ]);
    expect(plan.fwCfg[0].bytes).toEqual(Uint8Array.of(12, 0, 0, 0));
    expect(text(plan.fwCfg[5].bytes)).toBe('hello\0');
    const tree = treeOf(plan);
    expect(text(tree.get('/chosen', 'bootargs'))).toBe('hello\0');
    expect(tree.get('/chosen', 'linux,initrd-start')).toBeUndefined();
  });

  test('in a flash drive', () => {
    const plan = planBoot({ ...base, flashHasFirmware: true });
    expect(layout(plan)).toEqual(['device tree 40000000+100000']);
    expect(plan).toMatchObject({ kind: 'firmware', lowEcam: true });
  });

  test('refusals', () => {
    expect(refusal({ firmware: new Uint8Array(64 * MIB + 1) })).toMatch(/does not fit in the flash bank/);
    expect(refusal({ firmware: raw, append: 'x' })).toMatch(/command line needs a kernel/);
    expect(refusal({ firmware: raw, initrd: initrd51 })).toMatch(/initrd needs a kernel/);
  });
});

describe('the user’s device tree', () => {
  function userTree(): FdtTree {
    const tree = new FdtTree();
    tree.set('/', '#address-cells', [1]);
    tree.set('/', '#size-cells', [1]);
    for (const node of ['soc', 'psci', 'memory@80000000', 'memory', 'chosen']) tree.addNode(`/${node}`);
    tree.set('/psci', 'compatible', 'mine');
    tree.set('/chosen', 'bootargs', 'old');
    return tree;
  }

  test('keeps its nodes, gets RAM, PSCI and what was asked for', () => {
    const dtb = writeFdt(userTree());
    const plan = planBoot({ ...base, kernel: raw, initrd: initrd51, append: 'new', dtb });
    const tree = treeOf(plan);
    expect(tree.root.children.map(({ name }) => name)).toEqual(['psci', 'memory@40000000', 'chosen', 'soc']);
    expect(tree.get('/memory@40000000', 'reg')).toEqual(Uint8Array.of(0x40, 0, 0, 0, 0x20, 0, 0, 0));
    expect(text(tree.get('/psci', 'method'))).toBe('hvc\0');
    expect(text(tree.get('/chosen', 'bootargs'))).toBe('new\0');
    expect(tree.getCell('/chosen', 'linux,initrd-end')).toBe(0x48000033);
    expect(plan.writes.at(-1)?.byteLength).toBe((dtb.length + 10000) * 2);
  });

  test('its command line stays when there is no other; /chosen is made when it is missing', () => {
    expect(text(treeOf(planBoot({ ...base, kernel: raw, dtb: writeFdt(userTree()) })).get('/chosen', 'bootargs'))).toBe('old\0');
    const bare = new FdtTree();
    bare.set('/', '#address-cells', [2]);
    bare.set('/', '#size-cells', [2]);
    expect(treeOf(planBoot({ ...base, kernel: raw, append: 'x', dtb: writeFdt(bare) })).get('/chosen', 'bootargs')).toBeDefined();
  });

  test('refusals', () => {
    expect(() => planBoot({ ...base, kernel: raw, dtb: raw })).toThrow(/\[fdt\] 12 bytes are too few/);
    expect(() => planBoot({ ...base, kernel: raw, dtb: writeFdt(new FdtTree()) })).toThrow(
      /\[fdt\] the root node has no usable #address-cells/,
    );
    expect(() => planBoot({ ...base, kernel: raw, dtb: writeFdt(userTree()), append: 'x'.repeat(50_000) })).toThrow(/only \d+ are allowed/);
  });
});

describe('what cannot be', () => {
  test.each([
    ['no RAM', { ramBytes: 0, kernel: raw }, /RAM of 0 bytes/],
    ['too little RAM', { ramBytes: MIB - 4096, kernel: raw }, /1 MiB to 3072 MiB/],
    ['too much RAM', { ramBytes: 3073 * MIB, kernel: raw }, /1 MiB to 3072 MiB/],
    ['half a byte', { ramBytes: 2 * MIB + 0.5, kernel: raw }, /not possible/],
    ['odd RAM', { ramBytes: 2 * MIB + 1, kernel: raw }, /multiple of 4 KiB/],
    ['nothing to start', {}, /nothing to start/],
    ['an empty kernel', { kernel: new Uint8Array(0) }, /empty file/],
    [
      'a kernel that is larger than RAM',
      { ramBytes: MIB, kernel: new Uint8Array(MIB) },
      /the kernel \(1048576 bytes at 0x40010000\) does not fit in 1 MiB/,
    ],
    [
      'an initrd that is larger than RAM',
      { ramBytes: 2 * MIB, kernel: raw, initrd: new Uint8Array(1100000) },
      /the initrd .* does not fit/,
    ],
    [
      'a kernel that reaches the tree',
      { ramBytes: 2 * MIB, kernel: new Uint8Array(1100000) },
      /the kernel .* and the device tree at 0x40100000 overlap/,
    ],
    [
      'no room for the tree',
      { ramBytes: 2 * MIB, kernel: raw, initrd: new Uint8Array(MIB - 4096) },
      /the device tree \(\d+ bytes at 0x401ff000\) does not fit in 2 MiB/,
    ],
  ] as [string, Partial<BootOptions>, RegExp][])('%s', (_, options, message) => {
    const line = refusal(options);
    expect(line).toMatch(message);
    expect(line).toMatch(/^\[board-qemu-virt\] \[boot\] [^\n]+$/);
  });

  test('a damaged zImage is refused by its reader', () => {
    const truncated = new Uint8Array(64);
    new DataView(truncated.buffer).setUint32(0x24, 0x016f2818, true);
    new DataView(truncated.buffer).setUint32(0x2c, 0x532200, true);
    expect(() => planBoot({ ...base, kernel: truncated })).toThrow(/\[loader\] \[zimage\] truncated/);
  });
});
