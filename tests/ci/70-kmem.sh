#!/bin/bash
# timeout: 1500
# The kernel of packages/kmem, every policy and address, and every wrong variant of it, here and as machine code on real QEMU.
KMEM_ALL=1 exec node_modules/.bin/vitest run tests/kmem
