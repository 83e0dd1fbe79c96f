import { spawnSync } from 'node:child_process';
import { mutations } from '@tablewalk/loader/testing';
import { describe, expect, test } from 'vitest';
import { FdtError } from './fdt-error.js';
import { parseFdt } from './fdt-parser.js';
import { FdtTree } from './fdt-tree.js';
import { fdtContentBytes, writeFdt } from './fdt-writer.js';

const hasDtc = spawnSync('dtc', ['--version']).status === 0;

function sample(): FdtTree {
  const tree = new FdtTree(undefined, [{ addressHigh: 0, addressLow: 0x1000, sizeHigh: 1, sizeLow: 0x2000 }]);
  tree.set('/', '#address-cells', [1]);
  tree.addNode('/soc');
  tree.set('/soc', 'enable-method', 'psci');
  tree.set('/soc', 'ranges', true);
  tree.addNode('/soc/uart@9000000');
  tree.set('/soc/uart@9000000', 'reg', [0x9000000, 0x1000]);
  tree.set('/soc/uart@9000000', 'method', Uint8Array.of(1, 2, 3));
  return tree;
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof FdtError) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('edits', () => {
  test('new properties and nodes come first, a replaced property stays where it is', () => {
    const tree = sample();
    tree.addNode('/chosen');
    expect(tree.root.children.map(({ name }) => name)).toEqual(['chosen', 'soc']);
    expect(tree.find('/soc')?.properties.map(({ name }) => name)).toEqual(['ranges', 'enable-method']);
    tree.set('/soc', 'enable-method', 'spin');
    expect(tree.find('/soc')?.properties.map(({ name }) => name)).toEqual(['ranges', 'enable-method']);
    expect(tree.get('/soc', 'enable-method')).toEqual(new TextEncoder().encode('spin\0'));
  });

  test('look-ups', () => {
    const tree = sample();
    expect(tree.find('/')).toBe(tree.root);
    expect(tree.find('/soc/uart')?.name).toBe('uart@9000000');
    expect(tree.find('/soc/uart@1')).toBeUndefined();
    expect(tree.getCell('/', '#address-cells')).toBe(1);
    expect(tree.getCell('/soc', 'ranges')).toBeUndefined();
    expect(tree.get('/nothing', 'x')).toBeUndefined();
  });

  test('mistakes are typed', () => {
    expect(refusal(() => sample().set('/nothing', 'a', true))).toMatch(/no such node/);
    expect(refusal(() => sample().addNode('/soc'))).toMatch(/it exists/);
    expect(refusal(() => sample().addNode('/a/b'))).toMatch(/parent does not exist/);
    expect(refusal(() => sample().addNode('/'))).toMatch(/root node again/);
    expect(refusal(() => sample().find('soc'))).toMatch(/not an absolute path/);
  });

  test('text is UTF-8', () => {
    const tree = sample();
    tree.set('/', 'model', 'Ünï €𝄞');
    expect(tree.get('/', 'model')).toEqual(new TextEncoder().encode('Ünï €𝄞\0'));
  });
});

describe('a written blob', () => {
  test('reads back to the same tree and to the same bytes', () => {
    const blob = writeFdt(sample());
    const again = parseFdt(blob);
    expect(again.root).toEqual(sample().root);
    expect(again.reservations).toEqual(sample().reservations);
    expect(writeFdt(again)).toEqual(blob);
    expect(fdtContentBytes(blob)).toBe(blob.length);
  });

  test('a name that ends another one shares its bytes', () => {
    const text = Buffer.from(writeFdt(sample())).toString('latin1');
    expect(text.match(/method\0/g)).toHaveLength(1);
  });

  test('padding up to totalsize, which must be enough', () => {
    const blob = writeFdt(sample(), { totalSize: 4096 });
    expect(blob).toHaveLength(4096);
    expect(new DataView(blob.buffer).getUint32(4)).toBe(4096);
    expect(fdtContentBytes(blob)).toBe(writeFdt(sample()).length);
    expect(parseFdt(blob).root).toEqual(sample().root);
    expect(refusal(() => writeFdt(sample(), { totalSize: 100 }))).toMatch(/only 100 are allowed/);
  });

  test.runIf(hasDtc)('is what dtc says it is', () => {
    const { stdout, status } = spawnSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts'], { input: writeFdt(sample()) });
    expect(status).toBe(0);
    expect(stdout.toString()).toBe(
      `/dts-v1/;

/memreserve/	0x0000000000001000 0x0000000100002000;
/ {
	#address-cells = <0x01>;

	soc {
		ranges;
		enable-method = "psci";

		uart@9000000 {
			method = [01 02 03];
			reg = <0x9000000 0x1000>;
		};
	};
};
`,
    );
  });
});

test.runIf(hasDtc)('a blob from dtc, of version 16 and 17, reads as its source', () => {
  const source = '/dts-v1/; / { model = "m"; a { b { c = <1 2>; }; }; d@1 { reg = <1>; }; };';
  for (const version of ['16', '17']) {
    const { stdout } = spawnSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-V', version], { input: source });
    const tree = parseFdt(stdout);
    expect(tree.root.children.map(({ name }) => name)).toEqual(['a', 'd@1']);
    expect(tree.get('/a/b', 'c')).toEqual(Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2));
  }
});

describe('damaged blobs are refused with one line', () => {
  const changed = (at: number, word: number): Uint8Array => {
    const blob = writeFdt(sample());
    new DataView(blob.buffer).setUint32(at, word);
    return blob;
  };
  const struct = 48 + 32;
  test.each([
    ['nothing', new Uint8Array(0), /too few/],
    ['another magic number', changed(0, 1), /magic/],
    ['truncated', writeFdt(sample()).slice(0, -1), /truncated/],
    ['an old version', changed(20, 3), /version 3/],
    ['a new version', changed(24, 18), /compatible with 18/],
    ['strings outside', changed(12, 0xfffffff0), /strings block/],
    ['structure outside', changed(36, 0x7fffffff), /structure block/],
    ['structure unaligned', changed(8, struct + 2), /structure block/],
    ['reservations without an end', changed(16, 0xfffffff8), /reservation block/],
    ['no root', changed(struct, 3), /starts with token 3/],
    ['an unknown token', changed(struct + 8, 77), /unknown token 77/],
    ['a property that is too long', changed(struct + 12, 0xffffff00), /leaves the structure block/],
    ['a property without a name', changed(struct + 16, 0xffff), /outside the strings block/],
  ])('%s', (_, blob, message) => {
    const text = refusal(() => parseFdt(blob));
    expect(text).toMatch(message);
    expect(text).toMatch(/^\[board-qemu-virt\] \[fdt\] [^\n]+$/);
  });

  test('endless nesting', () => {
    const tree = new FdtTree();
    let path = '';
    for (let depth = 0; depth < 70; depth++) tree.addNode((path += '/n'));
    expect(refusal(() => parseFdt(writeFdt(tree)))).toMatch(/deeper than 64/);
  });

  test('fuzzing: accepted or refused, never anything else; what is accepted can be edited and written', () => {
    let accepted = 0;
    for (const blob of mutations(7, writeFdt(sample(), { totalSize: 512 }), 20_000)) {
      try {
        const tree = parseFdt(blob);
        if (tree.find('/fuzz') === undefined) tree.addNode('/fuzz');
        tree.set('/fuzz', 'method', 'x');
        parseFdt(writeFdt(tree));
        accepted++;
      } catch (error) {
        if (!(error instanceof FdtError)) throw error;
      }
    }
    expect(accepted).toBeGreaterThan(100);
  });
});
