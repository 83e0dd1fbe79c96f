import type { AccessSize, Device, DeviceHost, InterruptLine, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf, primeCellId } from './access.js';
import { DeviceError } from './device-error.js';
import { snapshotData } from './snapshots.js';

const SCHEMA = 'devices/pl031';
const VERSION = 1;
const SECOND_NS = 1e9;
const TWO_POW_32 = 4294967296;
const IDS = [0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

export interface Pl031Options {
  /** For example `pl031@9010000`. */
  readonly name: string;
  readonly host: DeviceHost;
  /** RTCINTR. */
  readonly interrupt: InterruptLine;
  /**
   * What the clock shows at guest time 0, in seconds since 1970-01-01 UTC (taken modulo 2^32); default 0. The host's clock is not asked: an
   * application that wants today passes today.
   */
  readonly epochSeconds?: number;
}

interface Pl031State {
  /** Counter minus guest seconds, modulo 2^32. */
  offset: number;
  match: number;
  load: number;
  imsc: number;
  ris: number;
  deadline: number;
}

/**
 * Makes a PL031 real-time clock (ARM DDI 0224C): 4 KiB window. It counts whole seconds of guest time, and runs from reset as QEMU's does
 * (RTCCR reads 1 and cannot be cleared). The counter survives a reset.
 */
export function pl031(options: Pl031Options): Device {
  const { name, host, interrupt } = options;
  const epoch = options.epochSeconds ?? 0;
  if (!Number.isSafeInteger(epoch)) throw new DeviceError(name, `epochSeconds is ${epoch}, not an integer`);
  let offset = (epoch % TWO_POW_32) >>> 0;
  let match = 0;
  let load = 0;
  let imsc = 0;
  let ris = 0;

  const seconds = (): number => Math.floor(host.clock.now() / SECOND_NS);
  const counter = (): number => (offset + (seconds() % TWO_POW_32)) >>> 0;
  const updateLine = (): void => interrupt.set((ris & imsc) !== 0);
  const raise = (): void => {
    ris = 1;
    updateLine();
  };
  const timer = host.clock.timer(`${name}/alarm`, raise);

  /** RTCINTR is raised when the counter becomes equal to RTCMR: now, or on the exact second. */
  const armAlarm = (): void => {
    const wait = (match - counter()) >>> 0;
    if (wait === 0) {
      timer.disarm();
      raise();
    } else {
      timer.arm((seconds() + wait) * SECOND_NS);
    }
  };

  const readWord = (register: number, size: number): number => {
    switch (register) {
      case 0x00:
        return counter();
      case 0x04:
        return match;
      case 0x08:
        return load;
      case 0x0c:
        return 1;
      case 0x10:
        return imsc;
      case 0x14:
        return ris;
      case 0x18:
        return ris & imsc;
      default: {
        const id = primeCellId(IDS, register);
        if (id !== undefined) return id;
        host.diagnostics.guestError(name, `read of ${size} bytes at ${hexOffset(register)}: no such register`);
        return 0;
      }
    }
  };

  return {
    name,
    read(at: number, size: AccessSize): number {
      return laneOf(readWord(at & ~3, size), at, size);
    },
    write(at: number, size: AccessSize, value: number): void {
      switch (at) {
        case 0x04:
          match = value >>> 0;
          armAlarm();
          return;
        case 0x08:
          load = value >>> 0;
          offset = (load - (seconds() % TWO_POW_32)) >>> 0;
          armAlarm();
          return;
        case 0x0c:
          return; // RTCCR: once started it cannot be stopped (DDI 0224C, 3.3.4)
        case 0x10:
          imsc = value & 1;
          break;
        case 0x1c:
          ris &= ~value;
          break;
        default:
          host.diagnostics.guestError(name, `write of ${size} bytes at ${hexOffset(at)}: no such register`);
          return;
      }
      updateLine();
    },
    reset(): void {
      match = load = imsc = ris = 0;
      timer.disarm();
      updateLine();
    },
    snapshot(): Snapshot<Pl031State> {
      return { schema: SCHEMA, version: VERSION, data: { offset, match, load, imsc, ris, deadline: timer.deadline } };
    },
    restore(snapshot: Snapshot): void {
      const state = snapshotData<Pl031State>(name, snapshot, SCHEMA, VERSION);
      offset = state.offset >>> 0;
      match = state.match >>> 0;
      load = state.load >>> 0;
      imsc = state.imsc & 1;
      ris = state.ris & 1;
      if (state.deadline === Number.POSITIVE_INFINITY) timer.disarm();
      else timer.arm(state.deadline);
      updateLine();
    },
  };
}
