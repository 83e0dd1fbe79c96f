import { beforeEach, describe, expect, it } from 'vitest';
import { FakeHost, FakeLine } from '../test-support/fakes.js';
import { type Gicv2, gicv2 } from './gicv2.js';
import { gicv2mFrame } from './gicv2m.js';

let host: FakeHost;
let cores: { irq: FakeLine; fiq: FakeLine }[];
let gic: Gicv2;

const dist = (offset: number, value?: number): number => {
  if (value === undefined) return gic.distributor.read(offset, 4);
  gic.distributor.write(offset, 4, value);
  return 0;
};
const cpu = (offset: number, value?: number): number => {
  if (value === undefined) return gic.cpuInterface.read(offset, 4);
  gic.cpuInterface.write(offset, 4, value);
  return 0;
};
const enable = (intid: number): number => dist(0x100 + ((intid >> 5) << 2), (1 << (intid & 31)) >>> 0);

/** A controller with everything enabled, as an operating system leaves it. */
function start(coreCount: number): void {
  host = new FakeHost();
  cores = Array.from({ length: coreCount }, () => ({ irq: new FakeLine(), fiq: new FakeLine() }));
  gic = gicv2({ host, cores });
  dist(0, 3);
  for (let core = 0; core < coreCount; core++) {
    gic.selectCore(core);
    cpu(0, 3);
    cpu(4, 0xff);
  }
  gic.selectCore(0);
}

beforeEach(() => start(1));

describe('GICv2', () => {
  it('identifies itself as on virt', () => {
    expect([dist(0x004), dist(0x008), cpu(0xfc), dist(0xfe8), dist(0xc00), dist(0x100)]).toEqual([
      8, 0x43b, 0x2043b, 0x2b, 0xaaaaaaaa, 0xffff,
    ]);
    expect(cpu(0x0c)).toBe(1023);
    expect(cpu(0x14)).toBe(0xff);
    expect(host.guestErrors).toEqual([]);
  });

  it('takes a level interrupt through pending, active and pending again', () => {
    const line = gic.line(33);
    enable(33);
    line.set(true);
    expect(cores[0].irq.level).toBe(true);
    expect(cpu(0x18)).toBe(33);
    expect(cpu(0x0c)).toBe(33);
    expect(cores[0].irq.level).toBe(false);
    expect(cpu(0x0c)).toBe(1023);
    cpu(0x10, 33);
    expect(cores[0].irq.level).toBe(true);
    line.set(false);
    expect(cores[0].irq.level).toBe(false);
  });

  it('remembers an edge after the wire fell', () => {
    dist(0xc08, 0x8); // INTID 33 edge-triggered
    enable(33);
    const line = gic.line(33);
    line.set(true);
    line.set(false);
    expect(cpu(0x0c)).toBe(33);
    cpu(0x10, 33);
    expect(cores[0].irq.level).toBe(false);
  });

  it('preempts by group priority only, and drops to what was running', () => {
    for (const intid of [40, 41, 42]) enable(intid);
    gic.distributor.write(0x428, 1, 0xa0);
    gic.distributor.write(0x429, 1, 0xa2);
    gic.distributor.write(0x42a, 1, 0x40);
    cpu(0x08, 3); // group priority is bits 7:4
    gic.line(41).set(true);
    expect(cpu(0x0c)).toBe(41);
    expect(cpu(0x14)).toBe(0xa0);
    gic.line(40).set(true);
    expect(cores[0].irq.level).toBe(false); // 0xa0 and 0xa2 are one group
    gic.line(42).set(true);
    expect(cores[0].irq.level).toBe(true);
    expect(cpu(0x0c)).toBe(42);
    expect(cpu(0x14)).toBe(0x40);
    gic.line(42).set(false);
    cpu(0x10, 42);
    expect(cpu(0x14)).toBe(0xa0);
    gic.line(41).set(false);
    cpu(0x10, 41);
    expect(cpu(0x14)).toBe(0xff);
    expect(cpu(0x0c)).toBe(40);
  });

  it('masks by priority and prefers the lower INTID among equals', () => {
    for (const intid of [200, 100, 27]) enable(intid);
    for (const intid of [200, 100]) gic.distributor.write(0x400 + intid, 1, 0x80);
    gic.distributor.write(0x41b, 1, 0x90);
    gic.line(200).set(true);
    gic.line(100).set(true);
    gic.privateLine(0, 27).set(true);
    cpu(4, 0x80);
    expect(cores[0].irq.level).toBe(false);
    cpu(4, 0x81);
    expect(cpu(0x18)).toBe(100);
  });

  it('separates end of interrupt and deactivation with EOImode', () => {
    enable(50);
    cpu(0, 3 | (1 << 9));
    gic.line(50).set(true);
    cpu(0x0c);
    cpu(0x10, 50);
    expect(cpu(0x14)).toBe(0xff);
    expect(cores[0].irq.level).toBe(false); // still active
    cpu(0x1000, 50);
    expect(cores[0].irq.level).toBe(true);
  });

  it('sends group 0 as FIQ and group 1 as IRQ', () => {
    enable(60);
    enable(61);
    dist(0x84, 1 << 29); // 61 in group 1
    cpu(0, 0xb);
    gic.line(60).set(true);
    expect([cores[0].irq.level, cores[0].fiq.level]).toEqual([false, true]);
    gic.line(60).set(false);
    gic.line(61).set(true);
    expect([cores[0].irq.level, cores[0].fiq.level]).toEqual([true, false]);
    expect(cpu(0x0c)).toBe(1022); // AckCtl is 0
    expect(cpu(0x28)).toBe(61);
    expect(cpu(0x20)).toBe(61);
    cpu(0x24, 61);
    expect(cpu(0x28)).toBe(61); // level still high
  });

  it('does not acknowledge an interrupt whose group is disabled', () => {
    enable(60);
    dist(0, 2);
    gic.line(60).set(true);
    expect([cores[0].irq.level, cpu(0x0c)]).toEqual([false, 1023]);
  });

  it('banks SGIs with their sources', () => {
    start(4);
    gic.selectCore(2);
    dist(0xf00, (0b0011 << 16) | 5); // to cores 0 and 1
    gic.selectCore(1);
    dist(0xf00, (1 << 24) | 5); // to all others
    expect(cores.map((core) => core.irq.level)).toEqual([true, true, true, true]);
    gic.selectCore(0);
    expect(dist(0xf24)).toBe(0b0110 << 8);
    expect(cpu(0x0c)).toBe((1 << 10) | 5);
    cpu(0x10, (1 << 10) | 5);
    expect(cpu(0x0c)).toBe((2 << 10) | 5);
    cpu(0x10, (2 << 10) | 5);
    expect(cpu(0x0c)).toBe(1023);
    gic.selectCore(1);
    expect(cpu(0x0c)).toBe((2 << 10) | 5);
  });

  it('routes SPIs by target and shows each core its own number', () => {
    start(3);
    enable(70);
    gic.line(70).set(true);
    expect(cores.map((core) => core.irq.level)).toEqual([false, false, false]);
    gic.distributor.write(0x846, 1, 0b110);
    expect(cores.map((core) => core.irq.level)).toEqual([false, true, true]);
    gic.selectCore(2);
    expect(dist(0x800)).toBe(0x04040404);
    expect(cpu(0x0c)).toBe(70); // 1-of-N: the other core loses it
    expect(cores.map((core) => core.irq.level)).toEqual([false, false, false]);
    expect(dist(0x004)).toBe(0x48);
  });

  it('survives nonsense and says so', () => {
    dist(0xd00);
    dist(0xe00, 1);
    gic.distributor.write(0xf00, 1, 5);
    dist(0xf00, 3 << 24);
    cpu(0x10, 500);
    cpu(0x10, 33);
    cpu(0x1000, 33);
    cpu(0x40);
    cpu(0x10, 1023); // allowed: the end of a spurious interrupt
    expect(host.guestErrors).toHaveLength(8);
  });

  it('refuses the embedder’s mistakes', () => {
    expect(() => gic.line(31)).toThrow('[devices] [gic]');
    expect(() => gic.line(288)).toThrow('not an SPI');
    expect(() => gic.privateLine(1, 27)).toThrow('no core 1');
    expect(() => gicv2({ host, cores: [] })).toThrow('1 to 8 cores');
    expect(() => gic.distributor.restore(gic.cpuInterface.snapshot())).toThrow('devices/gicv2-distributor');
    const small = gicv2({ host, cores: [cores[0]], intidCount: 64 });
    expect(() => gic.distributor.restore(small.distributor.snapshot())).toThrow('entries');
  });

  it('keeps the wires over a reset', () => {
    enable(33);
    gic.line(33).set(true);
    gic.distributor.reset();
    expect(cores[0].irq.level).toBe(false);
    dist(0, 1);
    cpu(0, 1);
    cpu(4, 0xff);
    enable(33);
    expect(cores[0].irq.level).toBe(true);
  });
});

describe('GICv2m', () => {
  it('turns a message into an edge', () => {
    const frame = gicv2mFrame({ host, lines: Array.from({ length: 64 }, (_, n) => gic.line(80 + n)) });
    expect([frame.read(0x008, 4), frame.read(0xfcc, 4)]).toEqual([0x0050_0040, 0x0510_0000]);
    dist(0xc18, 0x8000_0000); // INTID 111 edge-triggered
    enable(111);
    frame.write(0x040, 4, 111);
    expect(cpu(0x0c)).toBe(111);
    frame.write(0x040, 4, 144);
    frame.write(0x044, 4, 1);
    expect(host.guestErrors).toHaveLength(2);
  });
});
