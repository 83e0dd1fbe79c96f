import { describe, expect, test } from 'vitest';
import { crc32 } from './crc32.js';
import { imageKind } from './image-kind.js';
import { LoaderError } from './loader-error.js';
import { parseUImage } from './uimage.js';
import { parseZImage } from './zimage.js';

function zImage(options: { littleEndian?: boolean; end?: number; length?: number; appended?: Uint8Array } = {}): Uint8Array {
  const { littleEndian = true, end = 0x100, length = 0x100, appended = new Uint8Array(0) } = options;
  const bytes = new Uint8Array(length + appended.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x24, 0x016f2818, littleEndian);
  view.setUint32(0x2c, end, littleEndian);
  view.setUint32(0x30, 0x04030201, littleEndian);
  bytes.set(appended, length);
  return bytes;
}

/** The header fields in the order of the format, checksums filled in. */
function uImage(
  fields: { os?: number; arch?: number; type?: number; comp?: number; load?: number; entry?: number; size?: number } = {},
): Uint8Array {
  const data = Uint8Array.from({ length: 40 }, (_, index) => index * 3);
  const bytes = new Uint8Array(64 + data.length);
  bytes.set(data, 64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x27051956);
  view.setUint32(12, fields.size ?? data.length);
  view.setUint32(16, fields.load ?? 0x40008000);
  view.setUint32(20, fields.entry ?? 0x40008000);
  view.setUint32(24, crc32(data));
  bytes.set([fields.os ?? 5, fields.arch ?? 2, fields.type ?? 2, fields.comp ?? 0], 28);
  bytes.set([0x54, 0x77], 32);
  view.setUint32(4, crc32(bytes.subarray(0, 64)));
  return bytes;
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof LoaderError) return error.message;
    throw error;
  }
  return 'accepted';
};

test('CRC-32 has its check value', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test('kinds by magic number', () => {
  const of = (...bytes: number[]): string => imageKind(Uint8Array.from(bytes));
  expect(of(0x7f, 0x45, 0x4c, 0x46, 1)).toBe('elf');
  expect(of(0x1f, 0x8b, 8)).toBe('gzip');
  expect(of(0xd0, 0x0d, 0xfe, 0xed)).toBe('fdt');
  expect(of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)).toBe('xz');
  expect(of(0x30, 0x37, 0x30, 0x37, 0x30, 0x31)).toBe('cpio');
  expect(of()).toBe('raw');
  expect(of(1, 2, 3)).toBe('raw');
  expect(imageKind(zImage())).toBe('zimage');
  expect(imageKind(uImage())).toBe('uimage');
  const arm64 = new Uint8Array(64);
  arm64.set([0x41, 0x52, 0x4d, 0x64], 56);
  expect(imageKind(arm64)).toBe('arm64');
});

describe('zImage', () => {
  test('length, start and byte order', () => {
    expect(parseZImage(zImage())).toEqual({ start: 0, imageByteLength: 0x100, bigEndian: false });
    expect(parseZImage(zImage({ littleEndian: false })).bigEndian).toBe(true);
  });

  test('an appended device tree is found, other bytes behind the image are not taken for one', () => {
    const blob = new Uint8Array(64);
    new DataView(blob.buffer).setUint32(0, 0xd00dfeed);
    new DataView(blob.buffer).setUint32(4, 64);
    expect(parseZImage(zImage({ appended: blob })).appendedDtb).toEqual({ offset: 0x100, byteLength: 64 });
    expect(parseZImage(zImage({ appended: new Uint8Array(64) })).appendedDtb).toBeUndefined();
    expect(refusal(() => parseZImage(zImage({ appended: blob.slice(0, 50) })))).toMatch(/appended device tree says 64 bytes, there are 50/);
  });

  test('refusals', () => {
    expect(refusal(() => parseZImage(new Uint8Array(100)))).toMatch(/not a zImage/);
    expect(refusal(() => parseZImage(zImage().slice(0, 0x2a)))).toMatch(/truncated: 42 bytes/);
    expect(refusal(() => parseZImage(zImage({ end: 0x532200 })))).toMatch(/truncated: the header says 5448192 bytes, there are 256/);
    expect(refusal(() => parseZImage(zImage({ end: 4 })))).toMatch(/less than a header/);
  });
});

describe('uImage', () => {
  test('a kernel', () => {
    const image = parseUImage(uImage({ entry: 0x40008040 }));
    expect(image).toMatchObject({ name: 'Tw', type: 'kernel', linux: true, loadAddress: 0x40008000, entryPoint: 0x40008040 });
    expect(image.data).toHaveLength(40);
    expect(image.data[1]).toBe(3);
  });

  test('other types and systems', () => {
    expect(parseUImage(uImage({ type: 14 })).type).toBe('kernel-noload');
    expect(parseUImage(uImage({ type: 3, comp: 1 })).type).toBe('ramdisk');
    expect(parseUImage(uImage({ os: 17 })).linux).toBe(false);
  });

  test('the input is left as it is, a Node Buffer too', () => {
    const buffer = Buffer.from(uImage());
    parseUImage(buffer);
    expect(Uint8Array.from(buffer)).toEqual(uImage());
  });

  test('both checksums count', () => {
    const header = uImage();
    header[40] ^= 1;
    expect(refusal(() => parseUImage(header))).toMatch(/header is damaged/);
    const data = uImage();
    data[100] ^= 1;
    expect(refusal(() => parseUImage(data))).toMatch(/contents are damaged/);
  });

  test('refusals', () => {
    expect(refusal(() => parseUImage(new Uint8Array(100)))).toMatch(/not a U-Boot image/);
    expect(refusal(() => parseUImage(uImage().slice(0, 63)))).toMatch(/truncated/);
    expect(refusal(() => parseUImage(uImage({ size: 41 })))).toMatch(/truncated: the header says 41 bytes of contents, there are 40/);
    expect(refusal(() => parseUImage(uImage({ arch: 22 })))).toMatch(/architecture 22/);
    expect(refusal(() => parseUImage(uImage({ type: 4 })))).toMatch(/type 4 is not supported/);
    expect(refusal(() => parseUImage(uImage({ comp: 1 })))).toMatch(/gzip is not supported/);
    expect(refusal(() => parseUImage(uImage({ comp: 99 })))).toMatch(/compression 99 is not supported/);
  });
});
