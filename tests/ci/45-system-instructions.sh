#!/bin/bash
# timeout: 600
# A live sample of IT blocks and privileged and system instructions, from every mode, compared with QEMU.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/run-source.mjs tests/system-instructions/main.ts "${SEED:-1}" "${COUNT:-60000}" --each 2
