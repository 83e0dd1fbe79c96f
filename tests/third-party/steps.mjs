// What the packages' check.mjs share, in the user's project.
import { spawnSync } from 'node:child_process';

export const check = (name, ok, details = '') => {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (ok) return;

  process.exitCode = 1;
  if (details) console.log(details);
};

const node = (...args) => spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000, maxBuffer: 64 << 20 });

/** Runs the tests of a file under node:test. */
export const nodeTest = (file) => node('--test', file);

/** Runs the installed command as a process. */
export const tablewalk = (...args) => node('node_modules/tablewalk/dist/main.js', ...args);

/** It says one line on standard error, nothing on standard output, and ends with the status of a wrong command line. */
export const checkRefused = (name, { status, stdout, stderr }, words) =>
  check(name, status === 64 && stdout === '' && /^tablewalk: .*\n$/.test(stderr) && stderr.includes(words), stderr);
