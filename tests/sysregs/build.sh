#!/bin/sh
# Builds the probe: build.sh OUTPUT.elf (CROSS_COMPILE chooses the tool chain)
set -e
here=$(dirname "$0")
exec "${CROSS_COMPILE:-arm-linux-gnueabihf-}gcc" -O1 -marm -march=armv7-a -mfloat-abi=soft -mgeneral-regs-only -ffreestanding -fno-builtin \
  -nostdlib -static -Wl,-T,"$here/probe.ld" -Wl,--build-id=none -Wl,--no-warn-rwx-segments -Wall -Wextra \
  -o "$1" "$here/probe-start.S" "$here/probe.c"
