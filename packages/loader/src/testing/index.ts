export { mutations, randomWords } from './mutations.js';
