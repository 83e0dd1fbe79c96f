export { type CfiFlashOptions, cfiFlash } from './cfi-flash.js';
export { DeviceError } from './device-error.js';
export {
  FW_CFG_COMMAND_LINE_DATA,
  FW_CFG_COMMAND_LINE_SIZE,
  FW_CFG_CPU_COUNT,
  FW_CFG_FILE_DIRECTORY,
  FW_CFG_FIRST_FILE,
  FW_CFG_ID,
  FW_CFG_INITRD_ADDRESS,
  FW_CFG_INITRD_DATA,
  FW_CFG_INITRD_SIZE,
  FW_CFG_KERNEL_ADDRESS,
  FW_CFG_KERNEL_DATA,
  FW_CFG_KERNEL_ENTRY,
  FW_CFG_KERNEL_SIZE,
  FW_CFG_NOGRAPHIC,
  FW_CFG_SETUP_DATA,
  FW_CFG_SETUP_SIZE,
  FW_CFG_SIGNATURE,
  type FwCfgBoot,
  type FwCfgFile,
  type FwCfgItem,
  type FwCfgOptions,
  fwCfg,
  fwCfgBootItems,
  fwCfgU32,
} from './fw-cfg.js';
export { type GenericTimer, type GenericTimerOptions, genericTimer } from './generic-timer.js';
export { type Gicv2, type Gicv2CoreOutputs, type Gicv2Options, gicv2 } from './gic/gicv2.js';
export { type Gicv2mFrame, type Gicv2mOptions, gicv2mFrame } from './gic/gicv2m.js';
export { type GpioKey, type GpioKeyOptions, gpioKey } from './gpio-key.js';
export { type PcieEcamOptions, type PcieWindowOptions, pcieEcam, pcieWindow } from './pcie-host.js';
export { type Pl011, type Pl011Options, pl011 } from './pl011.js';
export { type Pl031Options, pl031 } from './pl031.js';
export { type Pl061, type Pl061Options, pl061 } from './pl061.js';
export * from './virtio/index.js';
