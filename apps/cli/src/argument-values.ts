import { UsageError } from './usage-error.js';

/** `128`, `512M`, `1G`, `64K` in bytes; a bare number is MiB, as QEMU's. */
export const parseSize = (text: string): number => {
  const match = /^([0-9]+(?:\.[0-9]+)?)([kKmMgGbB]?)$/.exec(text);
  if (!match) throw new UsageError(`'${text}' is not a size (examples: 512, 512M, 1G)`);
  const unit = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, b: 1 }[(match[2] || 'm').toLowerCase() as 'k' | 'm' | 'g' | 'b'];
  return Math.round(Number(match[1]) * unit);
};

export const parseCount = (name: string, text: string | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  const value = /^(0x[0-9a-f]+|[0-9][0-9_]*(\.[0-9]+)?(e[0-9]+)?)$/i.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isFinite(value) || value < 0) throw new UsageError(`--${name} takes a number, not '${text}'`);
  return value;
};

export const oneOf = <T extends string>(name: string, known: readonly T[], text: string | undefined): T | undefined => {
  if (text === undefined) return undefined;
  const found = known.find((one) => one === text);
  if (found === undefined) throw new UsageError(`--${name} ${text}: there are ${known.join(', ')}`);
  return found;
};
