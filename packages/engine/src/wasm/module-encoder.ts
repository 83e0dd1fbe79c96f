import { ByteWriter } from './byte-writer.js';

/** Section numbers (WebAssembly Core Specification 2.0, section 5.5.2). */
const SECTION_TYPE = 1;
const SECTION_IMPORT = 2;
const SECTION_FUNCTION = 3;
const SECTION_EXPORT = 7;
const SECTION_CODE = 10;

const KIND_FUNCTION = 0;
const KIND_TABLE = 1;
const FUNCTION_REFERENCE = 0x70;
const KIND_MEMORY = 2;
const FORM_FUNCTION = 0x60;

/**
 * One module: a memory, functions and perhaps a table of functions imported, functions defined and exported. Imports number the functions before the defined
 * ones, and may still be added while bodies are being written: where one defined function calls another its number is written at the end.
 */
export class ModuleEncoder {
  private readonly types: { readonly key: string; readonly parameters: readonly number[]; readonly results: readonly number[] }[] = [];
  private readonly imports: { readonly module: string; readonly name: string; readonly type: number }[] = [];
  private readonly functions: {
    readonly type: number;
    readonly body: Uint8Array;
    readonly name: string;
    readonly calls: readonly number[];
  }[] = [];
  private readonly memoryModule: string;
  private readonly memoryName: string;
  private readonly tableName: string | undefined;

  /** The memory is imported as `module`.`memory`, the table as `module`.`table` if there is one, of any size. */
  constructor(module: string, memory: string, table?: string) {
    this.memoryModule = module;
    this.memoryName = memory;
    this.tableName = table;
  }

  /** Index of a function type; equal types are one. */
  type(parameters: readonly number[], results: readonly number[]): number {
    const key = `${parameters.join()}:${results.join()}`;
    const known = this.types.findIndex((type) => type.key === key);
    return known >= 0 ? known : this.types.push({ key, parameters, results }) - 1;
  }

  /** Imports a function; its number is the number of imports before it. */
  importFunction(module: string, name: string, type: number): number {
    return this.imports.push({ module, name, type }) - 1;
  }

  /** Adds a function, exported under a name. `body` is everything of its code entry but the length, `calls` as `FunctionWriter.callsOfDefined` has it. */
  addFunction(type: number, body: Uint8Array, name: string, calls: readonly number[] = []): void {
    this.functions.push({ type, body, name, calls });
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = new ByteWriter();
    const close = (id: number): void => {
      out.byte(id);
      out.unsigned(section.length);
      out.append(section.view());
      section.reset();
    };

    section.unsigned(this.types.length);
    for (const { parameters, results } of this.types) {
      section.byte(FORM_FUNCTION);
      section.unsigned(parameters.length);
      section.append(parameters);
      section.unsigned(results.length);
      section.append(results);
    }
    close(SECTION_TYPE);

    section.unsigned(this.imports.length + (this.tableName === undefined ? 1 : 2));
    section.name(this.memoryModule);
    section.name(this.memoryName);
    section.append([KIND_MEMORY, 0, 0]);
    if (this.tableName !== undefined) {
      section.name(this.memoryModule);
      section.name(this.tableName);
      section.append([KIND_TABLE, FUNCTION_REFERENCE, 0, 0]);
    }
    for (const { module, name, type } of this.imports) {
      section.name(module);
      section.name(name);
      section.byte(KIND_FUNCTION);
      section.unsigned(type);
    }
    close(SECTION_IMPORT);

    section.unsigned(this.functions.length);
    for (const { type } of this.functions) section.unsigned(type);
    close(SECTION_FUNCTION);

    section.unsigned(this.functions.length);
    this.functions.forEach(({ name }, i) => {
      section.name(name);
      section.byte(KIND_FUNCTION);
      section.unsigned(this.imports.length + i);
    });
    close(SECTION_EXPORT);

    section.unsigned(this.functions.length);
    const number = new ByteWriter();
    for (const { body, calls } of this.functions) {
      for (let i = 0; i < calls.length; i += 2) {
        number.reset();
        number.unsigned21(this.imports.length + calls[i + 1]!);
        body.set(number.view(), calls[i]);
      }
      section.unsigned(body.length);
      section.append(body);
    }
    close(SECTION_CODE);
    return out.view().slice() as Uint8Array<ArrayBuffer>;
  }
}
