#!/bin/bash
# timeout: 900
# What a user installs: packed, installed outside the workspace, imported on Node 20, 24 and 26, examples run.
exec node scripts/check-packages.mjs
