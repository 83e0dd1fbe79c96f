import { Vmsav7 } from '@tablewalk/mmu';
import { describe, expect, it } from 'vitest';
import type { Attributes } from './descriptors.js';
import {
  KERNEL_DATA,
  KERNEL_DEVICE,
  KERNEL_IDENTITY,
  KERNEL_TEXT,
  section,
  smallPage,
  tablePointer,
  userAttributes,
} from './descriptors.js';

/** What the MMU makes of two descriptors: rights of PL1 and PL0, type, and the rest. */
const decoded = (first: number, second?: number) => {
  const words = new Map([
    [0x4000, first],
    [0x8000, second ?? 0],
  ]);
  const mmu = new Vmsav7({ memory: { readU32: (pa) => words.get(pa) ?? 0 } });
  mmu.registers.ttbr0(0x4000);
  mmu.registers.dacr(1);
  mmu.registers.sctlr(mmu.sctlr | 1);
  const [kernel, user] = [true, false].map((privileged) => mmu.explainWalk(0, 0, privileged).mapping!);
  return `${kernel!.rights || '-'} ${user!.rights || '-'} ${kernel!.type} ${kernel!.inner} ${kernel!.shareability} ${kernel!.global ? 'global' : 'tagged'}`;
};

describe('descriptors', () => {
  it('are the words of the manual', () => {
    expect(section(0, KERNEL_IDENTITY)).toBe(0x1140e);
    expect(section(0, KERNEL_DATA)).toBe(0x1141e);
    expect(section(0x80100000, KERNEL_DATA)).toBe(0x8011141e);
    expect(tablePointer(0x40010400)).toBe(0x40010401);
  });

  it.each<[string, Attributes, string]>([
    ['data', KERNEL_DATA, 'rw - normal write-back write-allocate outer shareable global'],
    ['text', KERNEL_TEXT, 'rx - normal write-back write-allocate outer shareable global'],
    ['the identity page', KERNEL_IDENTITY, 'rwx - normal write-back write-allocate outer shareable global'],
    ['a device', KERNEL_DEVICE, 'rw - device non-cacheable outer shareable global'],
    ['user data', userAttributes('rw'), 'rw rw normal write-back write-allocate outer shareable tagged'],
    ['user constants', userAttributes('r'), 'rw r normal write-back write-allocate outer shareable tagged'],
    ['user code', userAttributes('rx'), 'rwx rx normal write-back write-allocate outer shareable tagged'],
  ])('mean %s to the MMU, as a section and as a small page', (_name, attributes, meaning) => {
    expect(decoded(section(0, attributes))).toBe(meaning);
    expect(decoded(tablePointer(0x8000), smallPage(0, attributes))).toBe(meaning);
  });
});
