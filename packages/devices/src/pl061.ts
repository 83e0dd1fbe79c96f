import type { AccessSize, Device, DeviceHost, InterruptLine, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf, primeCellId } from './access.js';
import { DeviceError } from './device-error.js';
import { snapshotData } from './snapshots.js';

const SCHEMA = 'devices/pl061';
const VERSION = 1;
const IDS = [0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

export interface Pl061Options {
  /** For example `pl061@9030000`. */
  readonly name: string;
  readonly host: DeviceHost;
  /** GPIOINTR, the combined interrupt. */
  readonly interrupt: InterruptLine;
  /** What outputs 0 to 7 drive; absent ones lead nowhere. */
  readonly outputs?: readonly (InterruptLine | undefined)[];
}

/** A PL061 GPIO block (ARM DDI 0190B): eight pins, pulled down. 4 KiB window. */
export interface Pl061 extends Device {
  /** The wire into pin 0 to 7: what it carries counts while the guest has the pin as an input. Throws {@link DeviceError} for another number. */
  input(pin: number): InterruptLine;
}

interface Pl061State {
  inputs: number;
  outputs: number;
  direction: number;
  sense: number;
  bothEdges: number;
  event: number;
  mask: number;
  edges: number;
  alternate: number;
}

/** Makes a GPIO block in its reset state: all pins inputs, no interrupts. */
export function pl061(options: Pl061Options): Pl061 {
  const { name, host, interrupt } = options;
  const wires = options.outputs ?? [];
  /** Levels outside, whatever the direction. */
  let inputs = 0;
  /** The output latches. */
  let outputs = 0;
  let direction = 0;
  let sense = 0;
  let bothEdges = 0;
  let event = 0;
  let mask = 0;
  /** Edges seen and not cleared: GPIORIS for the pins that are edge-sensitive. */
  let edges = 0;
  let alternate = 0;

  const pins = (): number => (inputs & ~direction) | (outputs & direction);
  /** A level-sensitive interrupt is there as long as its level (DDI 0190B, 3.3.4); an edge stays until GPIOIC. */
  const raw = (): number => ((edges & ~sense) | (~(pins() ^ event) & sense)) & 0xff;
  const settle = (before: number): void => {
    const after = pins();
    const changed = (before ^ after) & ~direction;
    edges |= changed & (bothEdges | ~(after ^ event)) & ~sense & 0xff;
    for (let pin = 0; pin < 8; pin++) if ((direction >>> pin) & 1) wires[pin]?.set(((after >>> pin) & 1) !== 0);
    interrupt.set((raw() & mask) !== 0);
  };

  const readWord = (register: number, size: number): number => {
    if (register < 0x400) return pins() & (register >> 2);
    switch (register) {
      case 0x400:
        return direction;
      case 0x404:
        return sense;
      case 0x408:
        return bothEdges;
      case 0x40c:
        return event;
      case 0x410:
        return mask;
      case 0x414:
        return raw();
      case 0x418:
        return raw() & mask;
      case 0x420:
        return alternate;
      default: {
        const id = register >= 0xfd0 && register < 0xfe0 ? 0 : primeCellId(IDS, register);
        if (id !== undefined) return id;
        host.diagnostics.guestError(name, `read of ${size} bytes at ${hexOffset(register)}: no such register`);
        return 0;
      }
    }
  };

  return {
    name,
    input(pin: number): InterruptLine {
      if (!Number.isInteger(pin) || pin < 0 || pin > 7) throw new DeviceError(name, `there is no pin ${pin}`);
      const bit = 1 << pin;
      return {
        set(level: boolean): void {
          const before = pins();
          inputs = level ? inputs | bit : inputs & ~bit;
          settle(before);
        },
      };
    },
    read(offset: number, size: AccessSize): number {
      return laneOf(readWord(offset & ~3, size), offset, size);
    },
    write(offset: number, size: AccessSize, value: number): void {
      const before = pins();
      if (offset < 0x400) {
        // Address bits 9:2 choose the pins that change (DDI 0190B, 2.2.1).
        const chosen = (offset >> 2) & direction;
        outputs = (outputs & ~chosen) | (value & chosen);
      } else {
        switch (offset) {
          case 0x400:
            direction = value & 0xff;
            break;
          case 0x404:
            sense = value & 0xff;
            break;
          case 0x408:
            bothEdges = value & 0xff;
            break;
          case 0x40c:
            event = value & 0xff;
            break;
          case 0x410:
            mask = value & 0xff;
            break;
          case 0x41c:
            edges &= ~value;
            break;
          case 0x420:
            alternate = value & 0xff;
            if (alternate !== 0) host.diagnostics.unimplemented(name, 'GPIOAFSEL gives pins to a hardware control that is not there');
            break;
          default:
            host.diagnostics.guestError(name, `write of ${size} bytes at ${hexOffset(offset)}: no such register`);
            return;
        }
      }
      settle(before);
    },
    reset(): void {
      outputs = direction = sense = bothEdges = event = mask = edges = alternate = 0;
      for (const wire of wires) wire?.set(false);
      interrupt.set(false);
    },
    snapshot(): Snapshot<Pl061State> {
      return { schema: SCHEMA, version: VERSION, data: { inputs, outputs, direction, sense, bothEdges, event, mask, edges, alternate } };
    },
    restore(snapshot: Snapshot): void {
      const state = snapshotData<Pl061State>(name, snapshot, SCHEMA, VERSION);
      inputs = state.inputs & 0xff;
      outputs = state.outputs & 0xff;
      direction = state.direction & 0xff;
      sense = state.sense & 0xff;
      bothEdges = state.bothEdges & 0xff;
      event = state.event & 0xff;
      mask = state.mask & 0xff;
      edges = state.edges & 0xff;
      alternate = state.alternate & 0xff;
      settle(pins());
    },
  };
}
