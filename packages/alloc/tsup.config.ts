import { defineConfig } from 'tsup';
import { preset } from '../../tsup.preset.js';

// No shared chunk: `.` and `./guest` are two instances of the same source, so that the call sites of a host-memory allocator never see the
// shapes of a guest-memory one (tests/workspace/alloc-entries.test.ts holds it to that).
export default defineConfig(preset(['index', 'guest/index', 'testing/index'], { splitting: false }));
