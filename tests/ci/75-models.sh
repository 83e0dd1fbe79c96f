#!/bin/bash
# timeout: 600
# The conformance kits at length, every TLB and cache model against its reference on random traces, and the cache model against Valgrind's cachegrind on a static binary.
set -eu
cd "$(dirname "$0")/../.."
STEPS=3000 npx vitest run packages/mmu/src/models --testTimeout=120000
node tests/run-source.mjs tests/models/main.ts "${SEED:-2}" "${ACCESSES:-300000}"
mkdir -p .cache/models
gcc -static -O1 -o .cache/models/work tests/models/cachegrind-work.c
node tests/run-source.mjs tests/models/cachegrind.ts .cache/models/work
