import type { Options } from 'tsup';

/** Build options that every published package shares; `entries` are paths below `src`, without extension. */
export function preset(entries: readonly string[], extra: Options = {}): Options {
  return {
    entry: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    dts: true,
    sourcemap: false,
    clean: true,
    treeshake: true,
    minifySyntax: true,
    splitting: true,
    tsconfig: '../../tsconfig.build.json',
    ...extra,
  };
}
