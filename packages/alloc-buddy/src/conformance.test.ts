import { testAllocator } from '@tablewalk/alloc/testing';
import { describe, it } from 'vitest';
import { buddy } from './index.js';

describe('orders 0 to 10', () => testAllocator(buddy(), it));
describe('orders 0 to 3', () => testAllocator(buddy({ maxOrder: 3 }), it, { operations: 100 }));
