import type { Builder } from '../builder.js';
import { ClosureCompiler } from '../closures/compile.js';
import type { AccessPort, ClosureEnvironment } from '../closures/environment.js';
import { Frame } from '../closures/environment.js';
import { compactCode } from '../compact/compact-code.js';
import type { StateViews } from '../kernel.js';
import * as layout from '../layout.js';
import * as op from '../ops.js';
import { DATA_VA, randomSource } from './random-block.test-helper.js';

const PAGES = 9;
export const BASE = 0x10000;
export const DATA_HOST = BASE + Math.ceil(layout.STATE_BYTES / 65536) * 65536;
export const PAGE_VA = 0x8000;

/** Used again and again, since a host takes long to make one: at most four machines are in use at a time. */
const memories = [0, 1, 2, 3].map(() => new WebAssembly.Memory({ initial: DATA_HOST / 65536 + 1 }));
let benches = 0;

/** A machine of one core: state, eight data pages of which four are in the fast table (one of them not for stores). */
export class Bench {
  readonly memory = memories[benches++ & 3]!;
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly state: StateViews;
  readonly words: Int32Array;
  readonly port: AccessPort;
  exchanged: number | undefined;
  /** Slow accesses: what the fast table does not have. */
  misses = 0;
  private readonly view = new DataView(this.memory.buffer);

  constructor(seed: number) {
    const at = <T>(make: new (buffer: ArrayBuffer, offset: number) => T): T => new make(this.memory.buffer, BASE);
    this.words = at(Int32Array);
    this.state = {
      words: this.words,
      f32: at(Float32Array),
      f64: at(Float64Array),
      u32: at(Uint32Array),
      u8: at(Uint8Array),
      i8: at(Int8Array),
      u16: at(Uint16Array),
      i16: at(Int16Array),
    };
    this.bytes.fill(0);
    const random = randomSource(seed);
    for (let i = 0; i < 15; i++) this.words[i] = random(3) ? random(0xffffffff) : random(64);
    for (let i = layout.FLAG_N; i <= layout.FLAG_V; i++) this.words[i] = random(3) ? random(0xffffffff) : 0;
    this.words[layout.FLAG_C] = random(2);
    for (let i = 0; i < 64; i++) this.words[layout.D0 + i] = random(0xffffffff);
    this.words[layout.PAGE_VA] = PAGE_VA;
    this.words.fill(layout.JUMP_INVALID, layout.JUMP_TABLE / 4, layout.STATE_BYTES / 4);
    for (let i = 0; i < PAGES * 4096; i++) this.bytes[DATA_HOST + i] = random(256);
    for (const table of [layout.FAST_TABLE_PL1, layout.FAST_TABLE_PL0]) {
      this.words.fill(layout.FAST_INVALID, table >> 2, (table >> 2) + layout.FAST_TABLE_ENTRIES * layout.FAST_STRIDE);
      for (let page = 0; page < 4; page++) {
        if (page === 3 && table === layout.FAST_TABLE_PL0) continue;
        const va = DATA_VA + page * 4096;
        const entry = (table >> 2) + ((va >>> 10) & 0x3ffc);
        this.words[entry + layout.FAST_READ_TAG] = va;
        this.words[entry + layout.FAST_WRITE_TAG] = page === 2 ? layout.FAST_INVALID : va;
        this.words[entry + layout.FAST_ADDEND] = DATA_HOST - DATA_VA;
      }
    }
    this.port = {
      frame: new Frame(),
      load: (va, flags) => {
        this.misses++;
        return this.load(va, flags);
      },
      store: (va, flags, value) => {
        this.misses++;
        this.store(va, flags, value);
      },
      loadMultiple: (va, list, flags) => {
        this.misses++;
        const values = Array.from(list, (_, i) => this.load(va + 4 * i, flags));
        for (let i = 0; i < list.length; i++) this.words[list[i]!] = values[i]!;
      },
      storeMultiple: (va, values, count, flags) => {
        this.misses++;
        for (let i = 0; i < count; i++) this.store(va + 4 * i, flags, values[i]!);
      },
      exchange: (target) => {
        this.exchanged = target & 1 ? target & ~1 : target & ~3;
        this.words[layout.PC] = this.exchanged;
      },
    };
  }

  private host(va: number): number {
    return DATA_HOST + ((va - DATA_VA) & 0x7fff);
  }
  private load(va: number, flags: number): number {
    const size = flags & op.MEM_SIZE;
    const isSigned = (flags & op.MEM_SIGNED) !== 0;
    const little = (flags & op.MEM_SWAP) === 0;
    if (size === 1) return isSigned ? this.view.getInt8(this.host(va)) : this.view.getUint8(this.host(va));
    if (size === 2) return isSigned ? this.view.getInt16(this.host(va), little) : this.view.getUint16(this.host(va), little);
    return this.view.getInt32(this.host(va), little);
  }
  private store(va: number, flags: number, value: number): void {
    const size = flags & op.MEM_SIZE;
    const little = (flags & op.MEM_SWAP) === 0;
    if (size === 1) this.view.setUint8(this.host(va), value & 0xff);
    else if (size === 2) this.view.setUint16(this.host(va), value & 0xffff, little);
    else this.view.setInt32(this.host(va), value, little);
  }

  environment(): ClosureEnvironment {
    return {
      state: this.state,
      m8: this.bytes,
      m16: new Uint16Array(this.memory.buffer),
      m32: new Int32Array(this.memory.buffer),
      access: this.port,
      core: this.words as never,
      bound: new Map(),
    };
  }
  compiler(): ClosureCompiler {
    return new ClosureCompiler(this.environment());
  }

  /** Everything a guest can see. */
  snapshot(): { registers: number[]; flags: unknown[]; simd: number[]; rest: number[]; memory: string } {
    return {
      registers: [...this.words.subarray(0, layout.FLAG_N), ...this.words.subarray(layout.FLAG_Q, layout.FLAG_GE + 1)],
      flags: [this.words[layout.FLAG_N]! < 0, this.words[layout.FLAG_Z] === 0, this.words[layout.FLAG_C], this.words[layout.FLAG_V]! < 0],
      simd: [...this.words.subarray(layout.D0, layout.D0 + 64)],
      rest: [...this.words.subarray(32, 36)],
      memory: Buffer.from(this.bytes.subarray(DATA_HOST, DATA_HOST + PAGES * 4096)).toString('latin1'),
    };
  }
}

export const MODE = { privileged: true, thumb: false, alignmentChecked: false, key: 4 };

/** Runs `block` by `round`: whole rounds while it branches to itself and `budget` lasts. Returns what is left. */
const runRounds = (bench: Bench, block: Builder, budget: number, round: () => void): number => {
  const count = block.offsets.length;
  let left = budget;
  while (left >= count) {
    round();
    left -= count;
    if (bench.exchanged !== undefined || bench.words[layout.PC] !== PAGE_VA + block.offsets[0]! || endsElsewhere(block)) break;
  }
  return left;
};

/** By closures alone. */
export const runClosures = (bench: Bench, block: Builder, budget: number): number => {
  const { statements } = bench.compiler().compile(block, MODE.privileged, MODE.thumb);
  return runRounds(bench, block, budget, () => {
    for (const statement of statements) statement();
  });
};

/** As compact code. */
export const runCompact = (bench: Bench, block: Builder, budget: number): number => {
  const { compiler, run } = compactCode(bench.environment(), 16);
  const { from, end } = compiler.compile(block, MODE.privileged, MODE.thumb);
  return runRounds(bench, block, budget, () => {
    bench.port.frame.limit = end;
    run(from);
  });
};

/** Blocks that set PC by value do not loop in a region. */
export const endsElsewhere = (block: Builder): boolean => {
  for (let i = 0; i < block.count; i++) {
    const kind = block.code[i * op.STRIDE]!;
    if (kind >= op.JUMP) return true;
  }
  return false;
};
