// make.mjs BUSYBOX OUT.cpio.gz [INIT [FILE...]]: a deterministic newc initramfs with a static busybox, INIT (default: the one beside this
// script) and, in /lib/modules, the files given.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';

const [busybox, out, init = new URL('init', import.meta.url), ...files] = process.argv.slice(2);
if (!busybox || !out) {
  console.error('usage: make.mjs BUSYBOX OUT.cpio.gz [INIT [FILE...]]');
  process.exit(64);
}

const chunks = [];
let length = 0;
let inode = 300000;

function append(bytes) {
  chunks.push(bytes);
  length += bytes.length;
}

function align(size) {
  const rest = length % size;
  if (rest) append(Buffer.alloc(size - rest));
}

function entry(name, mode, { data = Buffer.alloc(0), major = 0, minor = 0, links = 1 } = {}) {
  inode += 1;
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, name.length + 1, 0];
  append(Buffer.from(`070701${fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}${name}\0`, 'latin1'));
  align(4);
  append(data);
  align(4);
}

for (const directory of ['bin', 'dev', 'etc', 'proc', 'sbin', 'sys', 'tmp']) entry(directory, 0o40755, { links: 2 });
entry('bin/busybox', 0o100755, { data: readFileSync(busybox) });
entry('bin/sh', 0o120777, { data: Buffer.from('busybox') });
entry('init', 0o100755, { data: readFileSync(init) });
entry('dev/console', 0o20600, { major: 5, minor: 1 });
entry('dev/null', 0o20666, { major: 1, minor: 3 });
if (files.length > 0) {
  entry('lib', 0o40755, { links: 2 });
  entry('lib/modules', 0o40755, { links: 2 });
  for (const file of files) entry(`lib/modules/${basename(file)}`, 0o100644, { data: readFileSync(file) });
}
entry('TRAILER!!!', 0);
align(512);
writeFileSync(out, gzipSync(Buffer.concat(chunks, length), { level: 9 }));
