#!/bin/bash
# timeout: 600
# An allocator from outside of the workspace, installed beside the packed packages, passes the kit and runs in the command.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/plugins/allocator.mjs
