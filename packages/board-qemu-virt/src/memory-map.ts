/**
 * Where things are on QEMU's `virt` board (7.2, 32-bit), as its device tree and memory map show them. Addresses are physical, sizes in bytes.
 * Above 4 GiB a number is no longer 32 bits wide; the device tree splits it.
 */

/** One window of the physical address space. */
export interface MemoryWindow {
  readonly address: number;
  readonly byteLength: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** CFI NOR flash: the firmware's bank and the one for its variables. */
export const FLASH0: MemoryWindow = { address: 0x0000_0000, byteLength: 64 * MIB };
export const FLASH1: MemoryWindow = { address: 0x0400_0000, byteLength: 64 * MIB };
/** GICv2. The device tree reserves 64 KiB for each part; 4 KiB and 8 KiB are decoded. */
export const GIC_DISTRIBUTOR: MemoryWindow = { address: 0x0800_0000, byteLength: 64 * KIB };
export const GIC_CPU_INTERFACE: MemoryWindow = { address: 0x0801_0000, byteLength: 64 * KIB };
export const GIC_V2M: MemoryWindow = { address: 0x0802_0000, byteLength: 4 * KIB };
export const UART: MemoryWindow = { address: 0x0900_0000, byteLength: 4 * KIB };
export const RTC: MemoryWindow = { address: 0x0901_0000, byteLength: 4 * KIB };
export const FW_CFG: MemoryWindow = { address: 0x0902_0000, byteLength: 0x18 };
export const GPIO: MemoryWindow = { address: 0x0903_0000, byteLength: 4 * KIB };
/** First of the virtio-mmio transports; the others follow without a gap. */
export const VIRTIO_MMIO: MemoryWindow = { address: 0x0a00_0000, byteLength: 0x200 };
export const VIRTIO_MMIO_COUNT = 32;
/** Nothing answers here until a device is attached to it dynamically; the tree describes it all the same. */
export const PLATFORM_BUS: MemoryWindow = { address: 0x0c00_0000, byteLength: 32 * MIB };
export const PCIE_MMIO: MemoryWindow = { address: 0x1000_0000, byteLength: 0x2eff_0000 };
export const PCIE_PIO: MemoryWindow = { address: 0x3eff_0000, byteLength: 64 * KIB };
/** ECAM of 16 buses below 4 GiB (firmware, or a CPU that cannot reach the high one) and of 256 buses above. */
export const PCIE_ECAM_LOW: MemoryWindow = { address: 0x3f00_0000, byteLength: 16 * MIB };
export const PCIE_ECAM_HIGH: MemoryWindow = { address: 0x40_1000_0000, byteLength: 256 * MIB };
export const PCIE_MMIO_HIGH: MemoryWindow = { address: 0x80_0000_0000, byteLength: 512 * GIB };

export const RAM_BASE = 0x4000_0000;
/** Limits of the RAM size: what lies below 4 GiB, and what one WebAssembly memory can hold beside everything else. */
export const RAM_BYTES_MIN = MIB;
export const RAM_BYTES_MAX = 3072 * MIB;

/** Shared peripheral interrupts, counted from 0 as in the device tree (INTID = 32 + SPI). */
export const SPI_UART = 1;
export const SPI_RTC = 2;
/** INTA to INTD of the PCIe host bridge are 3 to 6. */
export const SPI_PCIE = 3;
export const SPI_GPIO = 7;
/** Transport n has SPI 16 + n. */
export const SPI_VIRTIO_MMIO = 16;

/** Private peripheral interrupts of the generic timer, counted from 0 (INTID = 16 + PPI). */
export const PPI_TIMER_SECURE = 13;
export const PPI_TIMER_NON_SECURE = 14;
export const PPI_TIMER_VIRTUAL = 11;
export const PPI_TIMER_HYPERVISOR = 10;

/** GPIO input to which the power key is wired. */
export const GPIO_POWER_KEY = 3;
