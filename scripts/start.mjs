// npm start [-- ARGUMENTS]: install and build what is out of date, then `tablewalk ARGUMENTS` (without any: the kernel of packages/kmem).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, root, setup } from './lib/steps.mjs';

if (!setup() || !build()) process.exit(1);
const rest = process.argv.slice(2);
const result = spawnSync(process.execPath, [join(root, 'apps/cli/dist/main.js'), ...(rest.length ? rest : ['kmem'])], { stdio: 'inherit' });
if (result.error) console.error(result.error.message);
process.exit(result.status ?? 1);
