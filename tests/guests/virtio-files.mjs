import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** An initramfs with the virtio modules, and a disk with a file on it: `virtio.cpio.gz` and `disk.img` in the folder `cache`, made afresh. */
export const virtioFiles = (guests, cache) => {
  mkdirSync(cache, { recursive: true });
  const modules = [
    'drivers/virtio/virtio_mmio',
    'drivers/block/virtio_blk',
    'net/core/failover',
    'drivers/net/net_failover',
    'drivers/net/virtio_net',
  ];
  modules.push(
    'drivers/char/virtio_console',
    'drivers/char/hw_random/virtio-rng',
    'lib/crc16',
    'crypto/crc32c_generic',
    'fs/mbcache',
    'fs/jbd2/jbd2',
    'fs/ext4/ext4',
  );
  const initrd = join(cache, 'virtio.cpio.gz');
  const paths = modules.map((name) => join(guests, 'modules-armmp/kernel', `${name}.ko`));
  execFileSync(process.execPath, [
    join(here, 'initramfs/make.mjs'),
    join(guests, 'busybox'),
    initrd,
    join(here, 'initramfs/init-virtio'),
    ...paths,
  ]);
  const disk = join(cache, 'disk.img');
  const content = join(cache, 'disk');
  rmSync(disk, { force: true });
  mkdirSync(content, { recursive: true });
  writeFileSync(join(content, 'hello'), 'hello from the host\n');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', content, disk, '16M'], { stdio: 'ignore' });
  return { initrd, disk };
};
