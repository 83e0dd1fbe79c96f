import { FdtTree } from './fdt/fdt-tree.js';
import * as map from './memory-map.js';
import { PSCI_CPU_OFF, PSCI_CPU_ON, PSCI_CPU_SUSPEND, PSCI_MIGRATE } from './psci.js';
import { seededBytes } from './seeded-bytes.js';

/** `totalsize` of the board's own tree: room for a boot loader's edits. */
export const BOARD_DTB_BYTES = 1024 * 1024;

/** What the board's device tree depends on. */
export interface DeviceTreeOptions {
  /** `compatible` of each CPU without its vendor, for example `cortex-a15`. */
  readonly cpu: string;
  /** Seeds `kaslr-seed` and `rng-seed`. */
  readonly seed: number;
  /** Number of CPUs, 1 to 8. Default 1. */
  readonly cpuCount?: number;
  /** True when firmware starts the machine: PCIe configuration space then lies below 4 GiB. Default false. */
  readonly firmware?: boolean;
  /** False when the CPU cannot address beyond 4 GiB: no PCIe window lies there. Default true. */
  readonly highMemory?: boolean;
}

/** Interrupt specifier cells of the GIC binding: kind, number, flags. */
const GIC_SPI = 0;
const GIC_PPI = 1;
const EDGE_RISING = 1;
const LEVEL_HIGH = 4;

/**
 * The device tree that QEMU 7.2 makes for `-M virt` with a GICv2, before the boot loader's part (RAM, PSCI, `/chosen`). The edits are in that
 * board's order, so the flattened tree is the same byte for byte but for the seeds.
 */
export function boardDeviceTree(options: DeviceTreeOptions): FdtTree {
  const cpuCount = options.cpuCount ?? 1;
  const tree = new FdtTree();
  let nextPhandle = 0x8000;
  const phandle = (): number => nextPhandle++;

  tree.set('/', 'compatible', 'linux,dummy-virt');
  tree.set('/', '#address-cells', [2]);
  tree.set('/', '#size-cells', [2]);
  tree.set('/', 'model', 'linux,dummy-virt');

  const seeds = seededBytes(options.seed, 40);
  tree.addNode('/chosen');
  tree.set('/chosen', 'kaslr-seed', seeds.subarray(0, 8));
  tree.set('/chosen', 'rng-seed', seeds.subarray(8));

  const clock = phandle();
  tree.addNode('/apb-pclk');
  tree.set('/apb-pclk', 'compatible', 'fixed-clock');
  tree.set('/apb-pclk', '#clock-cells', [0]);
  tree.set('/apb-pclk', 'clock-frequency', [24_000_000]);
  tree.set('/apb-pclk', 'clock-output-names', 'clk24mhz');
  tree.set('/apb-pclk', 'phandle', [clock]);

  addTimer(tree, cpuCount);
  addCpus(tree, options.cpu, cpuCount, phandle);
  addFlash(tree);
  const gic = phandle();
  const msi = addInterruptController(tree, gic, phandle);
  tree.addNode('/pmu');
  addUart(tree, clock);
  addRtc(tree, clock);
  addPcie(tree, gic, msi, options);
  addGpio(tree, clock, phandle());
  addVirtio(tree);
  addFwCfg(tree);
  addPlatformBus(tree, gic);
  return tree;
}

/** Adds a node for `byteLength` bytes of RAM at `address`. */
export function addMemory(tree: FdtTree, address: number, byteLength: number, addressCells: number, sizeCells: number): void {
  const memory = `/memory@${address.toString(16)}`;
  tree.addNode(memory);
  tree.set(memory, 'device_type', 'memory');
  tree.set(memory, 'reg', [...cells(address, addressCells), ...cells(byteLength, sizeCells)]);
}

/** The `/psci` node for calls through HVC, with the numbers of `psci.ts`. */
export function addPsci(tree: FdtTree): void {
  tree.addNode('/psci');
  tree.set('/psci', 'compatible', 'arm,psci-1.0\0arm,psci-0.2\0arm,psci');
  tree.set('/psci', 'method', 'hvc');
  tree.set('/psci', 'cpu_suspend', [PSCI_CPU_SUSPEND]);
  tree.set('/psci', 'cpu_off', [PSCI_CPU_OFF]);
  tree.set('/psci', 'cpu_on', [PSCI_CPU_ON]);
  tree.set('/psci', 'migrate', [PSCI_MIGRATE]);
}

/** `value` in `count` cells, most significant first. */
function cells(value: number, count: number): number[] {
  const low = value >>> 0;
  const high = Math.floor(value / 0x1_0000_0000);
  if (count === 1) return [low];
  return [...new Array<number>(count - 2).fill(0), high, low];
}

const reg64 = (window: map.MemoryWindow): number[] => [...cells(window.address, 2), ...cells(window.byteLength, 2)];

function addTimer(tree: FdtTree, cpuCount: number): void {
  // Bits 15:8 of a GICv2 PPI specifier are the mask of CPUs that it reaches.
  const flags = (((1 << cpuCount) - 1) << 8) | LEVEL_HIGH;
  tree.addNode('/timer');
  tree.set('/timer', 'compatible', 'arm,armv7-timer');
  tree.set('/timer', 'always-on', true);
  const interrupts = [map.PPI_TIMER_SECURE, map.PPI_TIMER_NON_SECURE, map.PPI_TIMER_VIRTUAL, map.PPI_TIMER_HYPERVISOR];
  tree.set(
    '/timer',
    'interrupts',
    interrupts.flatMap((ppi) => [GIC_PPI, ppi, flags]),
  );
}

function addCpus(tree: FdtTree, cpu: string, cpuCount: number, phandle: () => number): void {
  tree.addNode('/cpus');
  tree.set('/cpus', '#address-cells', [1]);
  tree.set('/cpus', '#size-cells', [0]);
  // Downwards, because each new node goes before its siblings.
  for (let index = cpuCount - 1; index >= 0; index--) {
    const node = `/cpus/cpu@${index.toString(16)}`;
    tree.addNode(node);
    tree.set(node, 'device_type', 'cpu');
    tree.set(node, 'compatible', `arm,${cpu}`);
    if (cpuCount > 1) tree.set(node, 'enable-method', 'psci');
    tree.set(node, 'reg', [index]);
    tree.set(node, 'phandle', [phandle()]);
  }
  tree.addNode('/cpus/cpu-map');
  tree.addNode('/cpus/cpu-map/socket0');
  tree.addNode('/cpus/cpu-map/socket0/cluster0');
  for (let index = cpuCount - 1; index >= 0; index--) {
    const core = `/cpus/cpu-map/socket0/cluster0/core${index}`;
    tree.addNode(core);
    tree.set(core, 'cpu', [tree.getCell(`/cpus/cpu@${index.toString(16)}`, 'phandle') ?? 0]);
  }
}

function addFlash(tree: FdtTree): void {
  tree.addNode('/flash@0');
  tree.set('/flash@0', 'compatible', 'cfi-flash');
  tree.set('/flash@0', 'reg', [...reg64(map.FLASH0), ...reg64(map.FLASH1)]);
  tree.set('/flash@0', 'bank-width', [4]);
}

function addInterruptController(tree: FdtTree, gic: number, phandle: () => number): number {
  tree.set('/', 'interrupt-parent', [gic]);
  const node = '/intc@8000000';
  tree.addNode(node);
  tree.set(node, '#interrupt-cells', [3]);
  tree.set(node, 'interrupt-controller', true);
  tree.set(node, '#address-cells', [2]);
  tree.set(node, '#size-cells', [2]);
  tree.set(node, 'ranges', true);
  tree.set(node, 'compatible', 'arm,cortex-a15-gic');
  tree.set(node, 'reg', [...reg64(map.GIC_DISTRIBUTOR), ...reg64(map.GIC_CPU_INTERFACE)]);
  tree.set(node, 'phandle', [gic]);
  const msi = phandle();
  const frame = `${node}/v2m@8020000`;
  tree.addNode(frame);
  tree.set(frame, 'compatible', 'arm,gic-v2m-frame');
  tree.set(frame, 'msi-controller', true);
  tree.set(frame, 'reg', reg64(map.GIC_V2M));
  tree.set(frame, 'phandle', [msi]);
  return msi;
}

function addUart(tree: FdtTree, clock: number): void {
  const node = '/pl011@9000000';
  tree.addNode(node);
  tree.set(node, 'compatible', 'arm,pl011\0arm,primecell');
  tree.set(node, 'reg', reg64(map.UART));
  tree.set(node, 'interrupts', [GIC_SPI, map.SPI_UART, LEVEL_HIGH]);
  tree.set(node, 'clocks', [clock, clock]);
  tree.set(node, 'clock-names', 'uartclk\0apb_pclk');
  tree.set('/chosen', 'stdout-path', node);
}

function addRtc(tree: FdtTree, clock: number): void {
  const node = '/pl031@9010000';
  tree.addNode(node);
  tree.set(node, 'compatible', 'arm,pl031\0arm,primecell');
  tree.set(node, 'reg', reg64(map.RTC));
  tree.set(node, 'interrupts', [GIC_SPI, map.SPI_RTC, LEVEL_HIGH]);
  tree.set(node, 'clocks', [clock]);
  tree.set(node, 'clock-names', 'apb_pclk');
}

function addPcie(tree: FdtTree, gic: number, msi: number, options: DeviceTreeOptions): void {
  const high = options.highMemory ?? true;
  const ecam = high && options.firmware !== true ? map.PCIE_ECAM_HIGH : map.PCIE_ECAM_LOW;
  const node = '/pcie@10000000';
  tree.addNode(node);
  tree.set(node, 'compatible', 'pci-host-ecam-generic');
  tree.set(node, 'device_type', 'pci');
  tree.set(node, '#address-cells', [3]);
  tree.set(node, '#size-cells', [2]);
  tree.set(node, 'linux,pci-domain', [0]);
  // One bus takes 1 MiB of configuration space.
  tree.set(node, 'bus-range', [0, ecam.byteLength / 0x10_0000 - 1]);
  tree.set(node, 'dma-coherent', true);
  tree.set(node, 'msi-map', [0, msi, 0, 0x10000]);
  tree.set(node, 'reg', reg64(ecam));
  tree.set(node, 'ranges', [
    ...[0x0100_0000, 0, 0, ...reg64(map.PCIE_PIO)],
    ...[0x0200_0000, ...cells(map.PCIE_MMIO.address, 2), ...reg64(map.PCIE_MMIO)],
    ...(high ? [0x0300_0000, ...cells(map.PCIE_MMIO_HIGH.address, 2), ...reg64(map.PCIE_MMIO_HIGH)] : []),
  ]);
  tree.set(node, '#interrupt-cells', [1]);
  const interruptMap: number[] = [];
  for (let device = 0; device < 4; device++) {
    for (let pin = 0; pin < 4; pin++) {
      const spi = map.SPI_PCIE + ((pin + device) % 4);
      interruptMap.push(device << 11, 0, 0, pin + 1, gic, 0, 0, GIC_SPI, spi, LEVEL_HIGH);
    }
  }
  tree.set(node, 'interrupt-map', interruptMap);
  tree.set(node, 'interrupt-map-mask', [3 << 11, 0, 0, 7]);
}

function addGpio(tree: FdtTree, clock: number, gpio: number): void {
  const node = '/pl061@9030000';
  tree.addNode(node);
  tree.set(node, 'reg', reg64(map.GPIO));
  tree.set(node, 'compatible', 'arm,pl061\0arm,primecell');
  tree.set(node, '#gpio-cells', [2]);
  tree.set(node, 'gpio-controller', true);
  tree.set(node, 'interrupts', [GIC_SPI, map.SPI_GPIO, LEVEL_HIGH]);
  tree.set(node, 'clocks', [clock]);
  tree.set(node, 'clock-names', 'apb_pclk');
  tree.set(node, 'phandle', [gpio]);
  tree.addNode('/gpio-keys');
  tree.set('/gpio-keys', 'compatible', 'gpio-keys');
  tree.addNode('/gpio-keys/poweroff');
  tree.set('/gpio-keys/poweroff', 'label', 'GPIO Key Poweroff');
  // KEY_POWER of Linux's input event codes.
  tree.set('/gpio-keys/poweroff', 'linux,code', [116]);
  tree.set('/gpio-keys/poweroff', 'gpios', [gpio, map.GPIO_POWER_KEY, 0]);
}

function addVirtio(tree: FdtTree): void {
  for (let index = map.VIRTIO_MMIO_COUNT - 1; index >= 0; index--) {
    const address = map.VIRTIO_MMIO.address + index * map.VIRTIO_MMIO.byteLength;
    const node = `/virtio_mmio@${address.toString(16)}`;
    tree.addNode(node);
    tree.set(node, 'compatible', 'virtio,mmio');
    tree.set(node, 'reg', reg64({ address, byteLength: map.VIRTIO_MMIO.byteLength }));
    tree.set(node, 'interrupts', [GIC_SPI, map.SPI_VIRTIO_MMIO + index, EDGE_RISING]);
    tree.set(node, 'dma-coherent', true);
  }
}

function addFwCfg(tree: FdtTree): void {
  const node = '/fw-cfg@9020000';
  tree.addNode(node);
  tree.set(node, 'compatible', 'qemu,fw-cfg-mmio');
  tree.set(node, 'reg', reg64(map.FW_CFG));
  tree.set(node, 'dma-coherent', true);
}

function addPlatformBus(tree: FdtTree, gic: number): void {
  const node = '/platform-bus@c000000';
  tree.addNode(node);
  tree.set(node, 'compatible', 'qemu,platform\0simple-bus');
  tree.set(node, '#size-cells', [1]);
  tree.set(node, '#address-cells', [1]);
  tree.set(node, 'ranges', [0, ...cells(map.PLATFORM_BUS.address, 2), map.PLATFORM_BUS.byteLength]);
  tree.set(node, 'interrupt-parent', [gic]);
}
