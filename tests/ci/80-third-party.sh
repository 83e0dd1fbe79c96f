#!/bin/bash
# timeout: 600
# Plugins of strangers, installed outside the workspace with the packed packages: their conformance kits, and the command with them.
cd "$(dirname "$0")/../.." || exit 1
exec node tests/third-party/run.mjs
