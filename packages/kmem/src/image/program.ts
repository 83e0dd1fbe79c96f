import { assemble } from '@tablewalk/arm-core';
import { KmemError } from '../kmem-error.js';
import type { KernelLayout } from '../layout.js';
import { elfImage } from './elf.js';
import type { Site, SiteList } from './sites.js';
import type { StartupOptions } from './startup.js';
import { dataSource, startupSource } from './startup.js';
import * as trap from './traps.js';

export interface KernelSymbol {
  readonly name: string;
  /** Linked VA. */
  readonly address: number;
}

/** The kernel's image and what is where in it. */
export interface KernelProgram {
  readonly layout: KernelLayout;
  readonly bytes: Uint8Array;
  /** In address order. */
  readonly symbols: readonly KernelSymbol[];
  /** Bytes of code from the start of the image, a whole number of pages; data and stack follow. */
  readonly textBytes: number;
  /** Linked VA of a label. */
  address(label: string): number;
  /** Linked VA of a site's instruction. */
  site(site: Site): number;
  /** Name and offset of the symbol at or before a linked VA inside the image. */
  symbolAt(va: number): string | undefined;
  /** The image as an ELF file that says where it is loaded, for addresses other than the one that `-kernel` gives a raw image. */
  elf(): Uint8Array;
}

export interface ProgramOptions extends StartupOptions {
  readonly layout: KernelLayout;
  readonly sites: SiteList;
  /** Changes the start-up source before it is assembled. */
  readonly editSource?: (source: string) => string;
}

const textOfSites = (sites: readonly Site[]): string =>
  sites.map(({ symbol, code }) => `${symbol}:\n  ${code}\n${code.startsWith('blx') ? `  hvc #${trap.TRAP_RETURNED}\n` : ''}`).join('');

/** Assembles the kernel. */
export const kernelProgram = (options: ProgramOptions): KernelProgram => {
  const { layout } = options;
  const sites = options.sites.flatMap((group) => Object.values(group));
  const names = new Set(sites.map(({ symbol }) => symbol));
  if (names.size !== sites.length) throw new KmemError('program', 'two call sites have the same name');
  const startup = (options.editSource ?? ((text) => text))(startupSource(options));
  const source = `${startup}\n  .balign 4096\nkernel_text:\n${textOfSites(sites)}\n  b .\n  .balign 4096\n${dataSource}`;
  const { bytes, labels } = assemble(source, { origin: layout.linkAddress });
  const address = (label: string): number => {
    const found = labels.get(label);
    if (found === undefined) throw new KmemError('program', `there is no symbol '${label}'`);
    return found >>> 0;
  };
  const symbols = [...labels]
    .map(([name, value]) => ({ name, address: value >>> 0 }))
    .sort((a, b) => a.address - b.address || a.name.localeCompare(b.name));
  const places = new Map(sites.map((site) => [site, address(site.symbol)]));
  return {
    layout,
    bytes,
    symbols,
    textBytes: address('data') - layout.linkAddress,
    address,
    site: (site) => {
      const place = places.get(site);
      if (place === undefined) throw new KmemError('program', `the call site '${site.symbol}' is not in this image`);
      return place;
    },
    symbolAt: (va) => {
      if (va < layout.linkAddress || va >= layout.linkAddress + bytes.length) return undefined;
      let found: KernelSymbol | undefined;
      for (const symbol of symbols) {
        if (symbol.address > va) break;
        found = symbol;
      }
      if (found === undefined) return undefined;
      return found.address === va ? found.name : `${found.name}+0x${(va - found.address).toString(16)}`;
    },
    elf: () => elfImage(bytes, layout.linkAddress, layout.loadAddress),
  };
};
