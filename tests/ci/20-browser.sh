#!/bin/bash
# timeout: 300
# Every library package, bundled for a page, is imported by Chromium.
exec node scripts/check-browser.mjs
