import { assemble } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { afterEach, expect, it, vi } from 'vitest';
import { rewritingForEver } from './rewriting-kernel.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('a host keeps what was made with a table and what is in it: one instance has it, and no region is in it that was dropped', () => {
  const REGIONS = 40;
  const tables: WebAssembly.Table[] = [];
  vi.stubGlobal('WebAssembly', {
    ...Object.fromEntries(Object.getOwnPropertyNames(WebAssembly).map((name) => [name, WebAssembly[name as 'Module']])),
    Instance: class extends WebAssembly.Instance {
      constructor(module: WebAssembly.Module, imports: WebAssembly.Imports) {
        super(module, imports);
        if (WebAssembly.Module.imports(module).some(({ kind }) => kind === 'table')) tables.push(imports['h']!['t'] as WebAssembly.Table);
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
  expect(tables.length).toBe(1);
  const table = tables[0]!;
  const functions = Array.from({ length: table.length }, (_, slot) => table.get(slot) as unknown).filter((each) => each !== null);
  expect(functions.length).toBe(translated.held);
});
