import { gunzipSync, gzipSync } from 'node:zlib';
import type { Batch } from './batch-layout.js';

/** Recorded tests with QEMU's results: gzip of a JSON line (count and names), then kinds, code, inputs and QEMU's outputs, little-endian. */
export const packRegression = (batch: Batch, expected: Uint32Array): Uint8Array => {
  const head = new TextEncoder().encode(`${JSON.stringify({ count: batch.count, names: batch.names })}\n`);
  const parts = [batch.kinds, batch.code, batch.input, expected].map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  return gzipSync(Buffer.concat([head, ...parts]), { level: 9 });
};

export const unpackRegression = (file: Uint8Array): { batch: Batch; expected: Uint32Array } => {
  const all = gunzipSync(file);
  let at = all.indexOf(10) + 1;
  const { count, names } = JSON.parse(all.toString('utf8', 0, at)) as { count: number; names: string[] };
  const take = (byteLength: number): ArrayBuffer => {
    const part = new Uint8Array(all.subarray(at, at + byteLength));
    at += byteLength;
    return part.buffer;
  };
  const kinds = new Uint16Array(take(count * 2));
  const [code, input, expected] = [
    new Uint32Array(take(count * 32)),
    new Uint32Array(take(count * 0x180)),
    new Uint32Array(take(count * 0x180)),
  ];
  return { batch: { count, names, kinds, code, input }, expected };
};
