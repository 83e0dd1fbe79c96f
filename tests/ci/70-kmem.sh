#!/bin/bash
# timeout: 600
# The kernel of packages/kmem, every policy and address, as machine code on real QEMU.
KMEM_ALL=1 exec node_modules/.bin/vitest run tests/kmem
