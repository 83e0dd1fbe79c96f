import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);

/** What each package may import: the arrows of docs/architecture.md. A package that is not listed here may not exist. */
const arrows: Record<string, readonly string[]> = {
  machine: [],
  engine: ['machine'],
  'arm-core': ['engine', 'machine'],
  mmu: ['machine'],
  devices: ['machine'],
  loader: [],
  'board-qemu-virt': ['arm-core', 'devices', 'engine', 'loader', 'machine', 'mmu'],
  alloc: [],
  'alloc-buddy': ['alloc'],
  'alloc-slab': ['alloc'],
  kmem: ['alloc', 'arm-core', 'machine', 'mmu'],
  hazards: ['machine', 'mmu'],
  gdb: ['machine'],
  report: [],
  vitest: ['board-qemu-virt', 'hazards'],
};

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  exports: Record<string, unknown>;
}

const packages = readdirSync(new URL('packages/', root)).filter((name) => existsSync(new URL(`packages/${name}/package.json`, root)));
const manifest = (name: string): Manifest => JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, root), 'utf8'));

function sources(name: string): string[] {
  const directory = new URL(`packages/${name}/src/`, root);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.ts')).map((file) => `packages/${name}/src/${file}`);
}

/** The module specifiers of static, type-only and dynamic imports and of re-exports. */
function imports(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/(?:^|[\s;(}])(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g)].map((match) => match[1] as string);
}

describe.each(packages)('package %s', (name) => {
  it('is known to the architecture and depends on nothing but what its arrows allow', () => {
    expect(Object.keys(arrows)).toContain(name);
    const allowed = (arrows[name] ?? []).map((other) => `@tablewalk/${other}`);
    const declared = Object.keys(manifest(name).dependencies ?? {});
    expect(declared.filter((dependency) => !allowed.includes(dependency))).toEqual([]);
  });

  it('imports only its own files and the packages it declares, and no Node built-in', () => {
    const declared = Object.keys(manifest(name).dependencies ?? {});
    const strangers: string[] = [];
    for (const file of sources(name)) {
      const isTest = file.endsWith('.test.ts');
      for (const specifier of imports(readFileSync(new URL(file, root), 'utf8'))) {
        const isRelative = specifier.startsWith('./') || specifier.startsWith('../');
        const escapes =
          isRelative && !new URL(specifier, new URL(file, root)).pathname.startsWith(new URL(`packages/${name}/`, root).pathname);
        const isDeclared = declared.some((dependency) => specifier === dependency || specifier.startsWith(`${dependency}/`));
        // A conformance kit (`src/testing`) may use the test runner that its caller has.
        const isTestOnly = isTest || file.startsWith(`packages/${name}/src/testing/`) || name === 'vitest';
        const isTestTool = isTestOnly && (specifier === 'vitest' || specifier.startsWith('node:') || specifier.startsWith('@tablewalk/'));
        if (escapes || !(isRelative || isDeclared || isTestTool)) strangers.push(`${file}: ${specifier}`);
      }
    }
    expect(strangers).toEqual([]);
  });

  it('publishes built ESM, its types, README and licence', () => {
    const published = manifest(name) as Manifest & Record<string, unknown>;
    expect(published.name).toBe(`@tablewalk/${name}`);
    expect(published).toMatchObject({
      type: 'module',
      sideEffects: false,
      license: 'MIT',
      files: ['dist', 'README.md', 'LICENSE'],
      engines: { node: '>=20.20' },
      publishConfig: { access: 'public', provenance: true },
    });
    expect(existsSync(new URL(`packages/${name}/README.md`, root))).toBe(true);
    expect(existsSync(new URL(`packages/${name}/LICENSE`, root))).toBe(true);
  });
});
