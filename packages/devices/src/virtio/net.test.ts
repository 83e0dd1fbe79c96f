import type { Clock } from '@tablewalk/machine/contracts';
import { describe, expect, it } from 'vitest';
import { hex, type Segment, sameBytes, TestDriver, toHex } from './driver.test-helper.js';
import { type NetBackend, type VirtioNet, virtioNet } from './net.js';
import { transcript } from './user-network/slirp-transcript.test-helper.js';
import { userNetwork } from './user-network/user-network.js';

const MERGE = 15;
const CONTROL = [17, 18, 19, 20, 21, 23, 2];
const RECEIVE = 0;
const SEND = 1;

/** A cable with a test at the other end. */
function cable(): NetBackend & { readonly sent: Uint8Array[]; deliver(frame: Uint8Array): void } {
  let receive: ((frame: Uint8Array) => void) | undefined;
  const sent: Uint8Array[] = [];
  return {
    sent,
    connect: (to) => {
      receive = to;
    },
    send: (frame) => sent.push(frame),
    deliver: (frame) => receive?.(frame),
    reset() {},
    snapshot: () => ({ schema: 'test/cable', version: 1, data: null }),
    restore() {},
  };
}

function frameOf(byteLength: number, destination = '525400123456'): Uint8Array {
  const frame = Uint8Array.from({ length: byteLength }, (_, i) => i & 255);
  frame.set(hex(`${destination}0a0b0c0d0e0f0800`));
  return frame;
}

describe.each([
  ['legacy', true, []],
  ['legacy, merged buffers', true, [MERGE]],
  ['modern', false, []],
  ['modern, merged buffers, indirect, event index', false, [MERGE, 28, 29]],
] as const)('net, %s', (_name, legacy, features) => {
  const indirect = (features as readonly number[]).includes(28);
  const merge = (features as readonly number[]).includes(MERGE);
  const headerBytes = legacy && !merge ? 10 : 12;
  const header = `[10]${headerBytes === 12 ? '0100' : ''}`;

  const start = (make: (clock: Clock) => VirtioNet): TestDriver => {
    const driver = new TestDriver(make, legacy);
    driver.start([5, 16, ...features, ...CONTROL], [64, 64, 16]);
    return driver;
  };
  const offerBuffers = (driver: TestDriver, count: number, byteLength = 1526): Segment[] => {
    const rooms = Array.from({ length: count }, () => driver.room(byteLength));
    for (const room of rooms) driver.add(RECEIVE, [room], indirect);
    driver.kick(RECEIVE);
    return rooms;
  };
  const send = (driver: TestDriver, frame: Uint8Array): void => {
    driver.add(SEND, [driver.forDevice(new Uint8Array(headerBytes)), driver.forDevice(frame)], indirect);
    driver.kick(SEND);
  };
  const command = (driver: TestDriver, message: string): number => {
    const ack = driver.room(1);
    driver.add(2, [driver.forDevice(hex(message)), ack], indirect);
    driver.kick(2);
    expect(driver.used(2)).toHaveLength(1);
    return driver.get(ack)[0];
  };

  it('DHCP, ARP and ping with the user network, byte for byte what QEMU 7.2 sends', () => {
    const driver = start((clock) => virtioNet({ backend: userNetwork({ clock, latency: 20_000 }) }));
    const lines = transcript.filter((line) => !isTftp(line));
    const rooms = offerBuffers(driver, 12);
    const answers = lines.filter((line) => !line.startsWith('>') && line.length > 0);
    let got = 0;
    for (const line of lines.filter((each) => each.startsWith('>'))) {
      send(driver, hex(line.slice(1)));
      expect(driver.used(SEND)).toEqual([{ id: expect.any(Number), length: 0 }]);
      driver.clock.advance(20_000);
      for (const { length } of driver.used(RECEIVE)) {
        const expected = driver.bytes(header, answers[got]);
        // The identification in the IPv4 header counts the TFTP errors, which are left out here.
        const frame = driver.get(rooms[got]).subarray(0, length);
        if (answers[got].includes('6382536'))
          expect(toHex(frame.subarray(headerBytes + 26))).toBe(toHex(expected.subarray(headerBytes + 26)));
        else expect(toHex(frame)).toBe(toHex(expected));
        got++;
      }
      expect(driver.acknowledge()).toBe(1);
    }
    expect([got, driver.errors]).toEqual([answers.length, []]);
  });

  it('frames wait for buffers, over a snapshot too, up to 256 of them', () => {
    const end = cable();
    const card = virtioNet({ backend: end });
    const driver = start(() => card);
    end.deliver(frameOf(60));
    end.deliver(frameOf(1500));
    const snapshot = structuredClone(driver.slot.snapshot());
    for (let i = 0; i < 300; i++) end.deliver(frameOf(60));
    expect(card.counters().receiveDropped).toBe(46);
    driver.slot.restore(snapshot);
    const rooms = offerBuffers(driver, 3);
    expect(driver.used(RECEIVE)).toEqual([
      { id: 0, length: headerBytes + 60 },
      { id: 1, length: headerBytes + 1500 },
    ]);
    expect(sameBytes(driver.get(rooms[1]).subarray(0, headerBytes + 1500), driver.bytes(header, frameOf(1500)))).toBe(true);
    driver.acknowledge();
    // A buffer is still there: the next frame needs no notification.
    end.deliver(frameOf(70));
    expect([driver.used(RECEIVE), driver.level]).toEqual([[{ id: 2, length: headerBytes + 70 }], true]);
    expect(card.counters()).toEqual({ sent: 0, received: 3, sendDropped: 0, receiveDropped: 0, filtered: 0 });
  });

  it('a frame larger than one buffer is spread over several with merging, and lost without', () => {
    const end = cable();
    const card = virtioNet({ backend: end });
    const driver = start(() => card);
    const rooms = offerBuffers(driver, 4, 500);
    const frame = frameOf(1400);
    end.deliver(frame);
    if (!merge) {
      expect([driver.used(RECEIVE), card.counters().receiveDropped, driver.errors.length]).toEqual([[], 1, 1]);
      end.deliver(frameOf(60));
      expect(driver.used(RECEIVE)).toEqual([{ id: 0, length: headerBytes + 60 }]);
      return;
    }
    expect(driver.used(RECEIVE).map((element) => element.length)).toEqual([500, 500, 412]);
    expect(
      sameBytes(driver.bytes(...rooms.slice(0, 3).map((room) => driver.get(room))).subarray(0, 1412), driver.bytes('[10]0300', frame)),
    ).toBe(true);
    // One buffer is not enough for the next one: nothing is used until the rest is there.
    end.deliver(frame);
    expect(driver.used(RECEIVE)).toEqual([]);
    offerBuffers(driver, 1, 2000);
    expect(driver.used(RECEIVE)).toHaveLength(2);
  });

  it('the control queue sets what is received, and the address', () => {
    const end = cable();
    const card = virtioNet({ backend: end });
    const driver = start(() => card);
    offerBuffers(driver, 32);
    const arrives = (frame: Uint8Array): boolean => {
      end.deliver(frame);
      return driver.used(RECEIVE).length === 1;
    };
    const other = frameOf(60, '525400000001');
    const group = frameOf(60, '01005e000001');
    const everyone = frameOf(60, 'ffffffffffff');
    expect([other, group, everyone].map(arrives)).toEqual([true, true, true]);
    expect(command(driver, '0000 00')).toBe(0);
    expect([other, group, everyone, frameOf(60)].map(arrives)).toEqual([false, false, true, true]);
    expect(command(driver, '0100 01000000 525400000001 01000000 01005e000001')).toBe(0);
    driver.slot.restore(structuredClone(driver.slot.snapshot()));
    expect([other, group].map(arrives)).toEqual([true, true]);
    expect(command(driver, '0005 01')).toBe(0);
    expect(arrives(everyone)).toBe(false);
    expect(command(driver, '0101 5254000000ff')).toBe(0);
    expect([driver.slot.read(0x105, 1), arrives(frameOf(60)), arrives(frameOf(60, '5254000000ff'))]).toEqual([0xff, false, true]);
    const tagged = frameOf(60, '5254000000ff');
    tagged.set(hex('81000005'), 12);
    expect(arrives(tagged)).toBe(false);
    expect(command(driver, '0200 0500')).toBe(0);
    expect(arrives(tagged)).toBe(true);
    for (const bad of ['0009 01', '0100 ffffffff', '0103', '0200 ffff', '0500 0100000000000000', '0900'])
      expect(command(driver, bad)).toBe(1);
    for (const fine of ['0300', '0500 [8]']) expect(command(driver, fine)).toBe(0);
    expect(driver.errors).toHaveLength(6);
  });

  it('frames of impossible size are dropped and counted; a driver that is not there receives nothing', () => {
    const end = cable();
    const card = virtioNet({ backend: end });
    const driver = start(() => card);
    send(driver, new Uint8Array(13));
    send(driver, new Uint8Array(65551));
    send(driver, frameOf(65550));
    expect([driver.used(SEND).length, end.sent.map((frame) => frame.length)]).toEqual([3, [65550]]);
    expect(card.counters()).toMatchObject({ sent: 1, sendDropped: 2 });
    driver.w(0x70, 0);
    end.deliver(frameOf(60));
    expect(card.counters().receiveDropped).toBe(1);
  });
});

/** Lines of the recording with UDP port 69 on either side. */
function isTftp(line: string): boolean {
  const frame = hex(line.replace('>', ''));
  const udp = frame[12] === 8 && frame[13] === 0 && frame[23] === 17;
  return udp && (frame[35] === 69 || frame[37] === 69);
}
