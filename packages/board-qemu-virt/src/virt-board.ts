import type { Gicv2, GpioKey, Pl011, Pl061, UserNetwork, VirtioDevice } from '@tablewalk/devices';
import {
  cfiFlash,
  FW_CFG_CPU_COUNT,
  fwCfg,
  fwCfgU32,
  gicv2,
  gicv2mFrame,
  gpioKey,
  pcieEcam,
  pcieWindow,
  pl011,
  pl031,
  pl061,
  seededEntropy,
  userNetwork,
  virtioBlock,
  virtioConsole,
  virtioMmio,
  virtioNet,
  virtioRng,
} from '@tablewalk/devices';
import type { Device, DeviceHost, DmaPort, GuestMemory, SystemBus } from '@tablewalk/machine';
import type { FwCfgItem } from './boot.js';
import * as map from './memory-map.js';
import type { VirtMachineOptions } from './virt-options.js';

/** Names of the flash regions in guest memory. */
export const FLASH_REGIONS = ['flash0', 'flash1'] as const;

const SPI = 32;
const hex = (address: number): string => address.toString(16);

/** The devices that a machine talks to by name. */
export interface VirtBoard {
  readonly uart: Pl011;
  readonly gic: Gicv2;
  readonly powerKey: GpioKey;
  readonly network: UserNetwork | undefined;
}

/**
 * Makes QEMU `virt`'s devices and puts them on the bus, always in the same order (timers that expire together run in the order of creation).
 */
export const virtBoard = (
  options: VirtMachineOptions,
  memory: GuestMemory,
  virtioDma: DmaPort,
  bus: SystemBus,
  host: DeviceHost,
  core: { readonly irq: { set(level: boolean): void }; readonly fiq: { set(level: boolean): void } },
  plan: { readonly fwCfg: readonly FwCfgItem[]; readonly lowEcam: boolean },
  transmit: (byte: number) => void,
): VirtBoard => {
  const put = (window: map.MemoryWindow, device: Device, byteLength = window.byteLength): void =>
    bus.map(window.address, byteLength, device);
  const gic = gicv2({ host, cores: [core] });
  put(map.GIC_DISTRIBUTOR, gic.distributor, 0x1000);
  put(map.GIC_CPU_INTERFACE, gic.cpuInterface, 0x2000);
  put(map.GIC_V2M, gicv2mFrame({ host, lines: Array.from({ length: 64 }, (_, n) => gic.line(80 + n)) }));
  const uart = pl011({ name: `pl011@${hex(map.UART.address)}`, host, interrupt: gic.line(SPI + map.SPI_UART), transmit });
  put(map.UART, uart);
  put(
    map.RTC,
    pl031({ name: `pl031@${hex(map.RTC.address)}`, host, interrupt: gic.line(SPI + map.SPI_RTC), epochSeconds: options.epochSeconds ?? 0 }),
  );
  const items = [{ key: FW_CFG_CPU_COUNT, bytes: fwCfgU32(1) }, ...plan.fwCfg];
  put(
    map.FW_CFG,
    fwCfg({ name: `fw-cfg@${hex(map.FW_CFG.address)}`, host, dma: memory, items: items.map(({ key, bytes }) => ({ key, data: bytes })) }),
  );
  const gpio: Pl061 = pl061({ name: `pl061@${hex(map.GPIO.address)}`, host, interrupt: gic.line(SPI + map.SPI_GPIO) });
  put(map.GPIO, gpio);
  const powerKey = gpioKey({ name: 'power-key', host, line: gpio.input(map.GPIO_POWER_KEY) });
  [map.FLASH0, map.FLASH1].forEach((window, bank) => {
    const flash = options.flash?.[bank];
    put(
      window,
      cfiFlash({
        name: `flash@${hex(window.address)}`,
        host,
        window: memory.romWindow(FLASH_REGIONS[bank]!),
        ...(flash?.changed && { changed: flash.changed }),
      }),
    );
  });
  const ecam = plan.lowEcam ? map.PCIE_ECAM_LOW : map.PCIE_ECAM_HIGH;
  put(ecam, pcieEcam({ name: `pcie-ecam@${hex(ecam.address)}`, host, byteLength: ecam.byteLength }));
  for (const [kind, window] of [
    ['mmio', map.PCIE_MMIO],
    ['pio', map.PCIE_PIO],
  ] as const)
    put(window, pcieWindow({ name: `pcie-${kind}@${hex(window.address)}`, host }));
  const network = options.network === 'user' ? userNetwork({ clock: host.clock }) : undefined;
  const devices = virtioDevices(options, network);
  for (let n = 0; n < map.VIRTIO_MMIO_COUNT; n++) {
    const address = map.VIRTIO_MMIO.address + n * map.VIRTIO_MMIO.byteLength;
    const device = devices[map.VIRTIO_MMIO_COUNT - 1 - n];
    bus.map(
      address,
      map.VIRTIO_MMIO.byteLength,
      virtioMmio(host, {
        name: `virtio-mmio@${hex(address)}`,
        dma: virtioDma,
        interrupt: gic.line(SPI + map.SPI_VIRTIO_MMIO + n),
        legacy: options.modernVirtio !== true,
        ...(device && { device }),
      }),
    );
  }
  return { uart, gic, powerKey, network };
};

/** In the order of the slots from the highest down: drives, network, console, entropy. */
const virtioDevices = (options: VirtMachineOptions, network: UserNetwork | undefined): readonly VirtioDevice[] => {
  const devices: VirtioDevice[] = (options.drives ?? []).map((drive) => virtioBlock(drive));
  const backend = network ?? (options.network === 'user' ? undefined : options.network);
  if (backend) devices.push(virtioNet({ backend }));
  if (options.consolePorts) devices.push(virtioConsole({ ports: options.consolePorts }));
  if (options.rng) devices.push(virtioRng({ entropy: seededEntropy(options.seed ?? 0) }));
  return devices;
};
