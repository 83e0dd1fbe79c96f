import { describe, expect, it } from 'vitest';
import { virtioConsole } from './console.js';
import { TestDriver, toHex } from './driver.test-helper.js';

const MULTIPORT = 1;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const ascii = (string: string) => new TextEncoder().encode(string);

describe.each([true, false])('console (legacy: %s)', (legacy) => {
  const make = () => {
    const out = ['', ''];
    const device = virtioConsole({
      ports: [{ output: (bytes) => (out[0] += text(bytes)) }, { name: 'agent', output: (bytes) => (out[1] += text(bytes)) }],
    });
    return { out, device, driver: new TestDriver(device, legacy) };
  };

  it('one port: output, input that waits for buffers, emergency write', () => {
    const { out, device, driver } = make();
    driver.slot.write(0x108, 4, 0x21);
    driver.start([], [16, 16]);
    driver.add(1, [driver.forDevice(ascii('hello ')), driver.forDevice(ascii('world'.repeat(2000)))]);
    driver.kick(1);
    expect(out).toEqual([`!hello ${'world'.repeat(2000)}`, '']);
    expect(driver.used(1)).toEqual([{ id: 0, length: 0 }]);

    expect(device.input(0, ascii('abcdef'))).toBe(6);
    const rooms = [driver.room(4), driver.room(4)];
    for (const room of rooms) driver.add(0, [room]);
    driver.acknowledge();
    driver.kick(0);
    expect(driver.used(0)).toEqual([
      { id: 0, length: 4 },
      { id: 1, length: 2 },
    ]);
    expect(rooms.map((room) => text(driver.get(room)))).toEqual(['abcd', 'ef\0\0']);
    expect(driver.acknowledge()).toBe(1);
    // With a buffer waiting, input arrives without a notification.
    const room = driver.room(8);
    driver.add(0, [room]);
    expect(device.input(0, ascii('x'))).toBe(1);
    expect([driver.used(0).length, text(driver.get(room))[0], driver.level]).toEqual([1, 'x', true]);
  });

  it('holds 64 KiB of input and no more', () => {
    const { device } = make();
    expect(device.input(0, new Uint8Array(60_000))).toBe(60_000);
    expect(device.input(0, new Uint8Array(60_000))).toBe(5536);
    expect(device.input(0, new Uint8Array(1))).toBe(0);
    expect(() => device.input(7, new Uint8Array(1))).toThrow('[devices] [virtio-console] no port 7');
  });

  it('several ports: the control conversation, then data on the port that the guest opened; a snapshot in the middle', () => {
    const { out, device, driver } = make();
    driver.start([MULTIPORT], [16, 16, 16, 16, 16, 16]);
    const say = (id: number, event: number, value: number) => {
      const message = new Uint8Array(8);
      const view = new DataView(message.buffer);
      view.setUint32(0, id, true);
      view.setUint16(4, event, true);
      view.setUint16(6, value, true);
      driver.add(3, [driver.forDevice(message)]);
      driver.kick(3);
    };
    const hear = () => {
      const rooms = Array.from({ length: 4 }, () => driver.room(32));
      const first = driver.rings[2].nextDescriptor;
      for (const room of rooms) driver.add(2, [room]);
      driver.kick(2);
      return driver.used(2).map(({ id, length }) => {
        const room = rooms[(id - first) & 15];
        return toHex(driver.get(room).subarray(0, length));
      });
    };
    say(0, 0, 1);
    driver.slot.restore(structuredClone(driver.slot.snapshot()));
    expect(hear()).toEqual(['0000000001000100', '0100000001000100']);
    // Two buffers are still there.
    say(1, 3, 1);
    expect(driver.used(2).map((element) => element.length)).toEqual([8 + 5, 8]);
    say(0, 3, 1);
    expect(hear()).toEqual(['0000000004000100', '0000000006000100']);

    expect(device.input(1, ascii('in'))).toBe(2);
    const room = driver.room(4);
    driver.add(4, [room]);
    driver.kick(4);
    expect(driver.used(4)).toEqual([]);
    say(1, 6, 1);
    expect([driver.used(4)[0].length, text(driver.get(room).subarray(0, 2))]).toEqual([2, 'in']);
    driver.add(5, [driver.forDevice(ascii('out'))]);
    driver.kick(5);
    expect(out).toEqual(['', 'out']);
    expect(driver.errors).toEqual([]);
    say(9, 3, 1);
    expect(driver.errors).toHaveLength(1);
  });
});
