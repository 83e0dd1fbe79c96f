import type { VirtMachine } from '@tablewalk/board-qemu-virt';
import { memoryImage, overlayStorage } from '@tablewalk/devices';
import { describe, expect, test } from 'vitest';
import { hostile, POWER_OFF, run } from './support.js';

describe('code that goes nowhere', () => {
  test('a jump to where nothing is: prefetch abort, the vectors at 0 are flash full of ANDEQ, and behind 128 MiB of that the GIC', () => {
    const machine = hostile('ldr pc, =0xdead0000');
    const taken: unknown[] = [];
    machine.observe([{ name: 'list', exception: (kind, ...rest) => taken.push([kind, ...rest]) }]);
    expect(run(machine, 300_000)).toEqual({ reason: 'limit' });
    expect(taken).toHaveLength(1);
    expect(taken[0]).toEqual(['prefetch-abort', 0xdead0000, 0x0000000c, expect.any(Number)]);
    expect(machine.instructions).toBe(300_000);
    expect(machine.cpu.readRegister('lr')).toBe(0xdead0004);
    expect(machine.cpu.readRegister('cpsr')! & 0x1f).toBe(0x17);
    // The sled takes one instruction a word: the abort counted for one, the stub and the jump for a few.
    expect(machine.cpu.readRegister('pc')! / 4).toBeGreaterThan(299_900);
  });

  test('a branch to itself, in A32 and T32', () => {
    expect(run(hostile('b .'), 300_000)).toEqual({ reason: 'limit' });
    expect(run(hostile('adr r0, there + 1\nbx r0\n.thumb\nthere: b there'), 300_000)).toEqual({ reason: 'limit' });
  });

  test('vectors behind an MMU that maps nothing: the machine says so and ends', () => {
    const machine = hostile(`
      ldr r0, =0x40100000      @ a table of zeros, but for this code's megabyte
      ldr r1, =0x40010c0e
      ldr r2, =0x40000c02
      add r3, r0, #0x1000
      str r2, [r3]
      mcr p15, 0, r0, c2, c0, 0
      mov r1, #3
      mcr p15, 0, r1, c3, c0, 0
      ldr r1, =0xc0000000
      mcr p15, 0, r1, c12, c0, 0
      mrc p15, 0, r1, c1, c0, 0
      orr r1, r1, #1
      mcr p15, 0, r1, c1, c0, 0
      isb
      svc #0`);
    const end = run(machine, 100_000);
    expect(end).toMatchObject({ reason: 'crashed', message: expect.stringMatching(/pc=0xc000000c/) });
    expect(machine.instructions).toBeLessThan(100);
    expect(machine.runFor(10)).toEqual(end);
  });

  test('an undefined instruction whose handler is undefined', () => {
    const machine = hostile('ldr r0, =vectors\nmcr p15, 0, r0, c12, c0, 0\nudf #0\n.align 5\nvectors: udf #1\nudf #2\nudf #3\nudf #4');
    expect(run(machine, 100_000)).toMatchObject({ reason: 'crashed' });
  });

  test('data aborts for ever, and supervisor calls for ever, are loops like any other', () => {
    const vectors = (entries: string): string =>
      `ldr r0, =vectors\nmcr p15, 0, r0, c12, c0, 0\nmov r2, #0\nb start\n.align 5\nvectors:\n${entries}\n.ltorg\n`;
    const abort = hostile(`${vectors('b .\nb .\nb .\nb .\nb start')}start: ldr r1, =0xf0000000\nldr r1, [r1]`);
    expect(run(abort, 200_000)).toEqual({ reason: 'limit' });
    const call = hostile(`${vectors('b .\nb .\nsvc #2\nb .\nb .')}start: svc #1`);
    expect(run(call, 200_000)).toEqual({ reason: 'limit' });
  });

  test('WFI with everything masked and no timer: idle, at once, and again', () => {
    const machine = hostile('cpsid aif\nloop: wfi\nb loop');
    expect(run(machine, 1_000_000)).toEqual({ reason: 'idle' });
    expect(machine.instructions).toBeLessThan(20);
    expect(run(machine, 1_000_000)).toEqual({ reason: 'idle' });
  });

  test('PSCI misuse: unknown calls, and every argument all ones', () => {
    const machine = hostile(
      `
      ldr r4, =0x84000000
      mov r5, #64
      next: mvn r1, #0
      mvn r2, #0
      mvn r3, #0
      mov r0, r4
      and r6, r4, #0xff
      cmp r6, #2             @ CPU_OFF
      cmpne r6, #8           @ SYSTEM_OFF
      cmpne r6, #9           @ SYSTEM_RESET
      cmpne r6, #1           @ CPU_SUSPEND sleeps
      hvcne #0x1234
      add r4, r4, #1
      subs r5, r5, #1
      bne next
      ${POWER_OFF}`.replace('hvcne #0x1234', 'beq skip\nhvc #0x1234\nskip:'),
    );
    expect(run(machine, 100_000)).toEqual({ reason: 'poweroff' });
  });

  test('a guest that resets for ever gives the host its turn each time', async () => {
    const machine = hostile('ldr r0, =0x84000009\nhvc #0');
    let resets = 0;
    const signal = { aborted: false };
    machine.on('reset', () => {
      resets++;
      signal.aborted = resets === 50;
    });
    expect(await machine.run({ signal })).toEqual({ reason: 'stopped' });
    expect(resets).toBe(50);
  });
});

describe('floods', () => {
  test('the UART: 64 Ki characters are kept, and all are counted', () => {
    const machine = hostile(`ldr r1, =0x09000000\nloop: strb r0, [r1]\nadd r0, r0, #1\nb loop`);
    expect(run(machine, 3_000_000)).toEqual({ reason: 'limit' });
    expect(machine.console.byteCount).toBeGreaterThan(999_000);
    expect(machine.console.tail()).toHaveLength(65536);
  });

  test('somebody who waits for text that never comes costs nothing', async () => {
    const machine = hostile(`ldr r1, =0x09000000\nloop: strb r0, [r1]\nadd r0, r0, #1\nb loop`);
    const waiting = machine.console.waitFor('never in this output').catch((error: Error) => error.message);
    run(machine, 1_000_000);
    machine.console.close(new Error('enough'));
    expect(await waiting).toBe('enough');
  });

  test('semihosting: strings without an end, addresses without memory', () => {
    const machine = hostile(
      `
      ldr r4, =0x40000000
      mov r5, #24
      next: mov r0, #4
      mov r1, r4
      svc #0x123456
      mov r0, #5
      svc #0x123456
      sub r4, r4, #0x10000000
      add r4, r4, #0xff
      subs r5, r5, #1
      bne next
      mov r0, #0x20
      mvn r1, #3
      svc #0x123456`,
      { semihosting: true },
    );
    expect(run(machine, 100_000)).toEqual({ reason: 'exit', status: 1 });
  });
});

describe('code that changes', () => {
  test('a loop that rewrites the instruction it runs next', () => {
    const machine = hostile(`
      adr r1, target
      ldr r2, target
      ldr r5, =50000
      mov r0, #0
      loop: bic r3, r2, #0xff
      and r4, r5, #1
      orr r3, r3, r4
      str r3, [r1]
      target: add r0, r0, #1
      subs r5, r5, #1
      bne loop
      ${POWER_OFF.replace('ldr r0', 'mov r7, r0\nldr r0')}`);
    expect(run(machine, 1_000_000)).toEqual({ reason: 'poweroff' });
    expect(machine.cpu.readRegister('r7')).toBe(25_000);
    expect(machine.cpu.core.cache.instructions).toBeLessThan(1000);
  });

  test('code on every page of RAM, in many modes: the host keeps a bounded number of pages', () => {
    // Each page gets BX LR; calls walk over 12 MiB of pages with each of SCTLR.A, FPEXC.EN and both instruction sets (BX LR is 4770 in T16).
    const machine = hostile(`
      ldr r8, =0xe12fff1e
      ldr r9, =0x47704770
      mov r7, #0xf00000
      mcr p15, 0, r7, c1, c0, 2
      isb
      mov r7, #0
      modes: ldr r4, =0x40300000
      ldr r5, =3072
      tst r7, #1
      moveq r6, r8
      movne r6, r9
      pages: str r6, [r4]
      orr r3, r4, r7
      and r3, r3, #1
      orr r3, r3, r4
      blx r3
      add r4, r4, #4096
      subs r5, r5, #1
      bne pages
      add r7, r7, #1
      mrc p15, 0, r1, c1, c0, 0
      bic r1, r1, #2
      and r2, r7, #2
      orr r1, r1, r2
      mcr p15, 0, r1, c1, c0, 0
      and r2, r7, #4
      mov r2, r2, lsl #28
      vmsr fpexc, r2
      cmp r7, #8
      bne modes
      ${POWER_OFF}`);
    const { cache } = machine.cpu.core;
    let most = 0;
    while (machine.runFor(10_000).reason === 'limit') most = Math.max(most, cache.pageCount);
    expect(machine.runFor(1)).toEqual({ reason: 'poweroff' });
    expect(most).toBeGreaterThan(15_000);
    expect(most).toBeLessThanOrEqual(16_384);
  });

  test('more code than the cache holds: it begins again', { timeout: 120_000 }, () => {
    // 720 thousand instructions, run twice; the last word returns.
    const machine = hostile(`
      ldr r4, =0x40300000
      ldr r5, =0xb0000
      sub r5, r5, #1
      ldr r6, =0xe2800001
      mov r0, r4
      fill: str r6, [r0], #4
      subs r5, r5, #1
      bne fill
      ldr r6, =0xe12fff1e
      str r6, [r0]
      mov r0, #0
      blx r4
      blx r4
      mov r7, r0
      ${POWER_OFF}`);
    const { cache } = machine.cpu.core;
    let most = 0;
    while (machine.runFor(200_000).reason === 'limit') most = Math.max(most, cache.instructions);
    expect(machine.cpu.readRegister('r7')).toBe(2 * 0xaffff);
    expect(most).toBeLessThan(601_000);
  });
});

describe('time', () => {
  test.each([
    [
      'the generic timer',
      'mvn r1, #0\nmov r2, #0x80000000\nsub r2, r2, #1\nmcrr p15, 3, r1, r2, c14\nmov r1, #1\nmcr p15, 0, r1, c14, c3, 1',
    ],
    [
      'the generic timer, as late as a double counts',
      'ldr r1, =0\nldr r2, =0x1ffff\nmcrr p15, 3, r1, r2, c14\nmov r1, #1\nmcr p15, 0, r1, c14, c3, 1',
    ],
    ['the real-time clock', 'ldr r3, =0x09010000\nldr r1, =0xfffffff0\nstr r1, [r3, #4]\nmov r1, #1\nstr r1, [r3, #0x10]'],
    [
      'the performance counters',
      'mov r1, #9\nmcr p15, 0, r1, c9, c12, 0\nmov r1, #0x80000000\nmcr p15, 0, r1, c9, c12, 1\nmcr p15, 0, r1, c9, c14, 1',
    ],
  ])('sleeping until the end of time by %s ends, and instructions still count one by one', (_, set) => {
    const machine = hostile(`cpsid aif\n${set}\nmov r6, #0\nmov r5, #200\nloop: wfi\nadd r6, r6, #1\nsubs r5, r5, #1\nbne loop\nb .`);
    let end = machine.runFor(1);
    for (let i = 0; i < 5000 && end.reason === 'limit'; i++) {
      const before = machine.instructions;
      end = machine.runFor(1);
      if (end.reason === 'limit') expect(machine.instructions).toBe(before + 1);
    }
    expect(['limit', 'idle']).toContain(end.reason);
    expect(Number.isSafeInteger(machine.time)).toBe(true);
  });

  test('a timer interrupt that nobody acknowledges', () => {
    const machine = hostile(`
      ldr r0, =vectors
      mcr p15, 0, r0, c12, c0, 0
      ldr r0, =0x08000000
      mov r1, #1
      str r1, [r0]
      mvn r2, #0
      str r2, [r0, #0x100]
      ldr r0, =0x08010000
      mov r2, #0xff
      str r2, [r0, #4]
      str r1, [r0]
      mov r2, #1
      mcr p15, 0, r2, c14, c3, 0
      mcr p15, 0, r1, c14, c3, 1
      cpsie if
      b .
      .align 5
      vectors: b .
      b .
      b .
      b .
      b .
      b .
      subs pc, lr, #4
      b .`);
    let taken = 0;
    machine.observe([{ name: 'count', exception: () => taken++ }]);
    expect(run(machine, 100_000)).toEqual({ reason: 'limit' });
    expect(taken).toBeGreaterThan(10_000);
  });
});

describe('devices that master the bus', () => {
  const drives = () => [{ storage: overlayStorage({ image: memoryImage(new Uint8Array(1 << 20)) }) }];

  /** A legacy driver of one queue: block's requests in slot 31, or what the network transmits in slot 30. Two notifications, and it powers off. */
  const driver = (slot: number, queue: number, place: string): string => `
      ldr r0, =${0x0a000000 + slot * 0x200}
      mov r1, #0
      str r1, [r0, #0x70]
      mov r1, #7
      str r1, [r0, #0x70]
      ldr r1, =4096
      str r1, [r0, #0x28]
      mov r1, #${queue}
      str r1, [r0, #0x30]
      mov r1, #16
      str r1, [r0, #0x38]
      ldr r1, =4096
      str r1, [r0, #0x3c]
      ${place}
      mov r1, #${queue}
      str r1, [r0, #0x50]
      str r1, [r0, #0x50]
      ${POWER_OFF}`;
  const AT = 'ldr r1, =0x40400\nstr r1, [r0, #0x40]\nldr r2, =0x40400000\n';
  /** Descriptor n: address, length, flags, next. */
  const descriptor = (n: number, address: number, length: number, flags: number, next: number): string =>
    [address, 0, length, flags | (next << 16)].map((word, i) => `ldr r1, =${word}\nstr r1, [r2, #${16 * n + 4 * i}]\n`).join('');
  /** Makes descriptor 0 available `count` times. */
  const available = (count: number): string => `ldr r1, =${count << 16}\nstr r1, [r2, #0x100]\nmov r1, #0\nstr r1, [r2, #0x104]\n`;

  /** What is wrong, how the driver does it, and what each device says. */
  const rings: readonly (readonly [string, string, RegExp, RegExp])[] = [
    ['a ring outside RAM', 'ldr r1, =0xfffff\nstr r1, [r0, #0x40]', /ring is outside RAM/, /ring is outside RAM/],
    ['a ring in flash', 'mov r1, #1\nstr r1, [r0, #0x40]', /ring is outside RAM/, /ring is outside RAM/],
    [
      'a used ring behind the end of RAM',
      `ldr r1, =0x40fff\nstr r1, [r0, #0x40]\nldr r2, =0x40fff000\n${descriptor(0, 0x40500000, 16, 1, 1)}${descriptor(1, 0x40500020, 1, 2, 0)}${available(1)}`,
      /used ring is outside RAM/,
      /used ring is outside RAM/,
    ],
    ['a ring on the devices', 'ldr r1, =0x9000\nstr r1, [r0, #0x40]', /ring is outside RAM/, /ring is outside RAM/],
    ['a descriptor that follows itself', AT + descriptor(0, 0x40500000, 16, 1, 0) + available(1), /loop/, /loop/],
    [
      'two descriptors that follow each other',
      AT + descriptor(0, 0x40500000, 16, 1, 1) + descriptor(1, 0x40500000, 16, 1, 0) + available(1),
      /loop/,
      /loop/,
    ],
    ['an absurd length', AT + descriptor(0, 0x40500000, 0xffffffff, 0, 0) + available(1), /outside RAM/, /outside RAM/],
    ['a buffer that ends where addresses end', AT + descriptor(0, 0xfffffff0, 16, 0, 0) + available(1), /outside RAM/, /outside RAM/],
    ['a buffer on the UART', AT + descriptor(0, 0x09000000, 16, 0, 0) + available(1), /outside RAM/, /outside RAM/],
    ['a next beyond the ring', AT + descriptor(0, 0x40500000, 16, 1, 0xffff) + available(1), /points to 65535/, /points to 65535/],
    ['more buffers than the ring has', AT + descriptor(0, 0x40500000, 16, 0, 0) + available(0xffff), /from 0 to 65535/, /from 0 to 65535/],
    ['an indirect table that nobody agreed on', AT + descriptor(0, 0x40500000, 16, 4, 0) + available(1), /indirect/, /indirect/],
  ];
  const cases = rings.flatMap(([name, place, block, network]) => [
    [name, 'block', 31, 0, place, block] as const,
    [name, 'network', 30, 1, place, network] as const,
  ]);

  const withDevices = (source: string): { readonly machine: VirtMachine; readonly errors: string[] } => {
    const errors: string[] = [];
    const machine = hostile(source, {
      drives: drives(),
      network: 'user',
      diagnostics: { guestError: (component, message) => errors.push(`${component}: ${message}`), unimplemented: () => {} },
    });
    return { machine, errors };
  };

  test.each(cases)('%s, %s: the device says so, and the guest goes on', (_, __, slot, queue, place, message) => {
    const { machine, errors } = withDevices(driver(slot, queue, place));
    expect(run(machine, 100_000)).toEqual({ reason: 'poweroff' });
    // The network also dislikes the frame itself.
    expect(errors.filter((line) => message.test(line))).toHaveLength(1);
    expect(errors.length).toBeLessThan(3);
  });

  test('a disk that overwrites the program that reads it', () => {
    // The whole image (zeros) and the status byte, over the first megabyte of RAM: what follows the notification is ANDEQ.
    const { machine, errors } = withDevices(
      driver(31, 0, AT + descriptor(0, 0x40500000, 16, 1, 1) + descriptor(1, 0x40000000, 0x100001, 2, 0) + available(1)),
    );
    expect(run(machine, 100_000)).toEqual({ reason: 'limit' });
    expect(errors).toEqual([]);
    expect(machine.readMemory(0x40010000, 4)).toEqual(new Uint8Array(4));
    expect(machine.cpu.readRegister('pc')).toBeGreaterThan(0x40010000 + 300_000);
  });

  test('a buffer that is the ring, and one buffer 16 times: work without end is none', () => {
    for (const [slot, queue] of [
      [31, 0],
      [30, 1],
    ] as const) {
      const ring = withDevices(
        driver(slot, queue, AT + descriptor(0, 0x40400000, 16, 1, 1) + descriptor(1, 0x40400000, 0x3000, 2, 0) + available(1)),
      );
      expect(run(ring.machine, 100_000)).toEqual({ reason: 'poweroff' });
      const same = withDevices(driver(slot, queue, AT + descriptor(0, 0x40500000, 1024, 0, 0) + available(16)));
      expect(run(same.machine, 100_000)).toEqual({ reason: 'poweroff' });
    }
  });

  test('fw_cfg DMA to everywhere', () => {
    const errors: string[] = [];
    const machine = hostile(
      `
      ldr r4, =request
      ldr r5, =addresses
      mov r7, #9
      next: ldr r0, [r5], #4
      rev r0, r0
      ldr r1, =0x1a000000           @ control: select 0 (big-endian 0x0000001a: READ is 2, SELECT 8, WRITE 16)
      str r1, [r4]
      ldr r1, [r5], #4
      rev r1, r1
      str r1, [r4, #4]
      mov r1, #0
      str r1, [r4, #8]
      str r0, [r4, #12]
      ldr r3, =0x09020000
      mov r1, #0
      str r1, [r3, #0x10]
      rev r1, r4
      str r1, [r3, #0x14]
      subs r7, r7, #1
      bne next
      mvn r1, #0
      str r1, [r3, #0x10]
      str r1, [r3, #0x14]
      ldr r1, =0x00000009
      str r1, [r3, #0x14]
      ${POWER_OFF}
      .ltorg
      .align 4
      request: .word 0, 0, 0, 0
      addresses:
      .word 0x00000000, 16
      .word 0x09000000, 4
      .word 0x40fffff0, 32
      .word 0xfffffff0, 0xffffffff
      .word 0x40400000, 0xffffffff
      .word 0x40400000, 0
      .word 0x40ffffff, 1
      .word 0x40400000, 0x00b00000
      .word 0x40400000, 0x00c00000`,
      { diagnostics: { guestError: (component, message) => errors.push(`${component}: ${message}`), unimplemented: () => {} } },
    );
    expect(run(machine, 100_000)).toEqual({ reason: 'poweroff' });
    expect(errors.some((line) => /DMA request at 0x[0-9a-f]+, which is not RAM/.test(line))).toBe(true);
    expect(errors.filter((line) => /DMA of \d+ bytes .* failed/.test(line)).length).toBeGreaterThanOrEqual(4);
  });
});
