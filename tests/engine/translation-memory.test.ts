import { assemble } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { afterEach, expect, it, vi } from 'vitest';

/** Eight functions that the loop rewrites before it calls them twice, for ever. */
const source = `
  ldr sp, =0x40200000
  mov r9, #0
again:
  ldr r4, =functions
  mov r5, #8
next:
  ldrb r0, [r4]
  add r0, r0, #1
  strb r0, [r4]
  blx r4
  blx r4
  add r4, r4, #128
  subs r5, r5, #1
  bne next
  b again
  .ltorg
  .balign 4096
functions:
  ${'add r9, r9, #0\n eors r9, r9, r9, ror #3\n bx lr\n .balign 128\n'.repeat(8)}
`;

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
    kernel: assemble(source, { origin: 0x40010000 }).bytes,
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
