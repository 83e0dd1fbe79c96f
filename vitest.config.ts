import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run the sources: no build stands between an edit and its test. tsconfig.base.json has the same table for the types.
    alias: [
      { find: /^@tablewalk\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
      { find: /^@tablewalk\/([^/]+)\/(.+)$/, replacement: `${root}packages/$1/src/$2/index.ts` },
      { find: /^tablewalk$/, replacement: `${root}apps/cli/src/index.ts` },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'tests/long/**', 'tests/slow/**'],
    testTimeout: 30_000,
    // Vitest leaves a core free by itself: on two cores that is half the machine.
    maxWorkers: availableParallelism(),
    passWithNoTests: false,
  },
});
