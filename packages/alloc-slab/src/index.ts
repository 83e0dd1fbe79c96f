export { slab } from './plugin.js';
