import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { plantedErrors } from './planted-errors.mjs';

describe('errors to plant in the translator', () => {
  it('are ten, each in a place that exists once', () => {
    expect(plantedErrors.length).toBeGreaterThanOrEqual(10);
    for (const { name, file, from, to } of plantedErrors) {
      expect(readFileSync(file, 'utf8').split(from).length - 1, name).toBe(1);
      expect(to).not.toBe(from);
    }
  });
});
