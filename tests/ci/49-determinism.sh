#!/bin/bash
# timeout: 600
# U-Boot to its power-off on the interpreter and on nine settings of the translator: the same instructions, console, registers and memory.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/run-source.mjs tests/engine/determinism.ts
