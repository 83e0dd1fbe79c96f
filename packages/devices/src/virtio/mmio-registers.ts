/** Register offsets (virtio 1.1, 4.2.2 and 4.2.4). */
export const MAGIC_VALUE = 0x000;
export const VERSION = 0x004;
export const DEVICE_ID = 0x008;
export const VENDOR_ID = 0x00c;
export const DEVICE_FEATURES = 0x010;
export const DEVICE_FEATURES_SEL = 0x014;
export const DRIVER_FEATURES = 0x020;
export const DRIVER_FEATURES_SEL = 0x024;
export const GUEST_PAGE_SIZE = 0x028;
export const QUEUE_SEL = 0x030;
export const QUEUE_NUM_MAX = 0x034;
export const QUEUE_NUM = 0x038;
export const QUEUE_ALIGN = 0x03c;
export const QUEUE_PFN = 0x040;
export const QUEUE_READY = 0x044;
export const QUEUE_NOTIFY = 0x050;
export const INTERRUPT_STATUS = 0x060;
export const INTERRUPT_ACK = 0x064;
export const STATUS = 0x070;
export const QUEUE_DESC_LOW = 0x080;
export const QUEUE_DESC_HIGH = 0x084;
export const QUEUE_DRIVER_LOW = 0x090;
export const QUEUE_DRIVER_HIGH = 0x094;
export const QUEUE_DEVICE_LOW = 0x0a0;
export const QUEUE_DEVICE_HIGH = 0x0a4;
export const SHM_LEN_LOW = 0x0b0;
export const SHM_BASE_HIGH = 0x0bc;
export const CONFIG_GENERATION = 0x0fc;
export const CONFIG = 0x100;

/** What a slot answers to MagicValue: "virt". */
export const MAGIC = 0x74726976;
/** What it answers to VendorID: "QEMU", so that a guest sees the board that it expects. */
export const VENDOR = 0x554d4551;

/** The specification's names, for diagnostics. */
export const REGISTER_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [MAGIC_VALUE, 'MagicValue'],
  [VERSION, 'Version'],
  [DEVICE_ID, 'DeviceID'],
  [VENDOR_ID, 'VendorID'],
  [DEVICE_FEATURES, 'DeviceFeatures'],
  [DEVICE_FEATURES_SEL, 'DeviceFeaturesSel'],
  [DRIVER_FEATURES, 'DriverFeatures'],
  [DRIVER_FEATURES_SEL, 'DriverFeaturesSel'],
  [GUEST_PAGE_SIZE, 'GuestPageSize'],
  [QUEUE_SEL, 'QueueSel'],
  [QUEUE_NUM_MAX, 'QueueNumMax'],
  [QUEUE_NUM, 'QueueNum'],
  [QUEUE_ALIGN, 'QueueAlign'],
  [QUEUE_PFN, 'QueuePFN'],
  [QUEUE_READY, 'QueueReady'],
  [QUEUE_NOTIFY, 'QueueNotify'],
  [INTERRUPT_STATUS, 'InterruptStatus'],
  [INTERRUPT_ACK, 'InterruptACK'],
  [STATUS, 'Status'],
  [QUEUE_DESC_LOW, 'QueueDescLow'],
  [QUEUE_DESC_HIGH, 'QueueDescHigh'],
  [QUEUE_DRIVER_LOW, 'QueueDriverLow'],
  [QUEUE_DRIVER_HIGH, 'QueueDriverHigh'],
  [QUEUE_DEVICE_LOW, 'QueueDeviceLow'],
  [QUEUE_DEVICE_HIGH, 'QueueDeviceHigh'],
  [CONFIG_GENERATION, 'ConfigGeneration'],
]);

/** An access that a slot does not take, for diagnostics. */
export const accessText = (direction: 'read' | 'write', offset: number, size: number): string => {
  const place =
    offset >= CONFIG
      ? `configuration offset 0x${(offset - CONFIG).toString(16)}`
      : (REGISTER_NAMES.get(offset) ?? `offset 0x${offset.toString(16)}`);
  return `${direction} of ${size} byte${size === 1 ? '' : 's'} at ${place}`;
};
