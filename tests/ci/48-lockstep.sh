#!/bin/bash
# timeout: 600
# The beginnings of U-Boot and Linux, and kmem's kernel, on interpreter and translator side by side.
cd "$(dirname "$0")/../.." || exit 1
export RESULTS=.cache/ci-lockstep.json
rm -f "$RESULTS"
INSTRUCTIONS=40000000 exec node tests/long/lockstep.mjs u-boot kmem armmp bench/neon-thumb
