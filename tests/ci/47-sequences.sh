#!/bin/bash
# timeout: 300
# Random sequences of instructions on the interpreter and the translator: the same after every budget.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/run-source.mjs tests/sequences/main.ts "${SEED:-1}" "${COUNT:-6000}" --coverage 100
