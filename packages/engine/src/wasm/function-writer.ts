import { ByteWriter } from './byte-writer.js';
import * as wasm from './opcodes.js';
import { SHUFFLE, V128_CONST } from './simd-opcodes.js';

/** A place that branches go to; see `block` and `loop`. */
export type Label = number;
/** A local's index. */
export type Local = number;

/** Writes the code of one function: locals, instructions, labels by name instead of by depth. Reused from function to function. */
export class FunctionWriter {
  private readonly code = new ByteWriter();
  private readonly head = new ByteWriter();
  private readonly types: number[] = [];
  private readonly free: Record<number, Local[]> = {};
  private readonly definedCalls: number[] = [];
  private parameters = 0;
  private depth = 0;
  /** Offset of the core's state in the memory: known when code is written, so that an access to it needs no register. */
  readonly stateOffset: number;

  constructor(stateOffset: number) {
    this.stateOffset = stateOffset;
  }

  /** Starts a function whose first locals are its `parameters`. */
  begin(parameters: number): void {
    this.code.reset();
    this.types.length = 0;
    this.definedCalls.length = 0;
    for (const list of Object.values(this.free)) list.length = 0;
    this.parameters = parameters;
    this.depth = 0;
  }

  /** The code entry without its length: declarations of locals, instructions, `end`. */
  finish(): Uint8Array {
    const { types, head } = this;
    let runs = 0;
    for (let i = 0; i < types.length; i++) if (i === 0 || types[i] !== types[i - 1]) runs++;
    head.reset();
    head.unsigned(runs);
    for (let i = 0, first = 0; i < types.length; i++) {
      if (types[i] === types[i + 1]) continue;
      head.unsigned(i + 1 - first);
      head.byte(types[i]!);
      first = i + 1;
    }
    this.code.byte(wasm.END);
    const body = new Uint8Array(head.length + this.code.length);
    body.set(head.view());
    body.set(this.code.view(), head.length);
    return body;
  }

  /** Calls of {@link callDefined} in the body that `finish` has given: their positions, and numbers of the functions in turn. */
  callsOfDefined(): readonly number[] {
    return this.definedCalls.map((value, i) => (i % 2 === 0 ? value + this.head.length : value));
  }

  /** A new local, which begins as 0. */
  local(type: number): Local {
    return this.parameters + this.types.push(type) - 1;
  }
  /** A local for a short while: give it back with `release`. Its value is undefined at first. */
  borrow(type: number = wasm.TYPE_I32): Local {
    return this.free[type]?.pop() ?? this.local(type);
  }
  release(local: Local): void {
    const type = this.types[local - this.parameters]!;
    (this.free[type] ??= []).push(local);
  }

  op(opcode: number): void {
    this.code.byte(opcode);
  }
  i32(value: number): void {
    if (value >= -64 && value < 64) this.code.pair(wasm.I32_CONST, value & 0x7f);
    else {
      this.code.byte(wasm.I32_CONST);
      this.code.signed(value);
    }
  }
  /** Replaces the word on the stack by its bits in `mask`; the next two shift it. */
  and(mask: number): void {
    this.i32(mask);
    this.code.byte(wasm.I32_AND);
  }
  shiftLeft(amount: number): void {
    this.i32(amount);
    this.code.byte(wasm.I32_SHL);
  }
  shiftRight(amount: number): void {
    this.i32(amount);
    this.code.byte(wasm.I32_SHR_U);
  }
  i64(value: number | bigint): void {
    this.code.byte(wasm.I64_CONST);
    if (typeof value === 'number') this.code.signed(value);
    else this.code.signed64(value);
  }
  f32(value: number): void {
    this.code.byte(wasm.F32_CONST);
    this.code.float32(value);
  }
  f64(value: number): void {
    this.code.byte(wasm.F64_CONST);
    this.code.float64(value);
  }
  get(local: Local): void {
    this.code.pair(wasm.LOCAL_GET, local);
  }
  set(local: Local): void {
    this.code.pair(wasm.LOCAL_SET, local);
  }
  tee(local: Local): void {
    this.code.pair(wasm.LOCAL_TEE, local);
  }
  /** Load or store instruction at the address on the stack plus `offset`; `alignLog2` is a promise that costs nothing when broken. */
  access(opcode: number, alignLog2: number, offset: number): void {
    this.code.pair(opcode, alignLog2);
    this.code.unsigned(offset);
  }
  /** The address that accesses to the core's state start from: `access` with {@link stateOffset} + the byte offset in the state. */
  state(): void {
    this.i32(0);
  }
  /** Pushes a word of the state. */
  loadWord(word: number): void {
    this.state();
    this.access(wasm.I32_LOAD, 2, this.stateOffset + word * 4);
  }
  /** Stores what `value` pushes into a word of the state. */
  storeWord(word: number, value: () => void): void {
    this.state();
    value();
    this.access(wasm.I32_STORE, 2, this.stateOffset + word * 4);
  }
  /** The same of a local. */
  storeLocal(word: number, local: Local): void {
    this.state();
    this.get(local);
    this.access(wasm.I32_STORE, 2, this.stateOffset + word * 4);
  }
  /** Adds to a word of the state. */
  add(word: number, amount: number): void {
    this.storeWord(word, () => {
      this.loadWord(word);
      this.i32(amount);
      this.op(wasm.I32_ADD);
    });
  }
  simd(opcode: number): void {
    this.code.byte(wasm.SIMD);
    this.code.unsigned(opcode);
  }
  simdAccess(opcode: number, alignLog2: number, offset: number): void {
    this.simd(opcode);
    this.code.unsigned(alignLog2);
    this.code.unsigned(offset);
  }
  /** Pushes a vector constant: its 128 bits. */
  v128(value: bigint): void {
    this.simd(V128_CONST);
    for (let at = 0n; at < 128n; at += 8n) this.code.byte(Number((value >> at) & 0xffn));
  }
  /** Replaces two vectors by bytes of them, 0 to 15 of the first and 16 to 31 of the second. */
  shuffle(bytes: readonly number[]): void {
    this.simd(SHUFFLE);
    for (let i = 0; i < 16; i++) this.code.byte(bytes[i] ?? 0);
  }
  /** The lane of a lane access that was just written. */
  lane(lane: number): void {
    this.code.byte(lane);
  }
  call(functionIndex: number): void {
    this.code.byte(wasm.CALL);
    this.code.unsigned(functionIndex);
  }

  /** Calls the module's nth own function. Its number among all is not known yet: whoever encodes the module writes it (module-encoder.ts). */
  callDefined(n: number): void {
    this.toDefined(wasm.CALL, n);
  }

  /** The same in place of the running function. */
  returnCallDefined(n: number): void {
    this.toDefined(wasm.RETURN_CALL, n);
  }

  private toDefined(opcode: number, n: number): void {
    this.code.byte(opcode);
    this.definedCalls.push(this.code.length, n);
    this.code.unsigned21(n);
  }

  /** The same in place of the running function. */
  returnCall(functionIndex: number): void {
    this.code.byte(wasm.RETURN_CALL);
    this.code.unsigned(functionIndex);
  }

  /** Calls the function of type `type` whose table index is on the stack. */
  callIndirect(type: number): void {
    this.code.byte(wasm.CALL_INDIRECT);
    this.code.unsigned(type);
    this.code.byte(0);
  }
  /** The same in place of the running function. */
  returnCallIndirect(type: number): void {
    this.code.byte(wasm.RETURN_CALL_INDIRECT);
    this.code.unsigned(type);
    this.code.byte(0);
  }

  private open(opcode: number, type: number): Label {
    this.code.byte(opcode);
    this.code.byte(type);
    return this.depth++;
  }
  /** Branches to its label go to its end. */
  block(type: number = wasm.TYPE_NONE): Label {
    return this.open(wasm.BLOCK, type);
  }
  /** Branches to its label go to its beginning. */
  loop(): Label {
    return this.open(wasm.LOOP, wasm.TYPE_NONE);
  }
  if(type: number = wasm.TYPE_NONE): Label {
    return this.open(wasm.IF, type);
  }
  else(): void {
    this.code.byte(wasm.ELSE);
  }
  end(): void {
    this.code.byte(wasm.END);
    this.depth--;
  }
  br(label: Label): void {
    this.code.byte(wasm.BR);
    this.code.unsigned(this.depth - 1 - label);
  }
  brIf(label: Label): void {
    this.code.byte(wasm.BR_IF);
    this.code.unsigned(this.depth - 1 - label);
  }
  /** Branches to `labels[i]` for the i on the stack, to `other` for an i that is larger. */
  brTable(labels: readonly Label[], other: Label): void {
    this.code.byte(wasm.BR_TABLE);
    this.code.unsigned(labels.length);
    for (const label of labels) this.code.unsigned(this.depth - 1 - label);
    this.code.unsigned(this.depth - 1 - other);
  }
}
