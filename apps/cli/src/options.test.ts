import { describe, expect, it } from 'vitest';
import { parseSize } from './argument-values.js';
import { parseRun } from './options.js';
import { UsageError } from './usage-error.js';

describe('arguments of run', () => {
  it("takes QEMU's spellings", () => {
    const args = parseRun([
      '-M',
      'virt',
      '-m',
      '512',
      '-cpu',
      'cortex-a7',
      '-kernel',
      'k',
      '-append',
      'console=ttyAMA0',
      '-smp',
      '1',
      '-d',
      'int,mmu',
    ]);
    expect(args).toMatchObject({ memoryBytes: 512 * 2 ** 20, cpu: 'cortex-a7', kernel: 'k', append: 'console=ttyAMA0' });
    expect([...args!.log]).toEqual(['int', 'mmu']);
  });

  it('reads sizes as QEMU does', () => {
    expect(parseSize('64K')).toBe(65536);
    expect(parseSize('1G')).toBe(2 ** 30);
    expect(parseSize('3')).toBe(3 * 2 ** 20);
    expect(() => parseSize('lots')).toThrow(UsageError);
  });

  it('gives replies an Enter key unless they end otherwise', () => {
    expect(parseRun(['--send', 'login:=>root', '--send', '=> =>bdinfo', '--send', '$ =>a\\n'])!.send).toEqual([
      { text: 'login:', reply: 'root\r' },
      { text: '=> ', reply: 'bdinfo\r' },
      { text: '$ ', reply: 'a\n' },
    ]);
  });

  it.each([
    [['-smp', '2'], 'one core'],
    [['-M', 'raspi2b'], 'virt'],
    [['--send', 'x'], 'TEXT=>REPLY'],
    [['--drive', 'file=x,if=ide'], 'virtio and pflash'],
    [['--max-instructions', 'many'], 'number'],
    [['-d', 'everything'], 'guest_errors'],
    [['a', 'b'], 'too many'],
    [['--no-such-option'], 'no-such-option'],
  ])('refuses %j in one line', (argv, words) => {
    let message = '';
    try {
      parseRun(argv);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      ({ message } = error as Error);
    }
    expect(message).toContain(words);
    expect(message).not.toContain('\n');
  });
});
