import { existsSync, statSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError } from './usage-error.js';

/** What follows a plugin's name as `:key=value`. */
export type PluginOptions = Readonly<Record<string, string | number | boolean>>;

/** Makes a plugin; a module exports one. */
export type PluginFactory<T> = (options: PluginOptions) => T;

export type PluginMembers = Readonly<Record<string, 'function' | 'object' | 'string' | 'number' | 'boolean'>>;

/** A kind of thing that a user may bring: what is there, and what a stranger has to look like. */
export interface PluginKind<T> {
  /** As in messages: `TLB`, `allocator`. */
  readonly role: string;
  /** Version of the contract that its caller speaks. */
  readonly contract: number;
  /** Loaders of the built-in ones, by name; `-`, `_` and case do not tell names apart. */
  readonly builtIn: Readonly<Record<string, () => Promise<PluginFactory<T>>>>;
  /** Members of the contract besides `name` and `contract`, and their `typeof`; a function where there is more than one shape. */
  readonly members: PluginMembers | ((found: Readonly<Record<string, unknown>>) => PluginMembers);
  /** True when the object has state: a module exports a function that makes one, never the thing itself. */
  readonly stateful: boolean;
}

/** A plugin that was found, made once and looked at. */
export interface ResolvedPlugin<T> {
  /** As the user spelled it. */
  readonly specifier: string;
  /** Makes another one; the first call gives the one that was looked at. */
  create(): T;
}

const line = (error: unknown): string => {
  const text = error instanceof Error ? error.message || error.name : String(error);
  // Our own errors begin with the names of package and plugin, which the line already has.
  return text
    .split('\n')[0]!
    .replace(/^(\[[^\]]*\] )+/, '')
    .trim();
};

const plain = (name: string): string => name.replace(/[-_]/g, '').toLowerCase();

/** `buddy:maxOrder=8` is the name and its options. A URL's colon is no option: there is no name and `=` behind it. */
const split = (text: string): { readonly target: string; readonly options: PluginOptions } => {
  const at = text.search(/(:[A-Za-z]\w*=[^:]*)+$/);
  if (at < 0) return { target: text, options: {} };
  const options: Record<string, string | number | boolean> = {};
  for (const part of text.slice(at + 1).split(':')) {
    const equals = part.indexOf('=');
    const value = part.slice(equals + 1);
    const isNumber = /^-?(0x[0-9a-f]+|[0-9]+(\.[0-9]+)?)$/i.test(value);
    options[part.slice(0, equals)] = value === 'true' || value === 'false' ? value === 'true' : isNumber ? Number(value) : value;
  }
  return { target: text.slice(0, at), options };
};

/** The URL of a user's module: a path or file URL from `cwd`, a package as a module in `cwd` would find it. */
const locate = async (role: string, target: string, cwd: string, names: readonly string[]): Promise<string> => {
  const isPath = /^(\.{0,2}[\\/]|[A-Za-z]:[\\/]|file:)/.test(target) || target === '.' || target === '..';
  if (isPath) {
    const path = target.startsWith('file:') ? fileURLToPath(target) : resolvePath(cwd, target);
    if (!existsSync(path)) throw new UsageError(`cannot load the ${role} ${target}: no such file`);
    if (statSync(path).isDirectory()) throw new UsageError(`cannot load the ${role} ${target}: is a directory; name the file`);
    return pathToFileURL(path).href;
  }
  // Only who brings a module of their own waits for what finds it.
  const { resolve: resolveModule } = await import('import-meta-resolve');
  try {
    const url = resolveModule(target, pathToFileURL(resolvePath(cwd, 'package.json')).href);
    if (!url.startsWith('file:')) throw new UsageError(`cannot load the ${role} ${target}: not a plugin`);
    if (existsSync(fileURLToPath(url))) return url;
    throw new UsageError(`cannot load the ${role} ${target}: its package points at a file that is not there`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_INVALID_MODULE_SPECIFIER')
      throw new UsageError(
        `there is no ${role} '${target}': built in are ${names.join(', ')}; a module is named by its path (./my.mjs) or its package, installed where you are`,
      );
    throw new UsageError(`cannot load the ${role} ${target}: ${line(error)}`, { cause: error });
  }
};

/** The export that is meant: the one behind `#`, the default one, or the only one. */
const pick = (role: string, target: string, module: Readonly<Record<string, unknown>>, exportName: string | undefined): unknown => {
  const names = Object.keys(module).filter((name) => name !== 'module.exports');
  if (exportName !== undefined) {
    if (!names.includes(exportName)) throw new UsageError(`the ${role} ${target} exports no '${exportName}'`);
    return module[exportName];
  }
  if (names.includes('default')) return module['default'];
  if (names.length === 1) return module[names[0]!];
  throw new UsageError(
    names.length === 0
      ? `the ${role} ${target} exports nothing`
      : `the ${role} ${target} has no default export; name one: ${names.map((name) => `${target}#${name}`).join(', ')}`,
  );
};

/** Refuses what does not look like the contract. A plugin's accessors are a stranger's code too. */
const inspect = <T>(kind: PluginKind<T>, target: string, value: unknown): T => {
  const refuse = (why: string): never => {
    throw new UsageError(`the ${kind.role} ${target} ${why}`);
  };
  try {
    if (typeof (value as PromiseLike<unknown> | undefined)?.then === 'function') refuse('is a promise; export it when it is there');
    if (typeof value !== 'object' || value === null)
      refuse(`is no ${kind.role}: it is ${value === null || value === undefined ? value : `a ${typeof value}`}`);
    const members = value as Readonly<Record<string, unknown>>;
    const { contract, name } = members;
    if (typeof contract !== 'number') refuse(`is no ${kind.role}: it states no contract version`);
    if (contract !== kind.contract) refuse(`speaks version ${contract} of the ${kind.role} contract; this is version ${kind.contract}`);
    if (typeof name !== 'string' || !/^[\x21-\x7e]([\x20-\x7e]{0,78}[\x21-\x7e])?$/.test(name))
      refuse('has no usable name: 1 to 80 printable characters');
    const expected = typeof kind.members === 'function' ? kind.members(members) : kind.members;
    for (const [member, type] of Object.entries(expected)) {
      const found = members[member];
      if (typeof found !== type || found === null)
        refuse(`is no ${kind.role}: '${member}' is ${found === undefined ? 'missing' : `no ${type}`}`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    refuse(`throws when it is looked at: ${line(error)}`);
  }
  return value as T;
};

/**
 * Finds a plugin by the name of a built-in one or by a module specifier: `name`, `./file.mjs`, `package`, each with `#export` and
 * `:option=value` as wanted. Throws a {@link UsageError} of one line for a module that is missing, throws, exports nonsense or speaks another
 * version of the contract.
 */
export const resolvePlugin = async <T>(kind: PluginKind<T>, specifier: string, cwd = process.cwd()): Promise<ResolvedPlugin<T>> => {
  const { target, options } = split(specifier);
  if (target === '') throw new UsageError(`'${specifier}' names no ${kind.role}`);
  const builtIn = Object.keys(kind.builtIn).find((name) => plain(name) === plain(target));
  const exported = builtIn === undefined ? await load(kind, target, cwd) : await kind.builtIn[builtIn]!();
  if (kind.stateful && typeof exported === 'object' && exported !== null)
    throw new UsageError(`the ${kind.role} ${target} is an object: export a function that makes one, since each has its own state`);
  if (typeof exported !== 'function' && Object.keys(options).length > 0)
    throw new UsageError(`the ${kind.role} ${target} takes no options: it is not a function`);
  const make = (): T => {
    if (typeof exported !== 'function') return inspect(kind, target, exported);
    let made: unknown;
    try {
      made = (exported as PluginFactory<T>)(options);
    } catch (error) {
      throw new UsageError(`the ${kind.role} ${target} cannot be made: ${line(error)}`, { cause: error });
    }
    return inspect(kind, target, made);
  };
  let first: T | undefined = make();
  return {
    specifier,
    create: () => {
      const made = first ?? make();
      first = undefined;
      return made;
    },
  };
};

const load = async <T>(kind: PluginKind<T>, target: string, cwd: string): Promise<unknown> => {
  const hash = /^(.+)#([A-Za-z_$][\w$]*)$/.exec(target);
  const file = hash?.[1] ?? target;
  const url = await locate(kind.role, file, cwd, Object.keys(kind.builtIn));
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UsageError(`cannot load the ${kind.role} ${file}: ${line(error)}`, { cause: error });
  }
  return pick(kind.role, file, module, hash?.[2]);
};
