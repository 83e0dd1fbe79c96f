/**
 * The `WebAssembly` namespace (WebAssembly JavaScript Interface, W3C), as far as the libraries use it. TypeScript ships it only inside
 * its DOM library, which the libraries must not see: they run in workers, pages and Node alike.
 */
declare namespace WebAssembly {
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'anyfunc' | 'externref';
  type ImportExportKind = 'function' | 'table' | 'memory' | 'global' | 'tag';
  type TableKind = 'anyfunc' | 'externref';
  type ExportValue = CallableFunction | Global | Memory | Table;
  type ImportValue = ExportValue | number | bigint;
  type Exports = Record<string, ExportValue>;
  type ModuleImports = Record<string, ImportValue>;
  type Imports = Record<string, ModuleImports>;
  type Source = ArrayBuffer | ArrayBufferView;

  interface MemoryDescriptor {
    /** 64 KiB pages. */
    initial: number;
    maximum?: number;
    shared?: boolean;
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBuffer;
    /** Grows by `delta` pages; the pages there were before. Detaches the old buffer. */
    grow(delta: number): number;
  }

  interface TableDescriptor {
    element: TableKind;
    initial: number;
    maximum?: number;
  }
  class Table {
    constructor(descriptor: TableDescriptor, value?: unknown);
    readonly length: number;
    // biome-ignore lint/suspicious/noExplicitAny: a table slot holds a function of any shape, or nothing.
    get(index: number): any;
    grow(delta: number, value?: unknown): number;
    set(index: number, value?: unknown): void;
  }

  interface GlobalDescriptor {
    value: ValueType;
    mutable?: boolean;
  }
  class Global<T = number> {
    constructor(descriptor: GlobalDescriptor, value?: T);
    value: T;
    valueOf(): T;
  }

  interface ModuleExportDescriptor {
    kind: ImportExportKind;
    name: string;
  }
  interface ModuleImportDescriptor {
    kind: ImportExportKind;
    module: string;
    name: string;
  }
  class Module {
    constructor(bytes: Source);
    static exports(module: Module): ModuleExportDescriptor[];
    static imports(module: Module): ModuleImportDescriptor[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  interface InstantiatedSource {
    instance: Instance;
    module: Module;
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function compile(bytes: Source): Promise<Module>;
  function instantiate(bytes: Source, imports?: Imports): Promise<InstantiatedSource>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function validate(bytes: Source): boolean;
}
