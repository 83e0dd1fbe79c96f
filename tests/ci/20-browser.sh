#!/bin/bash
# timeout: 600
# Every library package, bundled for a page, is imported by Chromium; machines boot in a page and in a worker.
exec node scripts/check-browser.mjs
