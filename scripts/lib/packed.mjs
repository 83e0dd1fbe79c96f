// What a user gets from the registry, before it is there: packages packed as a release packs them, and projects outside of the workspace that are
// installed from those tarballs alone.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, run } from './steps.mjs';

/** Packs the package in `folder` into `tarballs`, where `workspace:` versions have become real ones; the tarball, or undefined. */
export function pack(folder, tarballs) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = join(tarballs, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  return run('pnpm', ['pack', '--pack-destination', tarballs], { quiet: true, cwd: folder }).ok && existsSync(file) ? file : undefined;
}

/** Tarballs of every published package, by name; undefined where one could not be packed. */
export function packPublished(tarballs) {
  return new Map(publishedPackages().map(({ name, folder }) => [name, pack(folder, tarballs)]));
}

/**
 * Installs a project: `tarballs` is what its dependencies and theirs are taken from wherever they are named, `dependencies` is what it has besides.
 * Whether that went well.
 */
export function installProject(folder, tarballs, dependencies = {}) {
  const overrides = Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]));
  const manifest = {
    name: 'user',
    private: true,
    type: 'module',
    dependencies: { ...overrides, ...dependencies },
    overrides,
    pnpm: { overrides },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  return run('pnpm', ['install', '--prefer-offline', '--ignore-workspace'], { quiet: true, cwd: folder }).ok;
}
