import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A deliberate mistake in one source file of packages/alloc: the text that stands there, and what stands there instead. */
export interface Mutation {
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
}

const source = fileURLToPath(new URL('../../packages/alloc/src/', import.meta.url));

/** The package's entry with a mistake in it, as a module instance of its own. Throws if the text to change is not there. */
export async function mutant(mutation: Mutation): Promise<typeof import('@tablewalk/alloc')> {
  let isMade = false;
  const { outputFiles } = await build({
    entryPoints: [`${source}index.ts`],
    bundle: true,
    format: 'esm',
    write: false,
    plugins: [
      {
        name: 'mutation',
        setup(build) {
          build.onLoad({ filter: new RegExp(`/${mutation.file.replaceAll('.', '\\.')}$`) }, async ({ path }) => {
            const { readFile } = await import('node:fs/promises');
            const before = await readFile(path, 'utf8');
            const after = before.replace(mutation.from, mutation.to);
            isMade = after !== before;
            return { contents: after, loader: 'ts' };
          });
        },
      },
    ],
  });
  if (!isMade) throw new Error(`${mutation.file} has no ${String(mutation.from)}`);
  const text = (outputFiles[0] as { text: string }).text;
  return import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}
