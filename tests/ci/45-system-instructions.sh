#!/bin/bash
# timeout: 900
# A live sample of IT blocks and privileged and system instructions, from every mode, compared with QEMU; and one through the translator.
cd "$(dirname "$0")/../.." || exit 1
status=0
node tests/run-source.mjs tests/system-instructions/main.ts "${SEED:-1}" "${COUNT:-60000}" --each 2 || status=1
node tests/run-source.mjs tests/system-instructions/main.ts "${SEED:-1}" "${TRANSLATED:-2000}" --each 2 --engine wasm || status=1
node tests/run-source.mjs tests/system-instructions/main.ts "${SEED:-1}" "${COMPACT:-4000}" --each 2 --engine compact || status=1
exit $status
