import { knr } from '@tablewalk/alloc';
import { testObjectCache } from '@tablewalk/alloc/testing';
import { buddy } from '@tablewalk/alloc-buddy';
import { describe, it } from 'vitest';
import { slab } from './index.js';

describe('over bitmapTree', () => testObjectCache(slab(), it));
// Its pages and the slabs share the descriptors.
describe('over buddy', () => testObjectCache(slab(), it, { pages: buddy(), operations: 60 }));
// Its free pages hold words of their own.
describe('over knr', () => testObjectCache(slab(), it, { pages: knr(), operations: 30 }));
