// What start, test and the CI steps share: running commands, installing and building only what is out of date. Node built-ins alone,
// since it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
const isWindows = process.platform === 'win32';

/** Runs a command at the root (or in `cwd`) with the workspace's tools on the path; `quiet` shows its output only if it fails. */
export function run(command, args, { quiet = false, cwd = root, timeoutSeconds = 900, env = {} } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    timeout: timeoutSeconds * 1000,
    shell: isWindows,
    env: {
      ...process.env,
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
      DO_NOT_TRACK: '1',
      ...(quiet ? { NO_COLOR: '1', FORCE_COLOR: undefined } : {}),
      ...env,
      PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
    },
  });
  const ok = result.status === 0;
  if (!ok && quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  if (result.error) console.error(`${command}: ${result.error.message}`);
  return { ok, status: result.status ?? 1, stdout: result.stdout ?? '' };
}

/** The manifests of the root and of every workspace package, as paths relative to the root. */
export function manifests() {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [],
  );
  return ['.', ...folders.sort(), 'tests', 'bench']
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(join(root, file)));
}

/** Every published package: { name, folder, manifest }. */
export function publishedPackages() {
  return manifests()
    .map((file) => ({ folder: join(root, file, '..'), manifest: JSON.parse(readFileSync(join(root, file), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest }));
}

/** Installs the locked dependencies unless what is installed was installed from the same lockfile and manifests. Needs npm alone. */
export function setup() {
  const hash = createHash('sha256').update(process.version.split('.')[0]);
  for (const file of [...manifests(), 'pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  const key = hash.digest('hex');
  const stamp = join(root, 'node_modules', '.tablewalk-setup');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return true;
  const pnpm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;
  console.error('installing dependencies ...');
  const { ok } = run('npx', ['-y', pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], { quiet: true, env: { CI: 'true' } });
  if (!ok) return false;
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, key);
  return true;
}

/** Builds every package whose sources, or whose dependencies' sources, changed since its last build. */
export function build({ quiet = true } = {}) {
  return run('turbo', ['run', 'build', '--output-logs=errors-only', '--log-order=grouped'], { quiet }).ok;
}
