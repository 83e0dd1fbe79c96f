import { describe, expect, it } from 'vitest';
import config from '../tsup.config.js';
import * as guest from './guest/index.js';
import * as host from './index.js';

describe('the entries . and ./guest', () => {
  it('are built without a chunk in common, so that each has call sites of its own', () => {
    expect(config).toMatchObject({ splitting: false, entry: { index: 'src/index.ts', 'guest/index': 'src/guest/index.ts' } });
  });

  it('have the same names', () => {
    expect(Object.keys(guest).sort()).toEqual(Object.keys(host).sort());
  });
});
