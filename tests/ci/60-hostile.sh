#!/bin/bash
# timeout: 1200
# Random bytes as a kernel: more images than npm test runs. HOSTILE_IMAGES says how many.
HOSTILE_IMAGES=${HOSTILE_IMAGES:-400} exec node_modules/.bin/vitest run tests/hostile/fuzz.test.ts
