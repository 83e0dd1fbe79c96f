import type { Clock, Snapshot, Timer } from '@tablewalk/machine/contracts';
import { DeviceError } from '../../device-error.js';
import { snapshotData } from '../../snapshots.js';
import type { NetBackend } from '../net.js';
import { type DhcpLeases, type DhcpSettings, dhcpReply } from './dhcp.js';
import { DNS_ADDRESSES_MAX, type DnsTable, dnsReply } from './dns.js';
import {
  checksum,
  ETHERNET_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  type Ipv4Packet,
  ipv4Frame,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseAddress,
  parseIpv4,
  pseudoHeaderSum,
  putU16,
  putU32,
  UDP_BYTES,
  u16,
  u32,
  udpDatagram,
  wordSum,
} from './packet.js';

/** The addresses of QEMU's `-netdev user`. */
const NETWORK = 0x0a000200;
const MASK = 0xffffff00;
const HOST = 0x0a000202;
const DNS_SERVER = 0x0a000203;
const FIRST_GUEST = 0x0a00020f;
const GUESTS_MAX = 16;
const BROADCAST = 0xffffffff;

const ARP_BYTES = 28;
/** slirp pads its ARP replies to this. */
const ARP_FRAME_BYTES = 64;
const PORT_DNS = 53;
const PORT_DHCP_SERVER = 67;
const PORT_DHCP_CLIENT = 68;
const ICMP_ECHO_REPLY = 0;
const ICMP_UNREACHABLE = 3;
const ICMP_ECHO = 8;
const UNREACHABLE_NET = 0;
const UNREACHABLE_PORT = 3;
const TCP_BYTES = 20;
const TCP_FIN = 1;
const TCP_SYN = 2;
const TCP_RST = 4;
const TCP_ACK = 16;
const TTL = 64;
const TTL_ECHO = 255;
const TOS_LOW_DELAY = 0x10;
const FRAGMENT_BITS = 0x3fff;

/** Frames on their way to the guest. */
const IN_FLIGHT_MAX = 256;

const SCHEMA = 'devices/user-network';
const VERSION = 1;

export interface UserNetworkOptions {
  readonly clock: Clock;
  /** Guest time in ns between a frame of the guest and the answer to it. Default 0: the answer is there at once. */
  readonly latency?: number;
  /** What the name server knows: name to IPv4 addresses, up to 8 each. Any other name does not exist. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** What happens to echo requests for addresses other than 10.0.2.2 and 10.0.2.3. Default `unreachable`. */
  readonly echo?: 'unreachable' | 'reply';
  /** Host name that DHCP hands out: 1 to 63 letters, digits, hyphens. Default none. */
  readonly hostName?: string;
}

/** Frames from the guest since power-on, by what became of them. */
export interface UserNetworkCounters {
  arp: number;
  dhcp: number;
  dns: number;
  echo: number;
  /** Answered with an ICMP error. */
  unreachable: number;
  /** TCP segments answered with a reset. */
  tcpReset: number;
  /** Broken headers, lengths or checksums. */
  malformed: number;
  /** Well-formed, and nobody here wants them: IPv6, multicast, fragments, ARP for absent hosts. */
  ignored: number;
  /** Answers lost because too many were in flight. */
  dropped: number;
}

interface NetworkSnapshot {
  readonly leases: DhcpLeases;
  readonly identification: number;
  readonly inFlight: { due: number; frame: Uint8Array }[];
  readonly counters: UserNetworkCounters;
}

function noFrames(): UserNetworkCounters {
  return { arp: 0, dhcp: 0, dns: 0, echo: 0, unreachable: 0, tcpReset: 0, malformed: 0, ignored: 0, dropped: 0 };
}

/**
 * A small world behind the cable, with the addresses of QEMU's user network: host 10.0.2.2, name server 10.0.2.3, the guest gets 10.0.2.15
 * by DHCP. Nothing leaves the machine: there is no host network, so everything is the same on every run.
 */
export function userNetwork(options: UserNetworkOptions): UserNetwork {
  return new UserNetwork(options);
}

export class UserNetwork implements NetBackend {
  readonly #clock: Clock;
  readonly #latency: number;
  readonly #names: DnsTable;
  readonly #echoAll: boolean;
  readonly #dhcp: DhcpSettings;
  readonly #timer: Timer;
  #leases: DhcpLeases = [];
  /** Next IPv4 identification, 16 bits. */
  #identification = 0;
  #inFlight: { due: number; frame: Uint8Array }[] = [];
  #counters = noFrames();
  #receive: ((frame: Uint8Array) => void) | undefined;

  constructor(options: UserNetworkOptions) {
    this.#clock = options.clock;
    this.#latency = options.latency ?? 0;
    if (!(this.#latency >= 0 && Number.isSafeInteger(this.#latency)))
      throw new DeviceError('user-network', `latency is ${this.#latency} ns`);
    const { hostName } = options;
    if (hostName !== undefined && !/^[A-Za-z0-9-]{1,63}$/.test(hostName))
      throw new DeviceError('user-network', `"${hostName}" is no host name`);
    this.#names = dnsTable(options.names ?? {});
    this.#echoAll = options.echo === 'reply';
    this.#dhcp = { server: HOST, mask: MASK, router: HOST, dns: DNS_SERVER, firstAddress: FIRST_GUEST, addressCount: GUESTS_MAX, hostName };
    this.#timer = options.clock.timer('user-network', () => this.#arrive());
  }

  counters(): Readonly<UserNetworkCounters> {
    return { ...this.#counters };
  }

  connect(receive: (frame: Uint8Array) => void): void {
    if (this.#receive !== undefined) throw new DeviceError('user-network', 'already connected to a card');
    this.#receive = receive;
  }

  send(frame: Uint8Array): void {
    const type = frame.length < ETHERNET_BYTES ? -1 : u16(frame, 12);
    if (type === -1) this.#counters.malformed++;
    else if (type === ETHERTYPE_ARP) this.#arp(frame);
    else if (type === ETHERTYPE_IPV4) this.#ipv4(frame);
    else this.#counters.ignored++;
  }

  reset(): void {
    this.#leases = [];
    this.#identification = 0;
    this.#inFlight = [];
    this.#counters = noFrames();
    this.#timer.disarm();
  }

  snapshot(): Snapshot {
    const data: NetworkSnapshot = {
      leases: [...this.#leases],
      identification: this.#identification,
      inFlight: this.#inFlight.map(({ due, frame }) => ({ due, frame: frame.slice() })),
      counters: { ...this.#counters },
    };
    return { schema: SCHEMA, version: VERSION, data };
  }

  restore(snapshot: Snapshot): void {
    const data = snapshotData<NetworkSnapshot>('user-network', snapshot, SCHEMA, VERSION);
    this.#leases = [...data.leases];
    this.#identification = data.identification;
    this.#inFlight = data.inFlight.map(({ due, frame }) => ({ due, frame: frame.slice() }));
    this.#counters = { ...data.counters };
    this.#armTimer();
  }

  // ---- to the guest

  #emit(frame: Uint8Array): void {
    if (this.#latency === 0) {
      this.#receive?.(frame);
      return;
    }
    if (this.#inFlight.length >= IN_FLIGHT_MAX) {
      this.#counters.dropped++;
      return;
    }
    this.#inFlight.push({ due: this.#clock.now() + this.#latency, frame });
    if (this.#inFlight.length === 1) this.#armTimer();
  }

  #arrive(): void {
    const now = this.#clock.now();
    while (this.#inFlight.length > 0 && this.#inFlight[0].due <= now) {
      const next = this.#inFlight.shift();
      if (next !== undefined) this.#receive?.(next.frame);
    }
    this.#armTimer();
  }

  #armTimer(): void {
    if (this.#inFlight.length > 0) this.#timer.arm(this.#inFlight[0].due);
    else this.#timer.disarm();
  }

  #emitIpv4(request: Uint8Array, source: number, destination: number, protocol: number, tos: number, payload: Uint8Array): void {
    const identification = this.#identification;
    this.#identification = (identification + 1) & 0xffff;
    const to = destination === BROADCAST ? BROADCAST_HARDWARE : request.subarray(6, 12);
    this.#emit(
      ipv4Frame(to, hardwareAddress(source), { source, destination, protocol, tos, identification, fragment: 0, ttl: TTL }, payload),
    );
  }

  // ---- from the guest

  /** RFC 826. Only the two hosts answer. */
  #arp(frame: Uint8Array): void {
    const arp = frame.subarray(ETHERNET_BYTES);
    // Ethernet (1) and IPv4, with addresses of 6 and 4 bytes.
    if (arp.length < ARP_BYTES || u32(arp, 0) !== 0x00010800 || u16(arp, 4) !== 0x0604) {
      this.#counters.malformed++;
      return;
    }
    const target = u32(arp, 24);
    if (u16(arp, 6) !== 1 || !isHost(target)) {
      this.#counters.ignored++;
      return;
    }
    this.#counters.arp++;
    const reply = new Uint8Array(ARP_FRAME_BYTES);
    const from = hardwareAddress(target);
    reply.set(frame.subarray(6, 12));
    reply.set(from, 6);
    putU16(reply, 12, ETHERTYPE_ARP);
    const body = reply.subarray(ETHERNET_BYTES);
    body.set(arp.subarray(0, 6));
    putU16(body, 6, 2);
    body.set(from, 8);
    putU32(body, 14, target);
    body.set(arp.subarray(8, 18), 18); // the asker's addresses
    this.#emit(reply);
  }

  #ipv4(frame: Uint8Array): void {
    const packet = parseIpv4(frame);
    if (packet === undefined) {
      this.#counters.malformed++;
      return;
    }
    // Reassembly is not offered: what these protocols need fits one frame.
    if ((packet.fragment & FRAGMENT_BITS) !== 0) {
      this.#counters.ignored++;
      return;
    }
    if (packet.protocol === PROTOCOL_UDP) this.#udp(frame, packet);
    else if (isManyCast(packet.destination)) this.#counters.ignored++;
    else if (packet.protocol === PROTOCOL_ICMP) this.#icmp(frame, packet);
    else if (packet.protocol === PROTOCOL_TCP) this.#tcp(frame, packet);
    else this.#unreachable(frame, packet, isHost(packet.destination) ? 2 : UNREACHABLE_NET);
  }

  #udp(frame: Uint8Array, packet: Ipv4Packet): void {
    const { payload, source, destination } = packet;
    const byteLength = payload.length < UDP_BYTES ? 0 : u16(payload, 4);
    const datagram = payload.subarray(0, byteLength);
    const checked = byteLength >= UDP_BYTES && byteLength <= payload.length;
    if (
      !checked ||
      (u16(payload, 6) !== 0 && checksum(wordSum(datagram) + pseudoHeaderSum(source, destination, PROTOCOL_UDP, byteLength)) !== 0)
    ) {
      this.#counters.malformed++;
      return;
    }
    const sourcePort = u16(payload, 0);
    const destinationPort = u16(payload, 2);
    const data = datagram.subarray(UDP_BYTES);
    if (destinationPort === PORT_DHCP_SERVER && (destination === BROADCAST || destination === HOST)) {
      const reply = dhcpReply(this.#dhcp, this.#leases, data);
      if (reply === undefined) {
        this.#counters.ignored++;
        return;
      }
      this.#counters.dhcp++;
      const answer = udpDatagram(HOST, PORT_DHCP_SERVER, BROADCAST, PORT_DHCP_CLIENT, reply);
      this.#emitIpv4(frame, HOST, BROADCAST, PROTOCOL_UDP, TOS_LOW_DELAY, answer);
    } else if (destinationPort === PORT_DNS && destination === DNS_SERVER) {
      const reply = dnsReply(this.#names, data);
      if (reply === undefined) {
        this.#counters.malformed++;
        return;
      }
      this.#counters.dns++;
      this.#emitIpv4(
        frame,
        destination,
        source,
        PROTOCOL_UDP,
        TOS_LOW_DELAY,
        udpDatagram(destination, PORT_DNS, source, sourcePort, reply),
      );
    } else if (isManyCast(destination)) this.#counters.ignored++;
    else this.#unreachable(frame, packet, isHost(destination) ? UNREACHABLE_PORT : UNREACHABLE_NET);
  }

  /** RFC 792. */
  #icmp(frame: Uint8Array, packet: Ipv4Packet): void {
    const { payload, destination } = packet;
    if (payload.length < 8 || checksum(wordSum(payload)) !== 0) {
      this.#counters.malformed++;
      return;
    }
    if (payload[0] !== ICMP_ECHO || payload[1] !== 0) {
      this.#counters.ignored++;
      return;
    }
    if (!isHost(destination) && !this.#echoAll) {
      this.#unreachable(frame, packet, UNREACHABLE_NET);
      return;
    }
    this.#counters.echo++;
    const reply = payload.slice();
    reply[0] = ICMP_ECHO_REPLY;
    putU16(reply, 2, 0);
    putU16(reply, 2, checksum(wordSum(reply)));
    // The reply keeps the request's identification, flags and service, as slirp's does.
    const header = {
      source: destination,
      destination: packet.source,
      protocol: PROTOCOL_ICMP,
      tos: packet.tos,
      identification: packet.identification,
      fragment: packet.fragment,
      ttl: TTL_ECHO,
    };
    this.#emit(ipv4Frame(frame.subarray(6, 12), hardwareAddress(HOST), header, reply));
  }

  /** A reset for whatever is not one itself (RFC 793, 3.4): nobody listens. */
  #tcp(frame: Uint8Array, packet: Ipv4Packet): void {
    const { payload, source, destination } = packet;
    const headerBytes = payload.length < TCP_BYTES ? 0 : (payload[12] >>> 4) * 4;
    const sum = wordSum(payload) + pseudoHeaderSum(source, destination, PROTOCOL_TCP, payload.length);
    if (headerBytes < TCP_BYTES || headerBytes > payload.length || checksum(sum) !== 0) {
      this.#counters.malformed++;
      return;
    }
    const flags = payload[13];
    if ((flags & TCP_RST) !== 0) {
      this.#counters.ignored++;
      return;
    }
    this.#counters.tcpReset++;
    const reply = new Uint8Array(TCP_BYTES);
    reply.set(payload.subarray(2, 4), 0);
    reply.set(payload.subarray(0, 2), 2);
    reply[12] = (TCP_BYTES / 4) << 4;
    if ((flags & TCP_ACK) !== 0) {
      reply.set(payload.subarray(8, 12), 4);
      reply[13] = TCP_RST;
    } else {
      const length = payload.length - headerBytes + Number((flags & TCP_SYN) !== 0) + Number((flags & TCP_FIN) !== 0);
      putU32(reply, 8, (u32(payload, 4) + length) >>> 0);
      reply[13] = TCP_RST | TCP_ACK;
    }
    putU16(reply, 16, checksum(wordSum(reply) + pseudoHeaderSum(destination, source, PROTOCOL_TCP, reply.length)));
    this.#emitIpv4(frame, destination, source, PROTOCOL_TCP, 0, reply);
  }

  /** Destination unreachable, quoting the header and eight bytes (RFC 792). The router says it; the host itself for its own ports. */
  #unreachable(frame: Uint8Array, packet: Ipv4Packet, code: number): void {
    this.#counters.unreachable++;
    const headerBytes = packet.bytes.length - packet.payload.length;
    const quoted = packet.bytes.subarray(0, headerBytes + 8);
    const message = new Uint8Array(8 + quoted.length);
    message[0] = ICMP_UNREACHABLE;
    message[1] = code;
    message.set(quoted, 8);
    putU16(message, 2, checksum(wordSum(message)));
    const from = isHost(packet.destination) ? packet.destination : HOST;
    this.#emitIpv4(frame, from, packet.source, PROTOCOL_ICMP, 0, message);
  }
}

const BROADCAST_HARDWARE: Uint8Array = Uint8Array.of(255, 255, 255, 255, 255, 255);

function isHost(address: number): boolean {
  return address === HOST || address === DNS_SERVER;
}

/** Broadcast and multicast destinations: nobody here is meant, and nobody answers with an error (RFC 1122, 3.2.2). */
function isManyCast(address: number): boolean {
  return address === BROADCAST || address === (NETWORK | 0xff) >>> 0 || address >>> 28 === 0xe;
}

/** 52:55 and the IPv4 address, as slirp makes them up. All IPv4 comes from the router, as there; only ARP shows the name server's own. */
function hardwareAddress(address: number): Uint8Array {
  return Uint8Array.of(0x52, 0x55, address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}

function dnsTable(names: Readonly<Record<string, readonly string[]>>): DnsTable {
  const table = new Map<string, readonly number[]>();
  for (const [name, addresses] of Object.entries(names)) {
    if (addresses.length > DNS_ADDRESSES_MAX) throw new DeviceError('user-network', `more than ${DNS_ADDRESSES_MAX} addresses for ${name}`);
    const numbers = addresses.map((text) => {
      const address = parseAddress(text);
      if (address === undefined) throw new DeviceError('user-network', `"${text}" (for ${name}) is no IPv4 address`);
      return address;
    });
    table.set(name.toLowerCase().replace(/\.$/, ''), numbers);
  }
  return table;
}
