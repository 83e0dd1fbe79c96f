import { expect, it } from 'vitest';
import { pcieEcam, pcieWindow } from './pcie-host.js';
import { FakeHost } from './test-support/fakes.js';

const host = new FakeHost();
const make = () => pcieEcam({ name: 'ecam', host, byteLength: 0x100_0000 });

it('shows QEMU’s host bridge and nothing else', () => {
  const ecam = make();
  expect([0x00, 0x04, 0x08, 0x0c, 0x2c, 0x3c].map((offset) => ecam.read(offset, 4))).toEqual([0x00081b36, 0, 0x06000000, 0, 0x11001af4, 0]);
  expect([ecam.read(2, 2), ecam.read(1, 1)]).toEqual([0x0008, 0x1b]);
  expect([ecam.read(0x8000, 4), ecam.read(0x1000, 4), ecam.read(0x10_0000, 2), ecam.read(0x8000, 1), ecam.read(0x100, 4)]).toEqual([
    0xffffffff, 0xffffffff, 0xffff, 0xff, 0xffffffff,
  ]);
  expect([host.guestErrors, host.unimplementedUses]).toEqual([[], []]);
});

it('has QEMU’s writable bits', () => {
  const ecam = make();
  for (let offset = 0; offset < 0x100; offset += 4) ecam.write(offset, 4, 0xffff_ffff);
  expect([0x00, 0x04, 0x08, 0x0c, 0x10, 0x2c, 0x3c, 0x40, 0xfc].map((offset) => ecam.read(offset, 4))).toEqual([
    0x00081b36, 0x507, 0x06000000, 0xff, 0, 0x11001af4, 0xff, 0xffffffff, 0xffffffff,
  ]);
  const snapshot = structuredClone(ecam.snapshot());
  ecam.reset();
  expect([ecam.read(4, 2), ecam.read(0x40, 1)]).toEqual([0, 0]);
  ecam.restore(snapshot);
  expect(ecam.snapshot()).toEqual(snapshot);
  ecam.write(0x8000, 4, 0); // an absent function
  ecam.write(0x04, 1, 0);
  expect(ecam.read(4, 2)).toBe(0x500);
});

it('reports accesses to empty windows and answers all ones', () => {
  const pcie = pcieWindow({ name: 'pcie-mmio', host });
  expect([pcie.read(0, 4), pcie.read(1, 1), pcie.read(2, 2)]).toEqual([0xffffffff, 0xff, 0xffff]);
  pcie.write(8, 4, 1);
  expect(host.unimplementedUses).toHaveLength(4);
  pcie.restore(structuredClone(pcie.snapshot()));
});

it('refuses an impossible window and a foreign snapshot', () => {
  expect(() => pcieEcam({ name: 'ecam', host, byteLength: 1000 })).toThrow('[devices] [ecam]');
  expect(() => make().restore({ schema: 'x', version: 1, data: {} })).toThrow("'devices/pcie-ecam' is expected");
});
