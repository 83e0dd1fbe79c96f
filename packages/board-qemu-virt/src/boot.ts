import type { ElfImage, UImage } from '@tablewalk/loader';
import { imageKind, parseElf, parseUImage, parseZImage } from '@tablewalk/loader';
import { addMemory, addPsci, BOARD_DTB_BYTES, boardDeviceTree } from './device-tree.js';
import { FdtError } from './fdt/fdt-error.js';
import { parseFdt } from './fdt/fdt-parser.js';
import type { FdtTree } from './fdt/fdt-tree.js';
import { encodeValue } from './fdt/fdt-tree.js';
import { fdtContentBytes, writeFdt } from './fdt/fdt-writer.js';
import { FLASH0, FLASH1, RAM_BASE, RAM_BYTES_MAX, RAM_BYTES_MIN } from './memory-map.js';

/** A machine that cannot be started as asked. One line, `[board-qemu-virt] [boot] message`. */
export class BootError extends Error {
  override readonly name = 'BootError';

  constructor(message: string, options?: ErrorOptions) {
    super(`[board-qemu-virt] [boot] ${message}`, options);
  }
}

/** What to start and on what. Images are the files' bytes. */
export interface BootOptions {
  /** 1 MiB to 3072 MiB, a multiple of 4 KiB. */
  readonly ramBytes: number;
  /** CPU as the device tree names it, for example `cortex-a15`. */
  readonly cpu: string;
  /** Default 1. */
  readonly cpuCount?: number;
  /** False for a CPU that cannot address beyond 4 GiB. Default true. */
  readonly highMemory?: boolean;
  /** Seeds the seeds in the device tree. */
  readonly seed: number;
  /** `-kernel`: ELF, zImage, legacy uImage, or anything else as a raw image. */
  readonly kernel?: Uint8Array;
  /** `-initrd` */
  readonly initrd?: Uint8Array;
  /** `-append` */
  readonly append?: string;
  /** `-dtb`: used instead of the board's own tree. */
  readonly dtb?: Uint8Array;
  /** `-bios`: contents of the first flash bank. */
  readonly firmware?: Uint8Array;
  /** True when the first flash bank comes from a drive (`if=pflash`): firmware boot without {@link firmware}. */
  readonly flashHasFirmware?: boolean;
}

/** Bytes to place in guest memory before the first instruction, and again at each reset. */
export interface MemoryWrite {
  /** What it is, for messages and the monitor. */
  readonly name: string;
  readonly target: 'ram' | 'flash';
  /** Physical address. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Length of the region; what exceeds `bytes` is zero. */
  readonly byteLength: number;
}

/** One item for fw_cfg (QEMU, docs/specs/fw_cfg). */
export interface FwCfgItem {
  /** Selector. */
  readonly key: number;
  readonly bytes: Uint8Array;
}

/** State of the boot CPU at its first instruction. Registers that are not mentioned are 0. */
export interface CpuEntry {
  /** Physical address, halfword-aligned. */
  readonly pc: number;
  /** 0x400001d3, with T for a Thumb entry and E for a BE8 program. */
  readonly cpsr: number;
  /** Data accesses are big-endian from the start: CPSR.E is set, and SCTLR.EE must be. */
  readonly bigEndian: boolean;
}

/** How a machine starts. */
export interface BootPlan {
  /** `firmware`: from flash. `linux`: through the boot stub. `program`: straight into an ELF file or a non-Linux uImage. */
  readonly kind: 'firmware' | 'linux' | 'program';
  /** In address order, without overlaps, all inside RAM or flash. */
  readonly writes: readonly MemoryWrite[];
  readonly entry: CpuEntry;
  readonly fwCfg: readonly FwCfgItem[];
  /** Where the guest finds its device tree, undefined when there was no room for one. */
  readonly dtbAddress: number | undefined;
  /** PCIe configuration space lies below 4 GiB ({@link PCIE_ECAM_LOW}). */
  readonly lowEcam: boolean;
  /** What was asked for and has no effect; one line each. */
  readonly notes: readonly string[];
}

/** Reset value of CPSR: SVC mode, A, I, F masked; Z as QEMU leaves it. */
const ENTRY_CPSR = 0x4000_01d3;
const CPSR_T = 1 << 5;
const CPSR_E = 1 << 9;

const STUB_BYTES = 28;
const KERNEL_OFFSET = 0x10000;
/** Where a uImage that does not say where it belongs is put. The header's length is added, as if it had been loaded with it. */
const NOLOAD_OFFSET = 0x0200_0040;
const INITRD_OFFSET_MAX = 128 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** fw_cfg selectors of the direct boot items. */
const FW_CFG_KERNEL_SIZE = 0x08;
const FW_CFG_INITRD_SIZE = 0x0b;
const FW_CFG_KERNEL_DATA = 0x11;
const FW_CFG_INITRD_DATA = 0x12;
const FW_CFG_CMDLINE_SIZE = 0x14;
const FW_CFG_CMDLINE_DATA = 0x15;

/**
 * Plans the start of the machine as QEMU 7.2's `-M virt` does it, as measured. Pure: nothing is loaded yet.
 *
 * @throws {BootError} one line: sizes out of range, images that do not fit or overlap, options that contradict each other
 * @throws {FdtError} the user's device tree is broken
 * @throws {LoaderError} (`@tablewalk/loader`) a damaged ELF file, zImage or uImage
 */
export function planBoot(options: BootOptions): BootPlan {
  const { ramBytes, kernel, firmware } = options;
  checkRam(ramBytes);
  const hasFirmware = firmware !== undefined || options.flashHasFirmware === true;
  if (kernel === undefined && options.initrd !== undefined) throw new BootError('an initrd needs a kernel');
  if (kernel === undefined && options.append !== undefined && options.append !== '')
    throw new BootError('a kernel command line needs a kernel');
  if (hasFirmware) return planFirmware(options);
  if (kernel === undefined) throw new BootError('there is nothing to start: neither a kernel nor firmware');
  if (kernel.length === 0) throw new BootError('the kernel is an empty file');
  switch (imageKind(kernel)) {
    case 'elf':
      return planElf(options, parseElf(kernel));
    case 'uimage':
      return planUImage(options, parseUImage(kernel));
    case 'arm64':
      throw new BootError('the kernel is for 64-bit ARM');
    case 'fdt':
      throw new BootError('the kernel is a device tree blob');
    case 'zimage':
      // Only to refuse a damaged one: it is loaded as it is.
      parseZImage(kernel);
      return planLinux(options, kernel, RAM_BASE + KERNEL_OFFSET, RAM_BASE + KERNEL_OFFSET);
    default:
      return planLinux(options, kernel, RAM_BASE + KERNEL_OFFSET, RAM_BASE + KERNEL_OFFSET);
  }
}

function checkRam(ramBytes: number): void {
  if (!Number.isInteger(ramBytes) || ramBytes < RAM_BYTES_MIN || ramBytes > RAM_BYTES_MAX) {
    throw new BootError(`RAM of ${ramBytes} bytes is not possible; 1 MiB to 3072 MiB are`);
  }
  if (ramBytes % PAGE_BYTES !== 0) throw new BootError(`RAM of ${ramBytes} bytes is not a multiple of 4 KiB`);
}

function planFirmware(options: BootOptions): BootPlan {
  const { firmware, kernel, initrd } = options;
  const writes: MemoryWrite[] = [];
  if (firmware !== undefined) {
    if (firmware.length === 0) throw new BootError('the firmware is an empty file');
    if (firmware.length > FLASH0.byteLength) {
      throw new BootError(`firmware of ${firmware.length} bytes does not fit in the flash bank of ${FLASH0.byteLength}`);
    }
    writes.push({ name: 'firmware', target: 'flash', address: FLASH0.address, bytes: firmware, byteLength: firmware.length });
  }
  writes.push(dtbWrite(finishedDtb(options), RAM_BASE, options.ramBytes));
  const fwCfg: FwCfgItem[] = [];
  if (kernel !== undefined) {
    fwCfg.push({ key: FW_CFG_KERNEL_SIZE, bytes: word(kernel.length) }, { key: FW_CFG_KERNEL_DATA, bytes: kernel });
    if (initrd !== undefined)
      fwCfg.push({ key: FW_CFG_INITRD_SIZE, bytes: word(initrd.length) }, { key: FW_CFG_INITRD_DATA, bytes: initrd });
    const commandLine = encodeValue(options.append ?? '');
    fwCfg.push({ key: FW_CFG_CMDLINE_SIZE, bytes: word(commandLine.length) }, { key: FW_CFG_CMDLINE_DATA, bytes: commandLine });
  }
  return {
    kind: 'firmware',
    writes: ordered(writes),
    entry: { pc: FLASH0.address, cpsr: ENTRY_CPSR, bigEndian: false },
    fwCfg,
    dtbAddress: RAM_BASE,
    lowEcam: true,
    notes: [],
  };
}

function planLinux(options: BootOptions, image: Uint8Array, imageAddress: number, entry: number): BootPlan {
  const { ramBytes } = options;
  const ramEnd = RAM_BASE + ramBytes;
  const writes: MemoryWrite[] = [];
  const regionEnd = imageAddress + image.length;
  if (imageAddress < RAM_BASE || regionEnd > ramEnd) {
    throw new BootError(`the kernel (${image.length} bytes at ${hex(imageAddress)}) does not fit in ${mib(ramBytes)} of RAM`);
  }
  writes.push({ name: 'kernel', target: 'ram', address: imageAddress, bytes: image, byteLength: image.length });

  // Half of RAM leaves room for what the kernel decompresses; beyond 128 MiB it might not be low memory.
  const initrdStart = alignUp(RAM_BASE + Math.min(Math.floor(ramBytes / 2), INITRD_OFFSET_MAX), PAGE_BYTES);
  const initrd = options.initrd === undefined ? undefined : initrdContents(options.initrd);
  const initrdEnd = initrdStart + (initrd?.length ?? 0);
  if (initrd !== undefined && initrd.length > 0) {
    if (initrdEnd > ramEnd) {
      throw new BootError(`the initrd (${initrd.length} bytes at ${hex(initrdStart)}) does not fit in ${mib(ramBytes)} of RAM`);
    }
    writes.push({ name: 'initrd', target: 'ram', address: initrdStart, bytes: initrd, byteLength: initrd.length });
  }

  // Some kernels clear the rest of the initrd's last page, so the tree starts on the next one.
  const dtbAddress = alignUp(initrdEnd, PAGE_BYTES);
  const range = initrdEnd > initrdStart ? { start: initrdStart, end: initrdEnd } : undefined;
  writes.push(dtbWrite(finishedDtb(options, range), dtbAddress, ramBytes));
  writes.push({ name: 'boot stub', target: 'ram', address: RAM_BASE, bytes: stub(dtbAddress, entry), byteLength: STUB_BYTES });
  return {
    kind: 'linux',
    writes: ordered(writes),
    entry: { pc: RAM_BASE, cpsr: ENTRY_CPSR, bigEndian: false },
    fwCfg: [],
    dtbAddress,
    lowEcam: options.highMemory === false,
    notes: [],
  };
}

/** `mov r0, #0; ldr r1, [pc, #4]; ldr r2, [pc, #4]; ldr pc, [pc, #4]`, then the three words: no machine number, the tree, the kernel. */
function stub(dtbAddress: number, entry: number): Uint8Array {
  const words = [0xe3a0_0000, 0xe59f_1004, 0xe59f_2004, 0xe59f_f004, 0xffff_ffff, dtbAddress, entry];
  const bytes = new Uint8Array(STUB_BYTES);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < words.length; index++) view.setUint32(index * 4, words[index], true);
  return bytes;
}

function planElf(options: BootOptions, elf: ElfImage): BootPlan {
  if (elf.byteOrder === 'be32') throw new BootError('the kernel is big-endian in the format of ARMv5 (BE32); ARMv7 has BE8 only');
  if (elf.segments.length === 0) throw new BootError('the ELF kernel has nothing to load');
  const writes: MemoryWrite[] = elf.segments.map((segment, index) => ({
    name: `kernel, segment ${index}`,
    target: segment.physicalAddress < FLASH1.address + FLASH1.byteLength ? 'flash' : 'ram',
    address: segment.physicalAddress,
    bytes: segment.bytes,
    byteLength: segment.memoryByteLength,
  }));
  const low = Math.min(...writes.map(({ address }) => address));
  const high = Math.max(...writes.map(({ address, byteLength }) => address + byteLength));
  return planProgram(options, writes, elf.physicalEntry, elf.byteOrder === 'be8', low, high);
}

function planUImage(options: BootOptions, image: UImage): BootPlan {
  if (image.type === 'ramdisk') throw new BootError('the kernel is a ramdisk image');
  const load = image.type === 'kernel-noload' ? RAM_BASE + NOLOAD_OFFSET : image.loadAddress;
  const entry = image.type === 'kernel-noload' ? (load + image.entryPoint) >>> 0 : image.entryPoint;
  if (image.linux) return planLinux(options, image.data, load, entry);
  const write: MemoryWrite = { name: 'kernel', target: 'ram', address: load, bytes: image.data, byteLength: image.data.length };
  // QEMU asks for room at the base of RAM for ELF files alone.
  return planProgram(options, [write], entry, false, RAM_BASE, RAM_BASE);
}

/**
 * A program that is not Linux: registers are 0 and nobody tells it where the tree is. The tree is at the base of RAM when the program lies below RAM
 * or leaves room for the blob there; one that starts in between gets none. A program that covers the base of RAM gets the tree at 0, in flash: that
 * is where QEMU's loader, not told an address, puts it.
 */
function planProgram(
  options: BootOptions,
  program: readonly MemoryWrite[],
  entry: number,
  bigEndian: boolean,
  low: number,
  high: number,
): BootPlan {
  const writes = [...program];
  const ramEnd = RAM_BASE + options.ramBytes;
  for (const { name, address, byteLength, target } of program) {
    const end = address + byteLength;
    const fits = target === 'flash' ? end <= FLASH1.address + FLASH1.byteLength : address >= RAM_BASE && end <= ramEnd;
    if (!fits) throw new BootError(`the ${name} (${hex(address)} to ${hex(end)}) is outside RAM and flash`);
  }
  const blob = finishedDtb(options);
  let dtbAddress: number | undefined;
  if (high < RAM_BASE || low - RAM_BASE >= blob.length) dtbAddress = RAM_BASE;
  else if (low <= RAM_BASE) dtbAddress = FLASH0.address;
  const overlapsFlash = program.some(({ address, byteLength }) => dtbAddress === FLASH0.address && address < blob.length && byteLength > 0);
  if (overlapsFlash) dtbAddress = undefined;
  if (dtbAddress === RAM_BASE) writes.push(dtbWrite(blob, RAM_BASE, options.ramBytes));
  else if (dtbAddress !== undefined) writes.push({ ...dtbWrite(blob, RAM_BASE, options.ramBytes), address: dtbAddress, target: 'flash' });
  const notes = options.initrd === undefined ? [] : ['the initrd is not used: only a Linux image (zImage, uImage, raw) gets one'];
  if (dtbAddress === undefined) notes.push('the program gets no device tree: there is no room for it');
  const thumb = (entry & 1) !== 0;
  return {
    kind: 'program',
    writes: ordered(writes),
    entry: {
      pc: (entry & ~1) >>> 0,
      cpsr: (ENTRY_CPSR | (thumb ? CPSR_T : 0) | (bigEndian ? CPSR_E : 0)) >>> 0,
      bigEndian,
    },
    fwCfg: [],
    dtbAddress,
    lowEcam: options.highMemory === false,
    notes,
  };
}

/** The tree that the guest gets, flattened: the board's or the user's, completed with RAM, `/chosen` and PSCI. */
function finishedDtb(options: BootOptions, initrd?: { readonly start: number; readonly end: number }): Uint8Array {
  const { dtb } = options;
  const tree = dtb === undefined ? ownTree(options) : parseFdt(dtb);
  const addressCells = rootCells(tree, '#address-cells');
  const sizeCells = rootCells(tree, '#size-cells');
  tree.removeRootChildren(({ name }) => name === 'memory' || name.startsWith('memory@'));
  addMemory(tree, RAM_BASE, options.ramBytes, addressCells, sizeCells);
  if (tree.find('/chosen') === undefined) tree.addNode('/chosen');
  if (options.append !== undefined && options.append !== '') tree.set('/chosen', 'bootargs', options.append);
  if (initrd !== undefined) {
    tree.set('/chosen', 'linux,initrd-start', [initrd.start]);
    tree.set('/chosen', 'linux,initrd-end', [initrd.end]);
  }
  tree.removeRootChildren(({ name }) => name === 'psci');
  addPsci(tree);
  if (dtb === undefined) return writeFdt(tree, { totalSize: BOARD_DTB_BYTES });
  // Room for the guest's edits, as much as QEMU gives.
  return writeFdt(tree, { totalSize: (dtb.length + 10000) * 2, reservationOffset: 40 });
}

function ownTree(options: BootOptions): FdtTree {
  return boardDeviceTree({
    cpu: options.cpu,
    seed: options.seed,
    cpuCount: options.cpuCount ?? 1,
    highMemory: options.highMemory ?? true,
    firmware: options.firmware !== undefined || options.flashHasFirmware === true,
  });
}

function rootCells(tree: FdtTree, name: string): number {
  const count = tree.getCell('/', name);
  if (count === undefined) throw new FdtError(`the root node has no usable ${name}`);
  if (count < 1 || count > 4) throw new FdtError(`the root node has ${count} for ${name}; 1 to 4 are possible`);
  return count;
}

/** The tree as a write. Its padding may hang over the end of RAM, its contents may not. */
function dtbWrite(blob: Uint8Array, address: number, ramBytes: number): MemoryWrite {
  const room = RAM_BASE + ramBytes - address;
  const contents = fdtContentBytes(blob);
  if (contents > room)
    throw new BootError(`the device tree (${contents} bytes at ${hex(address)}) does not fit in ${mib(ramBytes)} of RAM`);
  return { name: 'device tree', target: 'ram', address, bytes: blob.subarray(0, contents), byteLength: Math.min(blob.length, room) };
}

function initrdContents(bytes: Uint8Array): Uint8Array {
  if (imageKind(bytes) !== 'uimage') return bytes;
  const image = parseUImage(bytes);
  if (image.type !== 'ramdisk') throw new BootError('the initrd is a kernel image');
  return image.data;
}

function ordered(writes: readonly MemoryWrite[]): MemoryWrite[] {
  const sorted = [...writes].sort((a, b) => a.address - b.address);
  for (let index = 1; index < sorted.length; index++) {
    const before = sorted[index - 1];
    const after = sorted[index];
    if (before.address + before.byteLength > after.address) {
      throw new BootError(
        `the ${before.name} (${hex(before.address)} to ${hex(before.address + before.byteLength)}) and the ${after.name} at ${hex(after.address)} overlap`,
      );
    }
  }
  return sorted;
}

/** Little-endian, as fw_cfg integers are. */
function word(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}

const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;
const hex = (value: number): string => `0x${value.toString(16)}`;
const mib = (byteLength: number): string => `${byteLength / 0x10_0000} MiB`;
