/** Ethernet types. */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
/** IPv4 protocol numbers. */
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

export const ETHERNET_BYTES = 14;
export const IPV4_BYTES = 20;
export const UDP_BYTES = 8;

/** Unsigned big-endian accesses to an array that may be part of another. */
export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value >>> 16);
  putU16(bytes, at + 2, value & 0xffff);
}

/** 16-bit words added up, an odd last byte padded with zero; carries not yet folded in. */
export function wordSum(bytes: Uint8Array): number {
  let sum = 0;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  return even === bytes.length ? sum : sum + (bytes[even] << 8);
}

/** The Internet checksum (RFC 1071) of a {@link wordSum}. Over a part that holds its own right checksum it is 0. */
export function checksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** Sum of the pseudo header that UDP and TCP checksums include (RFC 768, RFC 793 3.1). */
export function pseudoHeaderSum(source: number, destination: number, protocol: number, byteLength: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + byteLength;
}

/** What is in an IPv4 packet, without options. Addresses are 32-bit numbers. */
export interface Ipv4Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly tos: number;
  readonly identification: number;
  /** Flags and fragment offset as they stand in the header. */
  readonly fragment: number;
  readonly payload: Uint8Array;
  /** The whole packet, header included: ICMP errors quote it. */
  readonly bytes: Uint8Array;
}

/** The packet behind an Ethernet header, or undefined when it is malformed (RFC 791, 3.1). */
export function parseIpv4(frame: Uint8Array): Ipv4Packet | undefined {
  const packet = frame.subarray(ETHERNET_BYTES);
  if (packet.length < IPV4_BYTES || packet[0] >>> 4 !== 4) return undefined;
  const headerBytes = (packet[0] & 15) * 4;
  const byteLength = u16(packet, 2);
  if (headerBytes < IPV4_BYTES || byteLength < headerBytes || byteLength > packet.length) return undefined;
  if (checksum(wordSum(packet.subarray(0, headerBytes))) !== 0) return undefined;
  return {
    source: u32(packet, 12),
    destination: u32(packet, 16),
    protocol: packet[9],
    tos: packet[1],
    identification: u16(packet, 4),
    fragment: u16(packet, 6),
    payload: packet.subarray(headerBytes, byteLength),
    bytes: packet.subarray(0, byteLength),
  };
}

export interface Ipv4Header {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly tos: number;
  readonly identification: number;
  readonly fragment: number;
  readonly ttl: number;
}

/** An Ethernet frame with an IPv4 header and room for the payload, whose checksums are the caller's. */
export function ipv4Frame(to: Uint8Array, from: Uint8Array, header: Ipv4Header, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + IPV4_BYTES + payload.length);
  frame.set(to);
  frame.set(from, 6);
  putU16(frame, 12, ETHERTYPE_IPV4);
  const packet = frame.subarray(ETHERNET_BYTES);
  packet[0] = 0x45;
  packet[1] = header.tos;
  putU16(packet, 2, packet.length);
  putU16(packet, 4, header.identification);
  putU16(packet, 6, header.fragment);
  packet[8] = header.ttl;
  packet[9] = header.protocol;
  putU32(packet, 12, header.source);
  putU32(packet, 16, header.destination);
  putU16(packet, 10, checksum(wordSum(packet.subarray(0, IPV4_BYTES))));
  packet.set(payload, IPV4_BYTES);
  return frame;
}

/** A UDP datagram with its checksum (RFC 768). */
export function udpDatagram(
  source: number,
  sourcePort: number,
  destination: number,
  destinationPort: number,
  data: Uint8Array,
): Uint8Array {
  const datagram = new Uint8Array(UDP_BYTES + data.length);
  putU16(datagram, 0, sourcePort);
  putU16(datagram, 2, destinationPort);
  putU16(datagram, 4, datagram.length);
  datagram.set(data, UDP_BYTES);
  const sum = checksum(wordSum(datagram) + pseudoHeaderSum(source, destination, PROTOCOL_UDP, datagram.length));
  // Zero would mean "no checksum".
  putU16(datagram, 6, sum === 0 ? 0xffff : sum);
  return datagram;
}

/** "10.0.2.2" as a number; undefined when it is no IPv4 address. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}
