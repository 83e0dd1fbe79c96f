#!/bin/bash
# timeout: 1200
# The quick tests on the Node versions that users have besides the one that runs this.
set -u
cd "$(dirname "$0")/../.."
failed=0
for version in 24 26; do
  echo "Node $version: $(npx -y "node@$version" --version)"
  timeout 560 npx -y "node@$version" node_modules/vitest/vitest.mjs run --reporter=dot || { echo "FAILED on Node $version"; failed=1; }
done
exit $failed
