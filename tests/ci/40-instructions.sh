#!/bin/bash
# timeout: 600
# A live sample of single instructions, generated from the records, compared with QEMU.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/run-source.mjs tests/instructions/main.ts "${SEED:-1000}" "${COUNT:-200000}" --each 2
