import { assemble } from '@tablewalk/arm-core';
import { describe, expect, it } from 'vitest';
import type { StoredBytes } from './ram-snapshot.js';
import { VirtMachine } from './virt-machine.js';

/** Writes and reads a word in each of 64 pages of RAM in turn, for ever. */
const kernel = assemble(
  `
  start:
    mov   r2, #0
    mov   r0, #0x43000000
    mov   r3, #64
  page:
    ldr   r1, [r0]
    add   r1, r1, #1
    str   r1, [r0]
    add   r0, r0, #0x1000
    subs  r3, r3, #1
    bne   page
    add   r2, r2, #1
    b     start + 4
  `,
  { origin: 0x40010000 },
).bytes;

const saved = (): { readonly original: VirtMachine; readonly machine: ReturnType<VirtMachine['snapshot']> } => {
  const original = new VirtMachine({ kernel, memory: 64 << 20 });
  original.runFor(5_000);
  return { original, machine: original.snapshot() };
};

/** The snapshot with the contents of RAM elsewhere, and what was brought of them. */
const stored = (snapshot: ReturnType<VirtMachine['snapshot']>) => {
  const brought: number[] = [];
  const memory = snapshot.data.memory.map((region) => {
    const { bytes } = region;
    const elsewhere: StoredBytes = {
      length: bytes.length,
      copyTo: (target, from) => {
        brought.push(region.pages[from / 4096]!);
        target.set(bytes.subarray(from, from + target.length));
      },
    };
    return { ...region, bytes: elsewhere };
  });
  return { brought, snapshot: { ...snapshot, data: { ...snapshot.data, memory } } };
};

describe('RAM that is stored elsewhere', () => {
  it.each([{ engine: 'interpreter' }, { engine: 'wasm', translation: { heat: 1, batch: 1, cold: true } }] as const)(
    'comes when the guest uses it, each page once ($engine)',
    (engine) => {
      const { original, machine } = saved();
      const { brought, snapshot } = stored(machine);
      const restored = new VirtMachine({ kernel, memory: 64 << 20, snapshot, ...engine });
      const pages = machine.data.memory[0]!.pages.length;
      expect(pages).toBeGreaterThan(64);
      expect(brought).toEqual([]);
      restored.runFor(20);
      expect(brought.length).toBeLessThan(8);
      restored.runFor(9_980);
      original.runFor(10_000);
      expect(new Set(brought).size).toBe(brought.length);
      expect(restored.snapshot()).toEqual(original.snapshot());
      expect(brought.length).toBe(pages);
    },
  );

  it('is there for who looks from outside and for who writes a part of a page', () => {
    const { original, machine } = saved();
    const { snapshot } = stored(machine);
    const restored = new VirtMachine({ kernel, memory: 64 << 20, snapshot });
    expect(restored.readMemory(0x43000ffe, 8)).toEqual(original.readMemory(0x43000ffe, 8));
    for (const it of [original, restored]) it.writeMemory(0x43003004, Uint8Array.of(1));
    expect(restored.readMemory(0x43003000, 8)).toEqual(original.readMemory(0x43003000, 8));
    expect(restored.readMemory(0x43003000, 1)![0]).toBeGreaterThan(0);
  });

  it('comes at once where models look at memory', () => {
    const modelled = new VirtMachine({ kernel, memory: 64 << 20, fidelity: 'architectural' });
    modelled.runFor(5_000);
    const { brought, snapshot } = stored(modelled.snapshot());
    new VirtMachine({ kernel, memory: 64 << 20, fidelity: 'architectural', snapshot });
    expect(brought.length).toBeGreaterThan(0);
  });

  it('is brought before another state takes its place', () => {
    const { original, machine } = saved();
    const { snapshot } = stored(machine);
    const restored = new VirtMachine({ kernel, memory: 64 << 20, snapshot });
    original.runFor(7_000);
    const later = original.snapshot();
    restored.restore(later);
    expect(restored.snapshot()).toEqual(later);
  });
});
