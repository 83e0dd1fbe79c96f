export type { BuddyOptions } from './plugin.js';
export { buddy } from './plugin.js';
