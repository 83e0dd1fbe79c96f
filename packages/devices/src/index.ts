export { DeviceError } from './device-error.js';
export { type GenericTimer, type GenericTimerOptions, genericTimer } from './generic-timer.js';
export { type Gicv2, type Gicv2CoreOutputs, type Gicv2Options, gicv2 } from './gic/gicv2.js';
export { type Gicv2mFrame, type Gicv2mOptions, gicv2mFrame } from './gic/gicv2m.js';
export { type Pl011, type Pl011Options, pl011 } from './pl011.js';
export * from './virtio/index.js';
