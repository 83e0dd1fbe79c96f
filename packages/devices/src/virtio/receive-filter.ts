/** Most addresses that each table holds; a longer table means "all of that kind" (virtio 1.1, 5.1.6.5.2.2). */
const TABLE_ADDRESSES_MAX = 64;
const VLAN_COUNT = 4096;

/** Commands of the RX class, in their order (virtio 1.1, 5.1.6.5.1). */
const MODES = ['promiscuous', 'allMulticast', 'allUnicast', 'noMulticast', 'noUnicast', 'noBroadcast'] as const;
type Mode = (typeof MODES)[number];

export interface ReceiveFilterState {
  readonly modes: Record<Mode, boolean>;
  readonly unicast: Uint8Array;
  readonly unicastOverflow: boolean;
  readonly multicast: Uint8Array;
  readonly multicastOverflow: boolean;
  readonly vlans: Uint8Array;
}

/** Which frames a network card passes on: what the control queue's RX, MAC and VLAN classes set. */
export class ReceiveFilter {
  readonly #mac: Readonly<Uint8Array>;
  #modes = powerOnModes();
  /** Addresses, six bytes each, one after another. */
  #unicast: Uint8Array = new Uint8Array(0);
  #unicastOverflow = false;
  #multicast: Uint8Array = new Uint8Array(0);
  #multicastOverflow = false;
  /** One bit a VLAN. */
  #vlans = new Uint8Array(VLAN_COUNT / 8);

  /** `mac` is live: the filter always uses its present contents. */
  constructor(mac: Readonly<Uint8Array>) {
    this.#mac = mac;
    this.reset();
  }

  reset(): void {
    this.#modes = powerOnModes();
    this.#unicast = new Uint8Array(0);
    this.#multicast = new Uint8Array(0);
    this.#unicastOverflow = false;
    this.#multicastOverflow = false;
    this.#vlans.fill(0);
  }

  /** False for a command that does not exist. */
  setMode(command: number, on: boolean): boolean {
    const mode = MODES[command];
    if (mode === undefined) return false;
    this.#modes[mode] = on;
    return true;
  }

  /** VIRTIO_NET_CTRL_MAC_TABLE_SET: unicast, then multicast addresses, each with a 32-bit count before. False when cut short. */
  setTable(data: Uint8Array): boolean {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (data.length < 8) return false;
    const unicasts = view.getUint32(0, true);
    const multicastAt = 4 + 6 * unicasts;
    if (multicastAt + 4 > data.length) return false;
    const multicasts = view.getUint32(multicastAt, true);
    if (multicastAt + 4 + 6 * multicasts !== data.length) return false;
    this.#unicastOverflow = unicasts > TABLE_ADDRESSES_MAX;
    this.#multicastOverflow = multicasts > TABLE_ADDRESSES_MAX;
    this.#unicast = this.#unicastOverflow ? new Uint8Array(0) : data.slice(4, multicastAt);
    this.#multicast = this.#multicastOverflow ? new Uint8Array(0) : data.slice(multicastAt + 4);
    return true;
  }

  /** VIRTIO_NET_CTRL_VLAN_ADD (0) and DEL (1). */
  setVlan(command: number, vlan: number): boolean {
    if (vlan >= VLAN_COUNT || command > 1) return false;
    const bit = 1 << (vlan & 7);
    if (command === 0) this.#vlans[vlan >>> 3] |= bit;
    else this.#vlans[vlan >>> 3] &= ~bit;
    return true;
  }

  accepts(frame: Uint8Array): boolean {
    const modes = this.#modes;
    if (modes.promiscuous) return true;
    if (frame.length >= 16 && frame[12] === 0x81 && frame[13] === 0x00) {
      const vlan = ((frame[14] & 15) << 8) | frame[15];
      if ((this.#vlans[vlan >>> 3] & (1 << (vlan & 7))) === 0) return false;
    }
    if ((frame[0] & 1) !== 0) {
      if (sameAddress(frame, BROADCAST, 0)) return !modes.noBroadcast;
      if (modes.noMulticast) return false;
      return modes.allMulticast || this.#multicastOverflow || inTable(frame, this.#multicast);
    }
    if (modes.noUnicast) return false;
    return modes.allUnicast || this.#unicastOverflow || sameAddress(frame, this.#mac, 0) || inTable(frame, this.#unicast);
  }

  state(): ReceiveFilterState {
    return {
      modes: { ...this.#modes },
      unicast: this.#unicast.slice(),
      unicastOverflow: this.#unicastOverflow,
      multicast: this.#multicast.slice(),
      multicastOverflow: this.#multicastOverflow,
      vlans: this.#vlans.slice(),
    };
  }

  setState(state: ReceiveFilterState): void {
    this.#modes = { ...state.modes };
    this.#unicast = state.unicast.slice();
    this.#unicastOverflow = state.unicastOverflow;
    this.#multicast = state.multicast.slice();
    this.#multicastOverflow = state.multicastOverflow;
    this.#vlans = state.vlans.slice();
  }
}

const BROADCAST: Readonly<Uint8Array> = Uint8Array.of(255, 255, 255, 255, 255, 255);

/** Promiscuous until told otherwise, so that a driver without the control queue gets everything. */
function powerOnModes(): Record<Mode, boolean> {
  return { promiscuous: true, allMulticast: false, allUnicast: false, noMulticast: false, noUnicast: false, noBroadcast: false };
}

function sameAddress(frame: Uint8Array, addresses: Readonly<Uint8Array>, at: number): boolean {
  for (let i = 0; i < 6; i++) if (frame[i] !== addresses[at + i]) return false;
  return true;
}

function inTable(frame: Uint8Array, table: Uint8Array): boolean {
  for (let at = 0; at + 6 <= table.length; at += 6) if (sameAddress(frame, table, at)) return true;
  return false;
}
