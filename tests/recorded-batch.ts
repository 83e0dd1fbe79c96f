import { gunzipSync, gzipSync } from 'node:zlib';

type Words = Uint8Array | Uint16Array | Uint32Array;
interface RecordedBatch {
  readonly count: number;
  readonly kinds: Words;
  readonly code: Uint32Array;
  readonly input: Uint32Array;
}

/**
 * Recorded tests with QEMU's results: gzip of a JSON line (what the batch holds besides its arrays, and the arrays' lengths in bytes), then kinds, code,
 * inputs and QEMU's outputs, little-endian.
 */
export const packRecorded = (batch: RecordedBatch, expected: Uint32Array): Uint8Array => {
  const { kinds, code, input, ...rest } = batch;
  const parts = [kinds, code, input, expected.subarray(0, input.length)].map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  const head = { ...rest, kindBytes: kinds.BYTES_PER_ELEMENT, lengths: parts.map(({ length }) => length) };
  return gzipSync(Buffer.concat([new TextEncoder().encode(`${JSON.stringify(head)}\n`), ...parts]), { level: 9 });
};

/** The batch as it was packed; `Batch` is the caller's word for what the JSON line holds. */
export const unpackRecorded = <Batch extends RecordedBatch>(file: Uint8Array): { batch: Batch; expected: Uint32Array } => {
  const all = gunzipSync(file);
  let at = all.indexOf(10) + 1;
  const { kindBytes, lengths, ...rest } = JSON.parse(all.toString('utf8', 0, at)) as { kindBytes: 1 | 2; lengths: number[] };
  const [kinds, code, input, expected] = lengths.map((length) => {
    const part = new Uint8Array(all.subarray(at, at + length));
    at += length;
    return part.buffer;
  }) as [ArrayBuffer, ArrayBuffer, ArrayBuffer, ArrayBuffer];
  const batch = {
    ...rest,
    kinds: kindBytes === 1 ? new Uint8Array(kinds) : new Uint16Array(kinds),
    code: new Uint32Array(code),
    input: new Uint32Array(input),
  };
  return { batch: batch as unknown as Batch, expected: new Uint32Array(expected) };
};
