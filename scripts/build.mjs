// npm run build: install if needed, build what is out of date.
import { build, setup } from './lib/steps.mjs';

process.exit(setup() && build({ quiet: false }) ? 0 : 1);
