import { describe, it } from 'vitest';
import { bitmapTree, knr, zoneList } from '../index.js';
import { testAllocator } from './index.js';

describe.each([bitmapTree(), knr(), zoneList()])('$name', (plugin) => {
  testAllocator(plugin, it);
});
