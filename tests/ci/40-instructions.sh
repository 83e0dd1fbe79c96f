#!/bin/bash
# timeout: 900
# A live sample of single instructions, generated from the records, compared with QEMU; and one that is translated before each is executed.
cd "$(dirname "$0")/../.." || exit 1
status=0
node tests/run-source.mjs tests/instructions/main.ts "${SEED:-1000}" "${COUNT:-200000}" --each 2 || status=1
node tests/run-source.mjs tests/instructions/main.ts "${SEED:-1000}" "${TRANSLATED:-4000}" --each 2 --engine wasm || status=1
node tests/run-source.mjs tests/instructions/main.ts "${SEED:-1000}" "${COMPACT:-20000}" --each 2 --engine compact || status=1
exit $status
