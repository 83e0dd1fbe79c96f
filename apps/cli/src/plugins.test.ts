import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { noneTlb } from '@tablewalk/mmu';
import { afterAll, describe, expect, it } from 'vitest';
import { cacheKind, tlbKind } from './model-kinds.js';
import type { PluginKind } from './plugins.js';
import { resolvePlugin } from './plugins.js';

interface Thing {
  readonly contract: 3;
  readonly name: string;
  readonly options: unknown;
  run(): number;
}
const things: PluginKind<Thing> = {
  role: 'thing',
  contract: 3,
  builtIn: { zoneList: async () => (options) => ({ contract: 3, name: 'test/zone-list', options, run: () => 1 }) },
  members: { run: 'function' },
  stateful: false,
};

const folder = mkdtempSync(join(tmpdir(), 'tablewalk-plugins-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
  return `./${name}`;
};
const resolve = (specifier: string) => resolvePlugin(things, specifier, folder);
const good = 'contract: 3, run() { return 7; }';

describe('built-in plugins', () => {
  it.each(['zoneList', 'zone-list', 'zonelist', 'ZONE_LIST'])('are found as %s', async (name) => {
    expect((await resolve(name)).create().name).toBe('test/zone-list');
  });

  it('take options behind colons', async () => {
    const { create } = await resolve('zoneList:maxZones=0x40:name=a b:deep=true:ratio=0.5:off=false:empty=:minus=-3');
    expect(create().options).toEqual({ maxZones: 64, name: 'a b', deep: true, ratio: 0.5, off: false, empty: '', minus: -3 });
  });

  it('of the machine are there', async () => {
    expect((await resolvePlugin(tlbKind, 'none')).create().name).toBe('none');
    expect((await resolvePlugin(cacheKind, 'none')).create().name).toBe('none');
    // The lists of members are those of real models: what noneTlb has not, the kind must not ask for.
    expect(Object.keys(tlbKind.members).filter((member) => !(member in noneTlb()))).toEqual([]);
  });
});

describe('modules', () => {
  it('are taken by path: an object, a function of the options, a named export', async () => {
    file('object.mjs', `export default { name: 'me/object', ${good} };`);
    file('factory.mjs', `export const make = (options) => ({ name: 'me/factory', options, ${good} });`);
    file('two.mjs', `export const one = { name: 'me/one', ${good} }; export const two = { name: 'me/two', ${good} };`);
    file('common.cjs', `module.exports = { name: 'me/common', ${good} };`);
    expect((await resolve('./object.mjs')).create().run()).toBe(7);
    expect((await resolve(join(folder, 'object.mjs'))).create().name).toBe('me/object');
    expect((await resolve(pathToFileURL(join(folder, 'object.mjs')).href)).create().name).toBe('me/object');
    expect((await resolve('./factory.mjs:depth=2')).create().options).toEqual({ depth: 2 });
    expect((await resolve('./two.mjs#two')).create().name).toBe('me/two');
    expect((await resolve('./common.cjs')).create().name).toBe('me/common');
  });

  it('are made once for each who asks', async () => {
    file('counting.mjs', `let made = 0; export default () => ({ name: 'me/' + ++made, ${good} });`);
    const { create } = await resolve('./counting.mjs');
    expect([create().name, create().name, create().name]).toEqual(['me/1', 'me/2', 'me/3']);
  });

  it('are taken from the packages of the folder one is in, import-only ones and subpaths too', async () => {
    const manifest = {
      name: 'my-thing',
      version: '1.0.0',
      type: 'module',
      exports: { '.': { import: './main.js' }, './extra': './extra.js' },
    };
    file('node_modules/my-thing/package.json', JSON.stringify(manifest));
    file('node_modules/my-thing/main.js', `export default { name: 'my-thing', ${good} };`);
    file('node_modules/my-thing/extra.js', `export default { name: 'my-thing/extra', ${good} };`);
    expect((await resolve('my-thing')).create().name).toBe('my-thing');
    expect((await resolve('my-thing/extra')).create().name).toBe('my-thing/extra');
    await expect(resolve('my-thing/absent')).rejects.toThrow(/cannot load the thing my-thing\/absent: .*not defined by "exports"/);
  });
});

describe('what is no plugin is refused in one line', () => {
  const cases: readonly [string, string, RegExp][] = [
    ['syntax.mjs', 'export default {', /^cannot load the thing \.\/syntax\.mjs: ./],
    ['throws.mjs', "throw new Error('first line\\nsecond line');", /^cannot load the thing \.\/throws\.mjs: first line$/],
    ['throws-text.mjs', "throw 'just text';", /^cannot load the thing \.\/throws-text\.mjs: just text$/],
    ['imports.mjs', "import 'no-such-package'; export default 1;", /^cannot load the thing \.\/imports\.mjs: .*no-such-package/],
    ['nothing.mjs', '', /^the thing \.\/nothing\.mjs exports nothing$/],
    ['many.mjs', 'export const a = 1; export const b = 2;', /no default export; name one: \.\/many\.mjs#a, \.\/many\.mjs#b$/],
    ['number.mjs', 'export default 5;', /^the thing \.\/number\.mjs is no thing: it is a number$/],
    ['null.mjs', 'export default () => null;', /is no thing: it is null$/],
    ['undefined.mjs', 'export default () => {};', /is no thing: it is undefined$/],
    ['promise.mjs', 'export default async () => ({});', /is a promise/],
    ['class.mjs', 'export default class Thing {}', /cannot be made: Class constructor Thing cannot be invoked without 'new'$/],
    ['maker.mjs', "export default () => { throw new TypeError('out of ideas'); };", /cannot be made: out of ideas$/],
    ['named.mjs', "export default () => { throw new Error('[alloc] [me/named] out of range'); };", /cannot be made: out of range$/],
    ['bare.mjs', 'export default {};', /is no thing: it states no contract version$/],
    ['old.mjs', "export default { contract: 2, name: 'me/old', run() {} };", /speaks version 2 of the thing contract; this is version 3$/],
    ['nameless.mjs', 'export default { contract: 3, run() {} };', /has no usable name/],
    ['lines.mjs', "export default { contract: 3, name: 'a\\nb', run() {} };", /has no usable name/],
    ['partial.mjs', "export default { contract: 3, name: 'me/partial' };", /is no thing: 'run' is missing$/],
    ['wrong.mjs', "export default { contract: 3, name: 'me/wrong', run: 3 };", /is no thing: 'run' is no function$/],
    ['trap.mjs', "export default { get contract() { throw new Error('boo'); } };", /throws when it is looked at: boo$/],
  ];
  it.each(cases)('%s', async (name, text, message) => {
    file(name, text);
    const error = await resolve(`./${name}`).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: 'UsageError', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('\n');
  });

  it.each([
    ['./absent.mjs', /^cannot load the thing \.\/absent\.mjs: no such file$/],
    ['.', /is a directory; name the file$/],
    ['absent', /^there is no thing 'absent': built in are zoneList; a module is named by its path/],
    ['node:fs', /^cannot load the thing node:fs: not a plugin$/],
    ['data:text/javascript,export default 1', /not a plugin$/],
    ['', /names no thing$/],
    [':a=1', /names no thing$/],
    ['./fine.mjs#absent', /exports no 'absent'$/],
    ['./fine.mjs:a=1', /takes no options: it is not a function$/],
    ['%', /.+/],
    ['@', /.+/],
    ['a/../b', /.+/],
    ['\0', /.+/],
    ['./\0', /.+/],
  ])('%j', async (specifier, message) => {
    file('fine.mjs', `export default { name: 'me/fine', ${good} };`);
    const error = await resolve(specifier).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: 'UsageError', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('\n');
  });

  it('a TLB that is an object and not a function', async () => {
    file('tlb.mjs', 'export default { contract: 1 };');
    await expect(resolvePlugin(tlbKind, './tlb.mjs', folder)).rejects.toThrow('export a function that makes one');
  });
});
