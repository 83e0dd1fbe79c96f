import { putU16, putU32, u16, u32 } from './packet.js';

/** Message types (RFC 2132, 9.6). */
const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;
const NAK = 6;

const OPTION_PAD = 0;
const OPTION_SUBNET_MASK = 1;
const OPTION_ROUTER = 3;
const OPTION_DNS = 6;
const OPTION_HOST_NAME = 12;
const OPTION_REQUESTED_ADDRESS = 50;
const OPTION_LEASE_TIME = 51;
const OPTION_MESSAGE_TYPE = 53;
const OPTION_SERVER = 54;
const OPTION_END = 255;

const COOKIE_AT = 236;
const OPTIONS_AT = 240;
const COOKIE = 0x63825363;
/** The size that slirp sends, which suits every client (RFC 2131 asks for at least 300). */
const REPLY_BYTES = 548;
const LEASE_SECONDS = 86400;

export interface DhcpSettings {
  readonly server: number;
  readonly mask: number;
  readonly router: number;
  readonly dns: number;
  /** First address given out; the following ones go to other hardware addresses. */
  readonly firstAddress: number;
  readonly addressCount: number;
  readonly hostName: string | undefined;
}

/** Hardware addresses in the order of the IP addresses that they were given. */
export type DhcpLeases = string[];

/**
 * The answer to a BOOTP/DHCP message (RFC 2131), or undefined when it deserves none. Gives a new client the next address: `leases` grows by one
 * entry, up to `addressCount`.
 */
export function dhcpReply(settings: DhcpSettings, leases: DhcpLeases, message: Uint8Array): Uint8Array | undefined {
  if (message.length < OPTIONS_AT || message[0] !== 1 || message[1] !== 1 || message[2] !== 6) return undefined;
  if (u32(message, COOKIE_AT) !== COOKIE) return undefined;
  const options = parseOptions(message);
  if (options === undefined) return undefined;
  const typeOption = options.get(OPTION_MESSAGE_TYPE);
  // No type: a BOOTP client, which asks once and takes what it gets.
  const type = typeOption === undefined ? REQUEST : typeOption[0];
  if (type !== DISCOVER && type !== REQUEST) return undefined;
  const server = addressOption(options, OPTION_SERVER);
  if (server !== undefined && server !== settings.server) return undefined;

  const address = leaseFor(settings, leases, message.subarray(28, 34));
  const requested = addressOption(options, OPTION_REQUESTED_ADDRESS) ?? u32(message, 12);
  const refused = address === undefined || (type === REQUEST && requested !== 0 && requested !== address);
  // Nothing to offer: another server may have something.
  if (type === DISCOVER && address === undefined) return undefined;

  const reply = new Uint8Array(REPLY_BYTES);
  reply[0] = 2;
  reply[1] = 1;
  reply[2] = 6;
  reply.set(message.subarray(4, 8), 4); // xid
  putU16(reply, 10, u16(message, 10)); // flags
  if (!refused) putU32(reply, 16, address); // yiaddr
  putU32(reply, 20, settings.server); // siaddr
  reply.set(message.subarray(28, 34), 28); // chaddr
  putU32(reply, COOKIE_AT, COOKIE);
  let at = OPTIONS_AT;
  const put = (option: number, ...values: number[]): void => {
    reply[at++] = option;
    reply[at++] = values.length;
    for (const value of values) reply[at++] = value;
  };
  const putAddress = (option: number, value: number): void =>
    put(option, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  if (typeOption !== undefined) put(OPTION_MESSAGE_TYPE, refused ? NAK : type === DISCOVER ? OFFER : ACK);
  else if (refused) return undefined;
  putAddress(OPTION_SERVER, settings.server);
  if (!refused) {
    putAddress(OPTION_SUBNET_MASK, settings.mask);
    putAddress(OPTION_ROUTER, settings.router);
    putAddress(OPTION_DNS, settings.dns);
    putAddress(OPTION_LEASE_TIME, LEASE_SECONDS);
    if (settings.hostName !== undefined) put(OPTION_HOST_NAME, ...[...settings.hostName].map((letter) => letter.charCodeAt(0)));
  }
  reply[at] = OPTION_END;
  return reply;
}

/** Undefined when an option runs past the end. */
function parseOptions(message: Uint8Array): Map<number, Uint8Array> | undefined {
  const options = new Map<number, Uint8Array>();
  for (let at = OPTIONS_AT; at < message.length && message[at] !== OPTION_END; ) {
    if (message[at] === OPTION_PAD) {
      at++;
      continue;
    }
    const length = message[at + 1];
    if (length === undefined || at + 2 + length > message.length) return undefined;
    if (length > 0) options.set(message[at], message.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

function addressOption(options: Map<number, Uint8Array>, option: number): number | undefined {
  const value = options.get(option);
  return value?.length === 4 ? u32(value, 0) : undefined;
}

function leaseFor(settings: DhcpSettings, leases: DhcpLeases, hardware: Uint8Array): number | undefined {
  const client = Array.from(hardware, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  let index = leases.indexOf(client);
  if (index < 0) {
    if (leases.length >= settings.addressCount) return undefined;
    index = leases.push(client) - 1;
  }
  return settings.firstAddress + index;
}
