#!/bin/bash
# timeout: 1800
# Debian's U-Boot, kernels and installer, unmodified, to their stated results.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/guests/run.mjs
