#!/usr/bin/env python3
"""Records random GICv2 accesses and QEMU's answers, for src/gic/gicv2.qemu.test.ts to replay.

    record-gic-trace.py [SEED [OPERATIONS]]

Uses QEMU's qtest protocol: no guest runs. Lines of the trace:
    w OFFSET SIZE VALUE      distributor window at 0, CPU interface at 10000 (hexadecimal)
    r OFFSET SIZE ANSWER
    l INTID LEVEL            input wire
    o IRQ FIQ                outputs after the line above, when they changed
Left out because QEMU departs from IHI 0048B there: one group disabled alone, enabling an interrupt whose level is high (QEMU latches it),
GICC_DIR (QEMU 7.2 does not choose again), GICD_SPENDSGIR for cores that do not exist, the aliased registers (absent).
"""
import random, subprocess, sys

rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
qemu = subprocess.Popen(
    ['qemu-system-arm', '-M', 'virt', '-cpu', 'cortex-a15', '-S', '-nodefaults', '-display', 'none', '-qtest', 'stdio', '-qtest-log', '/dev/null'],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
outputs = [0, 0]

def command(line):
    qemu.stdin.write(line + '\n')
    qemu.stdin.flush()
    while True:
        answer = qemu.stdout.readline().strip()
        if answer.startswith('IRQ'):
            _, what, number = answer.split()
            if int(number) < 2: outputs[int(number)] = int(what == 'raise')
        else:
            assert answer.startswith('OK'), (line, answer)
            return answer[3:]

shown = list(outputs)
def emit(text):
    print(text)
    if shown != outputs:
        shown[:] = outputs
        print('o', *outputs)

def address(offset): return 0x08000000 + offset
SUFFIX = {1: 'b', 2: 'w', 4: 'l'}
def write(offset, size, value):
    command(f'write{SUFFIX[size]} {address(offset):#x} {value:#x}')
    emit(f'w {offset:x} {size} {value:x}')
def read(offset, size=4):
    answer = int(command(f'read{SUFFIX[size]} {address(offset):#x}'), 16)
    emit(f'r {offset:x} {size} {answer:x}')
    return answer
def wire(intid, level):
    number = intid - 32 if intid >= 32 else 256 + intid
    command(f'set_irq_in /machine/unattached/device[1] unnamed-gpio-in {number} {int(level)}')
    emit(f'l {intid} {int(level)}')

command('irq_intercept_in /machine/unattached/device[0]')
pool = [27, 30, 16, 33, 34, 47, 48, 63, 64, 80, 95, 128, 255, 287]
level = dict.fromkeys(pool, False)
taken = []
write(0x0, 4, 3); write(0x10000, 4, 7); write(0x10004, 4, 0xff)
for _ in range(count):
    intid = rng.choice(pool)
    bit, word = 1 << (intid & 31), intid >> 5 << 2
    action = rng.randrange(20)
    if action < 4:
        level[intid] = rng.random() < 0.6
        wire(intid, level[intid])
    elif action < 6:
        if rng.random() < 0.7:
            if not level[intid]: write(0x100 + word, 4, bit)
        else: write(0x180 + word, 4, bit)
    elif action == 6: write(0x400 + intid, 1, rng.randrange(256))
    elif action == 7: write(0x80 + word, 4, rng.getrandbits(32))
    elif action == 8:
        if not level[intid]:
            value = read(0xc00 + (intid >> 4 << 2))
            write(0xc00 + (intid >> 4 << 2), 4, value ^ (2 << ((intid & 15) * 2)))
    elif action == 9: write(rng.choice([0x200, 0x280]) + word, 4, bit)
    elif action == 10: write(rng.choice([0x300, 0x380, 0x380]) + word, 4, bit)
    elif action == 11: write(0xf00, 4, 0x02000000 | rng.randrange(16) if rng.random() < .5 else 0x00010000 | rng.randrange(16))
    elif action == 12: write(0x10004, 4, rng.choice([0xff, 0xf0, 0x80, 0xff, 0xff]))
    elif action == 13: write(rng.choice([0x10008, 0x1001c]), 4, rng.randrange(8))
    elif action == 14: write(0x10000, 4, rng.choice([7, 7, 0xf, 0x1f, 0x17, 3, 0]))
    elif action == 15: read(rng.choice([0x10014, 0x10018, 0x100d0, 0x100d4, 0x100e0, 0x100e8, 0x200 + word, 0x300 + word, 0x400 + (intid & ~3), 0xc00 + (intid >> 4 << 2), 0xf20, 0x80 + word]))
    elif action < 18:
        value = read(0x1000c)
        if value & 0x3ff < 1020: taken.append(value)
    elif taken:
        write(0x10010, 4, taken.pop())
qemu.kill()
