import type { AccessSize } from '@tablewalk/machine/contracts';
import { expect, it } from 'vitest';
import { FakeHost, FakeLine } from '../test-support/fakes.js';
import { GIC_TRACE } from '../test-support/gicv2-qemu-trace.js';
import { gicv2 } from './gicv2.js';

/** Replays a recorded trace (tools/record-gic-trace.py); the first difference is returned as text. */
function replay(trace: string, snapshotEvery: number): string | undefined {
  const host = new FakeHost();
  const irq = new FakeLine();
  const fiq = new FakeLine();
  let gic = gicv2({ host, cores: [{ irq, fiq }] });
  const lines = trace.trim().split('\n');
  let shown = '0 0';
  for (const [number, line] of lines.entries()) {
    const [operation, a, b, c] = line.split(' ');
    if (operation === 'o') continue;
    if (operation === 'l') {
      const intid = Number(a);
      (intid < 32 ? gic.privateLine(0, intid) : gic.line(intid)).set(b === '1');
    } else {
      const offset = Number.parseInt(a, 16);
      const device = offset < 0x10000 ? gic.distributor : gic.cpuInterface;
      const size = Number(b) as AccessSize;
      const value = Number.parseInt(c, 16);
      if (operation === 'w') device.write(offset & 0xffff, size, value);
      else {
        const answer = device.read(offset & 0xffff, size);
        if (answer !== value) return `line ${number + 1}: ${line}: ${answer.toString(16)}`;
      }
    }
    const now = `${Number(irq.level)} ${Number(fiq.level)}`;
    const next = lines[number + 1] ?? '';
    const expected = next.startsWith('o') ? next.slice(2) : shown;
    if (now !== expected) return `line ${number + 1}: ${line}: lines ${now}, expected ${expected}`;
    shown = now;
    if (snapshotEvery > 0 && number % snapshotEvery === 0) {
      // Goes on with a controller that knows nothing but the snapshots.
      const saved = structuredClone([gic.distributor.snapshot(), gic.cpuInterface.snapshot()]);
      gic = gicv2({ host, cores: [{ irq, fiq }] });
      gic.distributor.restore(saved[0]);
      gic.cpuInterface.restore(saved[1]);
    }
  }
  return undefined;
}

it('answers as QEMU does over a random trace', () => {
  expect(replay(GIC_TRACE, 0)).toBeUndefined();
});

it('does so across snapshots taken at any moment', () => {
  expect(replay(GIC_TRACE, 7)).toBeUndefined();
});
