import { fileURLToPath } from 'node:url';
import { build, type OutputFile } from 'esbuild';
import type { Options } from 'tsup';
import { describe, expect, it } from 'vitest';
import config from '../../packages/alloc/tsup.config.js';

const root = fileURLToPath(new URL('../../packages/alloc/', import.meta.url));

/** What tsup's bundler makes of the entries, in memory. */
async function bundle(options: Options): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    entryPoints: options.entry as Record<string, string>,
    splitting: options.splitting ?? true,
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    outdir: 'dist',
    write: false,
  });
  return outputFiles;
}

describe('the built entries of alloc', () => {
  it('share no chunk, so that host-memory and guest-memory allocators are separate instances', async () => {
    const options = config as Options;
    const files = await bundle(options);
    expect(files.map((file) => file.path.slice(`${root}dist/`.length)).sort()).toEqual(['guest/index.js', 'index.js', 'testing/index.js']);
    const main = files.find((file) => file.path.endsWith('dist/index.js'))?.text ?? '';
    const guest = files.find((file) => file.path.endsWith('guest/index.js'))?.text ?? '';
    for (const text of [main, guest]) {
      expect(text).not.toMatch(/^\s*(?:import|export)\s.*from\s/m);
      expect(text).toMatch(/BitmapTree = class|class BitmapTree/);
    }
    // And this would see one.
    expect((await bundle({ ...options, splitting: true })).length).toBeGreaterThan(3);
  });
});
