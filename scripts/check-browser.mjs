// Every library package, bundled for a page and served on this machine, is imported by a headless Chromium: no Node built-in slipped in. Then a page
// and a worker boot machines: a guest that they assemble themselves, to its power-off, and U-Boot (when `npm run guests` has fetched it) to its prompt
// and through `poweroff`, interpreted and translated. The page may not evaluate JavaScript, only compile WebAssembly. Needs chromium (CHROMIUM, or the one on the path) and the packages built.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

const machines = join(dirname(fileURLToPath(import.meta.url)), 'lib', 'browser-machines.mjs');
const board = libraries.find(({ name }) => name === '@tablewalk/board-qemu-virt');
await bundle({
  // Resolved from the board's folder, whose dependencies it uses.
  stdin: { contents: readFileSync(machines, 'utf8'), resolveDir: board.folder, sourcefile: machines, loader: 'js' },
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  outfile: join(work, 'machines.js'),
  logLevel: 'silent',
});
writeFileSync(
  join(work, 'worker.js'),
  `import * as jobs from '/machines.js';
onmessage = async ({ data }) => {
  try {
    postMessage({ value: await jobs[data]() });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
`,
);
const uBoot = new URL('../.guests/u-boot.bin', import.meta.url);
const haveUBoot = existsSync(uBoot);

const server = createServer((request, response) => {
  const file = request.url === '/u-boot.bin' ? fileURLToPath(uBoot) : join(work, request.url ?? '');
  const isPage = request.url === '/';
  if (!isPage && !existsSync(file)) return response.writeHead(404).end();
  // A page of Tablewalk needs no right to evaluate JavaScript, only to compile WebAssembly.
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
  );
  response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
  return response.end(isPage ? '<!doctype html><title>Tablewalk</title>' : readFileSync(file));
});
/** Runs in the page. */
async function inPage({ job, url }) {
  try {
    return { value: await (await import(url))[job]() };
  } catch (error) {
    return { error: String(error) };
  }
}

/** Runs in the page, which starts a worker. */
function inWorker({ job }) {
  return new Promise((resolve) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    const done = (outcome) => {
      worker.terminate();
      resolve(outcome);
    };
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = ({ message }) => done({ error: message || 'the worker does not start' });
    worker.postMessage(job);
  });
}

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
const version = browser.version();
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
  const jobs = ['policyInForce', 'bootAssembled', 'lockstep', ...(haveUBoot ? ['bootUBoot', 'bootUBootTranslated'] : [])];
  for (const job of jobs) {
    for (const place of ['page', 'worker']) {
      const began = performance.now();
      const { value, error } = await Promise.race([
        page.evaluate(place === 'page' ? inPage : inWorker, { job, url: '/machines.js' }),
        new Promise((resolve) => setTimeout(resolve, 100_000, { error: 'no end after 100 s' })),
      ]);
      if (error) failed += 1;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(error ? `FAIL ${job} in a ${place}: ${error}` : `ok   ${job} in a ${place}: ${value} (${seconds} s)`);
    }
  }
} finally {
  await browser.close();
  server.close();
}
if (!haveUBoot) console.log('NOT SHOWN: U-Boot in a browser; npm run guests fetches it');
console.log(failed ? `${failed} failed` : `${pages.length} packages import, and machines run, in Chromium ${version}`);
process.exit(failed ? 1 : 0);
