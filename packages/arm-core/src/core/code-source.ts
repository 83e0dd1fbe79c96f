import type { Block, CodeCache, CodePage } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { decodeModeOf, offsetShift } from './decode-mode.js';
import type { FastTable } from './fast-table.js';
import { Translator } from './translator.js';

/** What finding code needs of its core. */
export interface CodeOwner {
  readonly words: Int32Array;
  readonly fast: FastTable<CodePage>;
  readonly cache: CodeCache;
  readonly memorySystem: { readonly translation: { readonly global: boolean } };
  /** Offset in guest memory to fetch the instruction at `pc` from, of which `va` is a part. Takes the abort and leaves when there is none. */
  fetchOffset(va: number, pc: number): number;
  /** The page being executed is another object from now on. */
  leavePage(): void;
}

/** Where blocks come from: the page at PC, found by VA and decode key, and the blocks made of it so far. */
export class CodeSource {
  /** The page being executed, or null when it must be looked up. */
  page: CodePage | null = null;
  /** Decode key of the core; {@link layout.DECODE_MODE} may be ahead of it while regions run. */
  key = 0;
  private readonly owner: CodeOwner;
  private readonly words: Int32Array;
  private readonly fast: FastTable<CodePage>;
  private readonly cache: CodeCache;
  private readonly translator: Translator;
  private readonly codeAppeared: (hostPage: number) => void;

  /** `codeAppeared` is told of pages of guest memory that held no translated code before. */
  constructor(owner: CodeOwner, translator: Translator, codeAppeared: (hostPage: number) => void) {
    this.owner = owner;
    this.words = owner.words;
    this.fast = owner.fast;
    this.cache = owner.cache;
    this.translator = translator;
    this.codeAppeared = codeAppeared;
  }

  /** The block at PC. A fetch that faults takes its abort and leaves; so does running into a full cache, to begin afresh. */
  next(): Block {
    const R = this.words;
    const pc = R[layout.PC]!;
    let { page } = this;
    if (page === null || (pc ^ R[layout.PAGE_VA]!) & ~0xfff) page = this.enterPage(pc);
    if (R[layout.ITSTATE] === 0) {
      const block = page.block(pc & 0xfff);
      if (block !== undefined) return block;
    }
    return this.uncommonBlock(page, pc);
  }

  private enterPage(pc: number): CodePage {
    const tag = (pc & ~0xfff) | this.key;
    let page = this.fast.jump(tag);
    if (page === undefined) {
      const host = this.owner.fetchOffset(pc, pc);
      page = this.cache.page(Math.floor(host / 4096), this.key, offsetShift(this.key));
      this.fast.setJump(tag, page, this.owner.memorySystem.translation.global);
    }
    this.page = page;
    this.words[layout.PAGE_VA] = pc & ~0xfff;
    return page;
  }

  private uncommonBlock(page: CodePage, pc: number): Block {
    const R = this.words;
    const offset = pc & 0xfff;
    const itstate = R[layout.ITSTATE]!;
    if (itstate !== 0) {
      R[layout.ITSTATE] = 0;
      const known = page.inIt.get((offset << 8) | itstate);
      if (known !== undefined) return known;
    }
    if (this.cache.full) {
      this.cache.clear();
      this.fast.renewCode(({ hostPage, mode, shift }) => this.cache.page(hostPage, mode, shift));
      this.owner.leavePage();
      R[layout.ITSTATE] = itstate;
      return this.next();
    }
    this.cache.makeRoom();
    const pageOffset = page.hostPage * 4096;
    if (offset === 4094 && Translator.isWide(this.translator.halfword(pageOffset, 4094)))
      return this.straddlingBlock(page, pc, pageOffset, itstate);
    const block = this.translator.translate(decodeModeOf(this.key), pageOffset, offset, itstate);
    if (this.cache.add(page, block, itstate)) this.codeAppeared(page.hostPage);
    return block;
  }

  /** A T32 instruction across two pages: its second half may change with the mapping, so it is fetched each time. */
  private straddlingBlock(page: CodePage, pc: number, pageOffset: number, itstate: number): Block {
    this.words[layout.ITSTATE] = itstate;
    const host = this.owner.fetchOffset((pc + 2) | 0, pc);
    this.words[layout.ITSTATE] = 0;
    const second = this.translator.halfword(host, 0);
    const known = page.straddler;
    if (known !== undefined && known.second === second && known.itstate === itstate) return known.block;
    const block = this.translator.translate(decodeModeOf(this.key), pageOffset, 4094, itstate, second);
    if (this.cache.addStraddler(page, second, itstate, block)) this.codeAppeared(page.hostPage);
    return block;
  }
}
