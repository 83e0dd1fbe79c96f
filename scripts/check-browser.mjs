// Every library package, bundled for a page and served on this machine, is imported by a headless Chromium: no Node built-in slipped in.
// Needs chromium (CHROMIUM, or the one on the path) and the packages built.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build as bundle } from 'esbuild';
import { chromium } from 'playwright-core';
import { build, publishedPackages, setup } from './lib/steps.mjs';

if (!setup() || !build()) process.exit(1);
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
if (!executablePath) {
  console.error('check-browser: no chromium; install it or name it in CHROMIUM');
  process.exit(1);
}

const libraries = publishedPackages().filter(({ name, manifest }) => name.startsWith('@tablewalk/') && !manifest.peerDependencies?.vitest);
const work = mkdtempSync(join(tmpdir(), 'tablewalk-browser-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
let failed = 0;
const pages = [];
for (const [index, { name, folder }] of libraries.entries()) {
  try {
    await bundle({
      stdin: { contents: `export * from '${name}';`, resolveDir: folder, loader: 'js' },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      outfile: join(work, `${index}.js`),
      // A package may name itself: Node allows it, and the bundler resolves it through the same exports.
      logLevel: 'silent',
    });
    pages.push({ name, file: `${index}.js` });
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.errors?.map((one) => one.text).join('; ') ?? error.message}`);
  }
}

const server = createServer((request, response) => {
  const file = join(work, request.url ?? '');
  const isPage = request.url === '/';
  if (!isPage && !existsSync(file)) return response.writeHead(404).end();
  // A page of Tablewalk needs no right to evaluate JavaScript, only to compile WebAssembly.
  response.setHeader('content-security-policy', "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'");
  response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
  return response.end(isPage ? '<!doctype html><title>Tablewalk</title>' : readFileSync(file));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const browser = await chromium.launch({
  executablePath,
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  for (const { name, file } of pages) {
    const outcome = await page.evaluate(async (url) => {
      try {
        return { names: Object.keys(await import(url)).length };
      } catch (error) {
        return { error: String(error) };
      }
    }, `/${file}`);
    if (outcome.error) failed += 1;
    console.log(outcome.error ? `FAIL ${name}: ${outcome.error}` : `ok   ${name} (${outcome.names} exports)`);
  }
} finally {
  await browser.close();
  server.close();
}
console.log(failed ? `${failed} failed` : `${pages.length} packages import in ${browser.version()}`);
process.exit(failed ? 1 : 0);
