// npm run setup: install the locked dependencies.
import { setup } from './lib/steps.mjs';

process.exit(setup() ? 0 : 1);
