import type { CoreProfile, TranslationOptions } from '@tablewalk/arm-core';
import type { BlockStorage, NetBackend, VirtioConsolePort } from '@tablewalk/devices';
import type { Diagnostics, Snapshot } from '@tablewalk/machine';
import type { Cache, CacheHierarchy, Tlb } from '@tablewalk/mmu';

/** A disk for a virtio slot. */
export interface VirtDrive {
  readonly storage: BlockStorage;
  readonly readOnly?: boolean;
  /** Up to 20 characters of ASCII. */
  readonly serial?: string;
}

/** A flash bank: 0 is where firmware starts, 1 holds its variables. */
export interface VirtFlash {
  /** Contents at power-on, at most 64 MiB; the rest of the bank is 0. */
  readonly bytes: Uint8Array;
  /** Called after the guest has changed [offset, offset + byteLength) of the bank; read it with `readMemory`. */
  readonly changed?: (offset: number, byteLength: number) => void;
}

/**
 * How much of the memory system is there. `functional`: translations and memory as software that keeps the rules sees them, at full speed.
 * `architectural`: TLBs and caches with contents, so that software which breaks the rules sees what it did. `measured`: the same, and every access goes
 * through the models, which count.
 */
export type Fidelity = 'functional' | 'architectural' | 'measured';

/** What a machine is made of. Everything has a default but something to run. */
export interface VirtMachineOptions {
  /** Bytes of RAM, 1 MiB to 3072 MiB; default 128 MiB, as QEMU. */
  readonly memory?: number;
  /** Name of a core profile, or one of your own; default `cortex-a15`. */
  readonly cpu?: string | CoreProfile;
  /** ELF, zImage, uImage or raw image. */
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  /** Kernel command line. */
  readonly append?: string;
  /** Used instead of the board's own device tree. */
  readonly dtb?: Uint8Array;
  /** Contents of flash bank 0. */
  readonly bios?: Uint8Array;
  readonly flash?: readonly [VirtFlash | undefined, VirtFlash?];
  /** The first gets the highest virtio slot. */
  readonly drives?: readonly VirtDrive[];
  /** `user`: a deterministic network of the machine's own (10.0.2.0/24). */
  readonly network?: 'user' | NetBackend;
  readonly rng?: boolean;
  readonly consolePorts?: readonly VirtioConsolePort[];
  /** virtio-mmio interface version 2 instead of QEMU's default 1. */
  readonly modernVirtio?: boolean;
  /** Seeds the device tree's seeds and the entropy device; default 0. */
  readonly seed?: number;
  /** What the real-time clock says at power-on, in seconds since 1970; default 0. */
  readonly epochSeconds?: number;
  /** Where guest errors go; default: nowhere. */
  readonly diagnostics?: Diagnostics;
  /** Start in this state (of a machine made with the same options) instead of at power-on: quicker than `restore`. */
  readonly snapshot?: Snapshot;
  /** Semihosting calls (SVC 0x123456, HLT) are taken by the machine; default false. */
  readonly semihosting?: boolean;
  /** Takes HVC calls before PSCI does: true when the call was its own. It runs in mid-instruction, so it notes what was asked and calls `stop`. */
  readonly hypervisorCall?: (immediate: number) => boolean;
  /**
   * `wasm`: hot code is translated to WebAssembly, with the same results. Default, but at `measured` for models that do not say what hits (`hits` in their
   * contracts) and at any fidelity for those that walk at each access, which only the `interpreter` has, and where the host compiles no WebAssembly (a page's Content-Security-Policy may say so).
   */
  readonly engine?: 'interpreter' | 'wasm';
  /** How eagerly, for `wasm`. */
  readonly translation?: TranslationOptions;
  /** Keep a rolling hash of the core's stores (the word STORE_HASH of its state), so that two machines can be compared: slow. Default false. */
  readonly hashesStores?: boolean;
  /** Default `functional`. */
  readonly fidelity?: Fidelity;
  /** Model of the TLB; `none` walks at each access. Default at `architectural` and `measured`: that of the core. */
  readonly tlb?: Tlb | 'none';
  /**
   * Model of the caches; `none` is one coherent memory. A single cache takes the place of the core's own of its unit, and the rest of the core's hierarchy
   * stays. Default at `architectural` and `measured`: those of the core.
   */
  readonly cache?: CacheHierarchy | Cache | 'none';
  /**
   * `forever`: the core's TLB and L1 data cache never give anything up by themselves; `finite`: what their size demands. Default `forever` at `architectural`,
   * where what happens to be given up would hide what a program forgets, and `finite` at `measured`, which counts. The TLB of a
   * core that has one for each side (cortex-a8) is finite unless `forever` is said, which makes it one. Not for models of your own.
   */
  readonly retain?: 'finite' | 'forever';
  /** Whether table walks see the L1 data cache; default as the core does. Not for a cache model of your own. */
  readonly walk?: 'coherent' | 'noncoherent';
  /** Whether virtio devices see the caches; default `coherent`. */
  readonly dma?: 'coherent' | 'noncoherent';
  /**
   * What TLB and caches hold when the machine is switched on or reset: nothing (`clean`), or what their cells happened to hold (`unknown`; from `seed`), on
   * the cores whose reset does not invalidate them (`resetUnknown` of the profile). Default on those cores: `unknown` for firmware, which is what has to
   * invalidate them, and `clean` for a kernel, which finds a machine that firmware has prepared.
   */
  readonly powerOn?: 'clean' | 'unknown';
  /** Translations and lines are given up at random besides, each after `interval` instructions on average (default 1,000). */
  readonly evictions?: { readonly seed: number; readonly interval?: number };
}
