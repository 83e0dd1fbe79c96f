// npm run release: build, then publish every package whose version the registry does not have. Meant for the release workflow.
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, publishedPackages, root, run, setup } from './lib/steps.mjs';

if (!setup() || !build({ quiet: false })) process.exit(1);

// npm ties the provenance to the repository that the manifest names, and a fork is another one: it is filled in where it is known.
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
if (server && repository) {
  for (const { folder, manifest } of publishedPackages()) {
    const place = { type: 'git', url: `git+${server}/${repository}.git`, directory: relative(root, folder) };
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, repository: place }, null, 2)}\n`);
  }
}
process.exit(run('changeset', ['publish']).status);
