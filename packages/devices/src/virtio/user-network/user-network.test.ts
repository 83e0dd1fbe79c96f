import { describe, expect, it } from 'vitest';
import { FakeClock, hex, numbers, toHex } from '../driver.test-helper.js';
import { checksum, ipv4Frame, PROTOCOL_TCP, PROTOCOL_UDP, pseudoHeaderSum, putU16, u16, udpDatagram, wordSum } from './packet.js';
import { transcript } from './slirp-transcript.test-helper.js';
import { type UserNetworkOptions, userNetwork } from './user-network.js';

const GUEST_MAC = hex('525400123456');
const HOST_MAC = hex('52550a000202');
const GUEST = 0x0a00020f;
const HOST = 0x0a000202;
const DNS = 0x0a000203;
const OUTSIDE = 0x08080808;

function network(options: Partial<UserNetworkOptions> = {}) {
  const clock = new FakeClock();
  const net = userNetwork({ clock, ...options });
  const frames: Uint8Array[] = [];
  net.connect((frame) => frames.push(frame));
  const ask = (frame: Uint8Array): string[] => {
    net.send(frame);
    return frames.splice(0).map(toHex);
  };
  return { clock, net, frames, ask };
}

function packet(destination: number, protocol: number, payload: Uint8Array): Uint8Array {
  const header = { source: GUEST, destination, protocol, tos: 0, identification: 77, fragment: 0x4000, ttl: 64 };
  return ipv4Frame(HOST_MAC, GUEST_MAC, header, payload);
}

function query(name: string, type: number, flags = 0x0100): Uint8Array {
  const labels = name.split('.').map((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.from([0x12, 0x34, flags >>> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, 0, ...labels.flat(), 0, 0, type, 0, 1]);
}

const dns = (message: Uint8Array) => packet(DNS, PROTOCOL_UDP, udpDatagram(GUEST, 4000, DNS, 53, message));

describe('user network', () => {
  it('answers a recorded conversation byte for byte as QEMU (TFTP apart)', () => {
    const { net, ask } = network();
    let answers: string[] = [];
    for (const line of transcript) {
      if (line.startsWith('>')) {
        expect(answers).toEqual([]);
        answers = ask(hex(line.slice(1)));
        continue;
      }
      const expected = toHex(hex(line));
      // A UDP source port of 69: the file server, which is not here; port unreachable instead.
      if (u16(hex(line), 34) === 69) expect(answers.shift()?.slice(46, 48)).toBe('01');
      else expect(answers.shift()).toBe(expected);
    }
    expect(answers).toEqual([]);
    expect(net.counters()).toEqual({
      arp: 4,
      dhcp: 6,
      dns: 0,
      echo: 2,
      unreachable: 2,
      tcpReset: 0,
      malformed: 0,
      ignored: 4,
      dropped: 0,
    });
  });

  it('DHCP: refuses an address that is not the client’s, ignores requests to other servers, hands out a host name', () => {
    const { ask } = network({ hostName: 'table' });
    const discover = hex(transcript[0].slice(1));
    const request = (address: number[], server: number[], mac = 0x56): Uint8Array => {
      const message = new Uint8Array(discover.subarray(42));
      message[33] = mac;
      message.set([53, 1, 3, 50, 4, ...address, 54, 4, ...server, 255], 240);
      return ipv4Frame(
        hex('ffffffffffff'),
        GUEST_MAC,
        { source: 0, destination: 0xffffffff, protocol: PROTOCOL_UDP, tos: 0, identification: 0, fragment: 0, ttl: 64 },
        udpDatagram(0, 68, 0xffffffff, 67, message),
      );
    };
    const [offer] = ask(discover);
    expect(offer).toContain('63825363' + '350102' + '36040a000202');
    expect(offer).toContain('3304' + '00015180' + '0c05' + toHex(new TextEncoder().encode('table')) + 'ff');
    const [ack] = ask(request([10, 0, 2, 15], [10, 0, 2, 2]));
    expect([ack.slice(116, 124), ack.includes('350105')]).toEqual(['0a00020f', true]);
    const [nak] = ask(request([192, 168, 0, 9], [10, 0, 2, 2]));
    expect([nak.slice(116, 124), nak.includes('63825363' + '350106' + '36040a000202' + 'ff')]).toEqual(['00000000', true]);
    expect(ask(request([10, 0, 2, 15], [10, 0, 2, 99]))).toEqual([]);
    // Another card gets another address, and no more than 16 do.
    expect(ask(request([10, 0, 2, 16], [10, 0, 2, 2], 0x57))[0].slice(116, 124)).toBe('0a000210');
    for (let mac = 0; mac < 14; mac++) ask(request([0, 0, 0, 0], [10, 0, 2, 2], mac));
    expect(ask(request([0, 0, 0, 0], [10, 0, 2, 2], 0x99))[0]).toContain('350106');
  });

  it('DNS: answers from the table, tells absent names, types and malformed questions apart', () => {
    const { ask, net } = network({ names: { 'Mirror.example.': ['10.0.2.2', '192.0.2.7'] } });
    const body = (frame: string) => frame.slice(2 * 42);
    const question = (message: Uint8Array) => toHex(message.subarray(12));
    const a = query('mirror.EXAMPLE', 1);
    expect(body(ask(dns(a))[0])).toBe(
      '1234818000010002' + '00000000' + question(a) + 'c00c000100010000003c00040a000202' + 'c00c000100010000003c0004c0000207',
    );
    const aaaa = query('mirror.example', 28);
    expect(body(ask(dns(aaaa))[0])).toBe('1234818000010000' + '00000000' + question(aaaa));
    const absent = query('nowhere.example', 1);
    expect(body(ask(dns(absent))[0])).toBe('1234818300010000' + '00000000' + question(absent));
    expect(body(ask(dns(a.subarray(0, 20)))[0])).toBe('123481810000000000000000');
    expect(body(ask(dns(query('a', 1, 0x1000)))[0])).toBe('123490840000000000000000');
    expect(ask(dns(query('a', 1, 0x8000)))).toEqual([]);
    expect(net.counters()).toMatchObject({ dns: 5, malformed: 1 });
    expect(() => network({ names: { a: ['1.2.3'] } })).toThrow('[devices] [user-network] "1.2.3" (for a) is no IPv4 address');
  });

  it('UDP to a closed port and packets for the outside are unreachable; echo for others by choice', () => {
    const { ask } = network();
    const closed = packet(HOST, PROTOCOL_UDP, udpDatagram(GUEST, 5, HOST, 9, Uint8Array.of(1, 2, 3)));
    const icmp = (frame: string) => hex(frame).subarray(34);
    const [port] = ask(closed);
    expect(toHex(icmp(port).subarray(0, 2))).toBe('0303');
    expect(toHex(icmp(port).subarray(8))).toBe(toHex(closed.subarray(14, 42)));
    expect(checksum(wordSum(icmp(port)))).toBe(0);
    const [net] = ask(packet(OUTSIDE, PROTOCOL_UDP, udpDatagram(GUEST, 5, OUTSIDE, 9, Uint8Array.of(1))));
    expect([toHex(icmp(net).subarray(0, 2)), net.slice(52, 60)]).toEqual(['0300', '0a000202']);
    const echo = hex('0800000000010002ab');
    putU16(echo, 2, checksum(wordSum(echo)));
    expect(toHex(icmp(ask(packet(OUTSIDE, 1, echo))[0]).subarray(0, 2))).toBe('0300');
    const [reply] = network({ echo: 'reply' }).ask(packet(OUTSIDE, 1, echo));
    expect([reply.slice(52, 60), toHex(icmp(reply).subarray(4))]).toEqual(['08080808', '00010002ab']);
    expect(checksum(wordSum(icmp(reply)))).toBe(0);
  });

  it('TCP is reset', () => {
    const { ask } = network();
    const segment = (flags: number, data = 0): Uint8Array => {
      const bytes = new Uint8Array(20 + data);
      bytes.set(hex('1234 0050 00000064 00000007 5000 2000 0000 0000'));
      bytes[13] = flags;
      putU16(bytes, 16, checksum(wordSum(bytes) + pseudoHeaderSum(GUEST, HOST, PROTOCOL_TCP, bytes.length)));
      return packet(HOST, PROTOCOL_TCP, bytes);
    };
    const tcp = (frame: string) => {
      const bytes = hex(frame).subarray(34);
      expect(checksum(wordSum(bytes) + pseudoHeaderSum(HOST, GUEST, PROTOCOL_TCP, bytes.length))).toBe(0);
      return toHex(bytes.subarray(0, 16));
    };
    expect(tcp(ask(segment(2))[0])).toBe('00501234' + '00000000' + '00000065' + '50140000');
    expect(tcp(ask(segment(16, 10))[0])).toBe('00501234' + '00000007' + '00000000' + '50040000');
    expect(ask(segment(4))).toEqual([]);
  });

  it('drops and counts what is broken, ignores what is not for it', () => {
    const { net, ask } = network();
    const good = packet(HOST, PROTOCOL_UDP, udpDatagram(GUEST, 5, HOST, 9, Uint8Array.of(1, 2, 3)));
    const spoilt = (at: number, value: number): Uint8Array => {
      const frame = good.slice();
      frame[at] = value;
      return frame;
    };
    for (const frame of [new Uint8Array(13), spoilt(14, 0x46), spoilt(17, 200), spoilt(24, 9), spoilt(44, 9), good.subarray(0, 40)]) {
      expect(ask(frame)).toEqual([]);
    }
    expect(net.counters().malformed).toBe(6);
    for (const frame of [spoilt(12, 0x86), hex(transcript[28].slice(1))]) expect(ask(frame)).toEqual([]);
    expect(net.counters()).toMatchObject({ malformed: 6, ignored: 2 });
    expect(ask(good)).toHaveLength(1);
  });

  it('with latency: answers come in guest time, in order; a snapshot carries those on their way; they are bounded', () => {
    const { net, clock, frames } = network({ latency: 1000 });
    const arp = hex(transcript[4].slice(1));
    const ping = hex(transcript[22].slice(1));
    net.send(arp);
    clock.advance(400);
    net.send(ping);
    clock.advance(599);
    expect(frames).toEqual([]);
    const other = network({ latency: 1000 });
    other.clock.time = clock.time;
    other.net.restore(structuredClone(net.snapshot()));
    for (const world of [{ clock, frames }, other]) {
      world.clock.advance(1);
      expect(world.frames.map(toHex)).toEqual([toHex(hex(transcript[5]))]);
      world.clock.advance(400);
      expect(world.frames.slice(1).map(toHex)).toEqual([toHex(hex(transcript[23]))]);
    }
    for (let i = 0; i < 300; i++) net.send(arp);
    expect(net.counters().dropped).toBe(44);
    net.reset();
    clock.advance(5000);
    expect(frames).toHaveLength(2);
  });

  it('random frames and random damage never throw', () => {
    const next = numbers(99);
    const { net, frames } = network({ names: { a: ['1.2.3.4'] } });
    const seeds = [...transcript.filter((line) => line.startsWith('>')).map((line) => hex(line.slice(1))), dns(query('a', 1))];
    for (let i = 0; i < 20_000; i++) {
      const frame = seeds[next(seeds.length)].slice(0, next(4) === 0 ? next(400) : 1000);
      for (let flips = next(4); flips > 0 && frame.length > 0; flips--) frame[next(frame.length)] = next(256);
      // Repair the checksums half of the time, or nothing would get past them.
      if (frame.length > 42 && next(2) === 0) {
        putU16(frame, 24, 0);
        putU16(frame, 24, checksum(wordSum(frame.subarray(14, 34))));
        putU16(frame, 40, 0);
      }
      net.send(frame);
    }
    const counters = net.counters();
    expect(counters.malformed).toBeGreaterThan(1000);
    expect(counters.dhcp + counters.dns + counters.arp + counters.echo).toBe(frames.length - counters.unreachable - counters.tcpReset);
  });
});
