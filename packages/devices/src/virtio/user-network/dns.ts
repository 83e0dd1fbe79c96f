import { putU16, putU32, u16 } from './packet.js';

const TYPE_A = 1;
const TYPE_ANY = 255;
const CLASS_IN = 1;
const RESULT_FORMAT_ERROR = 1;
const RESULT_NO_SUCH_NAME = 3;
const RESULT_NOT_IMPLEMENTED = 4;
const HEADER_BYTES = 12;
const TIME_TO_LIVE_SECONDS = 60;
/** A datagram without EDNS holds 512 bytes (RFC 1035, 4.2.1): so many addresses always fit. */
export const DNS_ADDRESSES_MAX = 8;

/** Names in lower case without a final dot, with their IPv4 addresses as numbers. */
export type DnsTable = ReadonlyMap<string, readonly number[]>;

/** The answer to a DNS message (RFC 1035, 4.1), or undefined when it is not a query at all. */
export function dnsReply(table: DnsTable, message: Uint8Array): Uint8Array | undefined {
  if (message.length < HEADER_BYTES || (message[2] & 0x80) !== 0) return undefined;
  if (((message[2] >>> 3) & 15) !== 0) return headerOnly(message, RESULT_NOT_IMPLEMENTED);
  const question = u16(message, 4) === 1 ? parseQuestion(message) : undefined;
  if (question === undefined) return headerOnly(message, RESULT_FORMAT_ERROR);
  const addresses = table.get(question.name);
  const wanted = question.class === CLASS_IN && (question.type === TYPE_A || question.type === TYPE_ANY);
  const answers = wanted ? (addresses ?? []) : [];

  const reply = new Uint8Array(question.end + 16 * answers.length);
  reply.set(message.subarray(0, question.end));
  fillHeader(reply, message, addresses === undefined ? RESULT_NO_SUCH_NAME : 0);
  putU16(reply, 4, 1);
  putU16(reply, 6, answers.length);
  let at = question.end;
  for (const address of answers) {
    putU16(reply, at, 0xc000 | HEADER_BYTES); // the name is that of the question
    putU16(reply, at + 2, TYPE_A);
    putU16(reply, at + 4, CLASS_IN);
    putU32(reply, at + 6, TIME_TO_LIVE_SECONDS);
    putU16(reply, at + 10, 4);
    putU32(reply, at + 12, address);
    at += 16;
  }
  return reply;
}

function parseQuestion(message: Uint8Array): { name: string; type: number; class: number; end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    // A question has nothing before it that a compressed name could point to.
    if (length === undefined || length > 63 || at - HEADER_BYTES > 255) return undefined;
    at++;
    if (length === 0) break;
    if (at + length > message.length) return undefined;
    labels.push(String.fromCharCode(...message.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > message.length) return undefined;
  return { name: labels.join('.').toLowerCase(), type: u16(message, at), class: u16(message, at + 2), end: at + 4 };
}

function headerOnly(message: Uint8Array, result: number): Uint8Array {
  const reply = new Uint8Array(HEADER_BYTES);
  fillHeader(reply, message, result);
  return reply;
}

/** Response, recursion desired as asked, recursion available; all counts zero. */
function fillHeader(reply: Uint8Array, message: Uint8Array, result: number): void {
  reply[0] = message[0];
  reply[1] = message[1];
  reply[2] = 0x80 | (message[2] & 0x79);
  reply[3] = 0x80 | result;
  reply.fill(0, 4, HEADER_BYTES);
}
