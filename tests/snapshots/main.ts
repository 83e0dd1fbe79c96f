import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { memoryImage, overlayStorage } from '@tablewalk/devices';

// main GUEST SEED POINTS: at random points of a boot, a restored machine and the original both run 5 M instructions further and must agree in
// registers, RAM, devices and console. One line for each point that differs; ends non-zero then.
const [guest = 'armmp', seedText = '1', pointsText = '10'] = process.argv.slice(2);
const FURTHER = 5_000_000;

const file = (name: string): Uint8Array => readFileSync(`.guests/${name}`);
const linux = (kernel: string): VirtMachineOptions => ({
  kernel: file(kernel),
  initrd: file('initramfs.cpio.gz'),
  append: 'console=ttyAMA0 guest_test=off',
});
const guests: Record<string, { readonly options: () => VirtMachineOptions; readonly instructions: number }> = {
  armmp: { options: () => linux('zImage-armmp'), instructions: 4.1e9 },
  'armmp-lpae': { options: () => linux('zImage-armmp-lpae'), instructions: 4.17e9 },
  'u-boot': { options: () => ({ bios: file('u-boot.bin') }), instructions: 4e8 },
  'u-boot-to-linux': { options: () => ({ ...linux('zImage-armmp'), bios: file('u-boot.bin') }), instructions: 6.1e9 },
  'debian-installer': {
    options: () => ({ kernel: file('netboot/vmlinuz'), initrd: file('netboot/initrd.gz'), append: 'console=ttyAMA0' }),
    instructions: 8.2e9,
  },
  'armmp-virtio': {
    options: () => ({
      ...linux('zImage-armmp'),
      initrd: readFileSync('.cache/guests/virtio.cpio.gz'),
      append: 'console=ttyAMA0 quiet',
      drives: [{ storage: overlayStorage({ image: memoryImage(readFileSync('.cache/guests/disk.img')) }) }],
      network: 'user',
      rng: true,
    }),
    instructions: 3.6e9,
  },
};

/** Linear congruential numbers in [0, 1): the points are part of the result, so the seed must say them all. */
let state = Number(seedText) >>> 0;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

const chosen = guests[guest];
if (chosen === undefined) throw new Error(`there is no guest ${guest}`);
const points = Number(pointsText);
const make = (snapshot?: VirtMachineOptions['snapshot']): VirtMachine =>
  new VirtMachine({ memory: 512 << 20, ...chosen.options(), ...(snapshot && { snapshot }) });

const digest = (machine: VirtMachine): object => {
  const { data } = machine.snapshot();
  const hash = createHash('sha256');
  for (const region of data.memory) hash.update(region.pages).update(region.bytes);
  return { ...data, memory: hash.digest('hex') };
};

const original = make();
let printed = '';
original.console.onData((bytes) => {
  printed += Buffer.from(bytes).toString('latin1');
});
const room = Math.max(0, chosen.instructions - points * FURTHER);
const gaps = Array.from({ length: points }, () => Math.floor((2 * random() * room) / points));
let failed = 0;
let compared = 0;
for (const gap of gaps) {
  if (original.runFor(gap).reason !== 'limit') break;
  const at = original.instructions;
  const restored = make(structuredClone(original.snapshot()));
  let again = '';
  restored.console.onData((bytes) => {
    again += Buffer.from(bytes).toString('latin1');
  });
  printed = '';
  const first = original.runFor(FURTHER);
  const second = restored.runFor(FURTHER);
  compared++;
  const same = isDeepStrictEqual(first, second) && printed === again && isDeepStrictEqual(digest(original), digest(restored));
  if (same) continue;
  failed++;
  console.log(`${guest}: differs ${FURTHER} instructions after ${at}`);
}
console.log(`${guest} seed ${seedText}: ${compared} points, ${failed} differ`);
process.exit(failed === 0 ? 0 : 1);
