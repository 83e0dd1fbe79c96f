#!/usr/bin/env node
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
if (process.argv.includes('--version')) {
  console.log(version);
} else {
  console.error(`tablewalk ${version}: usage: tablewalk --version`);
  process.exitCode = 64;
}
