import type { DeviceHost, InterruptLine, Snapshot, Stateful } from '@tablewalk/machine/contracts';
import { snapshotData } from './snapshots.js';

const SCHEMA = 'devices/gpio-key';
const VERSION = 1;

export interface GpioKeyOptions {
  /** For example `power-key`. */
  readonly name: string;
  readonly host: DeviceHost;
  /** The pin it pulls high: on `virt` the power key is on pin 3 of the PL061. */
  readonly line: InterruptLine;
  /** How long a press lasts in guest nanoseconds; default 100 ms, longer than Linux's debouncing. */
  readonly pressNs?: number;
}

/** A push button on a GPIO pin. */
export interface GpioKey extends Stateful {
  readonly name: string;
  /** Presses it, and releases it by itself after `pressNs`. Pressing a pressed key holds it for longer. Between two instructions only. */
  press(): void;
  reset(): void;
}

/** Makes a released key. */
export function gpioKey(options: GpioKeyOptions): GpioKey {
  const { name, host, line } = options;
  const pressNs = options.pressNs ?? 100e6;
  const release = host.clock.timer(`${name}/release`, () => line.set(false));
  return {
    name,
    press(): void {
      line.set(true);
      release.arm(host.clock.now() + pressNs);
    },
    reset(): void {
      release.disarm();
      line.set(false);
    },
    snapshot(): Snapshot<{ releaseAt: number }> {
      return { schema: SCHEMA, version: VERSION, data: { releaseAt: release.deadline } };
    },
    restore(snapshot: Snapshot): void {
      const { releaseAt } = snapshotData<{ releaseAt: number }>(name, snapshot, SCHEMA, VERSION);
      const pressed = releaseAt !== Number.POSITIVE_INFINITY;
      if (pressed) release.arm(releaseAt);
      else release.disarm();
      line.set(pressed);
    },
  };
}
