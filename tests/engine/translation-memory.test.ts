import { assemble } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { afterEach, expect, it, vi } from 'vitest';
import { rewritingForEver } from './rewriting-kernel.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('a host keeps modules as long as the table that they were made with: none has more of them than there may be regions', () => {
  const REGIONS = 40;
  const modules = new Map<WebAssembly.Table, number>();
  vi.stubGlobal('WebAssembly', {
    ...Object.fromEntries(Object.getOwnPropertyNames(WebAssembly).map((name) => [name, WebAssembly[name as 'Module']])),
    Instance: class extends WebAssembly.Instance {
      constructor(module: WebAssembly.Module, imports: WebAssembly.Imports) {
        super(module, imports);
        const table = imports['h']!['t'] as WebAssembly.Table;
        modules.set(table, (modules.get(table) ?? 0) + 1);
      }
    },
  });
  const machine = new VirtMachine({
    kernel: assemble(rewritingForEver(8), { origin: 0x40010000 }).bytes,
    memory: 8 << 20,
    engine: 'wasm',
    translation: { heat: 1, batch: 1, regions: REGIONS },
  });
  machine.runFor(5000);
  const { translated } = machine.cpu.core;
  expect(translated.regions).toBeGreaterThan(5 * REGIONS);
  expect(translated.held).toBeLessThanOrEqual(REGIONS);
  expect(modules.size).toBeGreaterThanOrEqual(Math.ceil(translated.regions / REGIONS));
  // One of them runs the others.
  expect(Math.max(...modules.values())).toBeLessThanOrEqual(REGIONS + 1);
});
