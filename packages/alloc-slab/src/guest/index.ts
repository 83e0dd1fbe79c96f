// The same names as the package's main entry, built as a module instance of its own: an allocator in guest memory that comes from here and
// one in host memory that comes from there do not share call sites, and each stays monomorphic.
export * from '../index.js';
