import type { AccessSize, PhysAddr } from './addresses.js';
import type { Diagnostics, Stateful } from './component.js';
import type { Clock } from './time.js';

/** A level-sensitive wire. Setting the level it already has does nothing. */
export interface InterruptLine {
  set(level: boolean): void;
}

/**
 * A memory-mapped device. Offsets are bytes from the start of its window; the bus splits what straddles a window. Values are unsigned.
 * A device never sees the CPU: it gets its lines, its clock and (if it masters the bus) a DMA port when it is made.
 */
export interface Device extends Stateful {
  /** Instance name, for example `pl011@9000000`: appears in diagnostics, the monitor and snapshots, so it is unique on a board. */
  readonly name: string;
  /** Unsigned value of the register. An offset or size that the device does not decode is reported through `Diagnostics`, never a silent zero. */
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
  /** Power-on reset. Lines must be at their reset level afterwards. */
  reset(): void;
}

/**
 * What a bus master other than the CPU sees of guest memory. Physical addresses; out of range is a value, never an exception: a virtqueue that
 * points outside RAM must not harm the host. Writes go through the one door that invalidates translated code.
 */
export interface DmaPort {
  /** True when all of [address, address + byteLength) is RAM (byteLength 0 is true). */
  contains(address: PhysAddr, byteLength: number): boolean;
  /** Copies out into `target`; false (and nothing copied) when any byte is outside RAM. */
  read(address: PhysAddr, target: Uint8Array): boolean;
  /** Copies in; false (and nothing written) when any byte is outside RAM. */
  write(address: PhysAddr, source: Uint8Array): boolean;
  /** Little-endian accesses. Undefined / false when outside RAM. `address` may be unaligned. */
  readU16(address: PhysAddr): number | undefined;
  readU32(address: PhysAddr): number | undefined;
  writeU16(address: PhysAddr, value: number): boolean;
  writeU32(address: PhysAddr, value: number): boolean;
}

/** What the board hands to a device's factory besides the device's own options. */
export interface DeviceHost {
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

/**
 * A window of memory that reads like RAM at full speed (the CPU may execute from it) while its writes go to a device: ROM and flash in read-array
 * mode. Offsets are bytes within the window.
 */
export interface RomWindow {
  readonly byteLength: number;
  /** The live bytes, read-only in the types: change them with {@link write}. */
  bytes(): Readonly<Uint8Array>;
  /** False when nothing has ever been written to [offset, offset + length): its bytes are 0, and looking at them would cost the host their pages. */
  touched(offset: number, length: number): boolean;
  /** Changes the contents through the one door (translated code over them is dropped). */
  write(offset: number, source: Uint8Array): void;
  /** true: CPU reads and fetches come straight from the bytes. false: reads go to the device too (command mode); fetches abort. */
  setDirect(direct: boolean): void;
}
