// node scripts/new-package.mjs NAME "DESCRIPTION" [SIBLING...]: the skeleton of packages/NAME, which may import the siblings named.
// Then: add its row to docs/architecture.md and its arrows to tests/workspace/architecture.test.ts, and run `npx pnpm install`.
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/steps.mjs';

const [name, description, ...siblings] = process.argv.slice(2);
if (!name || !description || !/^[a-z][a-z0-9-]*$/.test(name)) {
  console.error('usage: new-package.mjs NAME "DESCRIPTION" [SIBLING...]');
  process.exit(64);
}
const folder = join(root, 'packages', name);
if (existsSync(join(folder, 'package.json'))) {
  console.error(`packages/${name} is there already`);
  process.exit(64);
}

const manifest = {
  name: `@tablewalk/${name}`,
  version: '0.1.0',
  description,
  keywords: ['arm', 'armv7', 'emulator', 'mmu', 'tlb'],
  license: 'MIT',
  author: 'Tablewalk contributors',
  type: 'module',
  sideEffects: false,
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
  files: ['dist', 'README.md', 'LICENSE'],
  engines: { node: '>=20.20' },
  publishConfig: { access: 'public', provenance: true },
  scripts: { build: 'tsup' },
  ...(siblings.length ? { dependencies: Object.fromEntries(siblings.sort().map((one) => [`@tablewalk/${one}`, 'workspace:^'])) } : {}),
};
const tsup = `import { defineConfig } from 'tsup';
import { preset } from '../../tsup.preset.js';

export default defineConfig(preset(['index']));
`;
const readme = `# @tablewalk/${name}

${description}.

Part of [Tablewalk](../../README.md), an ARMv7-A machine in TypeScript.
`;

mkdirSync(join(folder, 'src'), { recursive: true });
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(join(folder, 'tsup.config.ts'), tsup);
writeFileSync(join(folder, 'README.md'), readme);
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
if (!existsSync(join(folder, 'src/index.ts'))) writeFileSync(join(folder, 'src/index.ts'), 'export {};\n');
