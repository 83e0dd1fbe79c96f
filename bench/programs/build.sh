#!/bin/sh
# The programs as A32 and T32 ELF files: needs arm-linux-gnueabihf-gcc.
cd "$(dirname "$0")" || exit 1
mkdir -p elf
for file in *.c; do
  name=${file%.c}
  for isa in arm thumb; do
    arm-linux-gnueabihf-gcc -O2 -m$isa -march=armv7-a -mtune=cortex-a15 -mfpu=neon -mfloat-abi=hard -ffreestanding -fno-tree-vectorize -fno-builtin \
      -nostdlib -static -Wl,-T,programs.ld -Wl,--build-id=none -Wl,-z,noexecstack -s -w -o elf/$name-$isa.elf start.S $file -lgcc || exit 1
  done
done
