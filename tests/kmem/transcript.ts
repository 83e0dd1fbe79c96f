import type { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { KernelMachine, KernelProgram } from '@tablewalk/kmem';

/**
 * A kernel's host routines are TypeScript, which real QEMU cannot run; what they do to the machine is a list of instructions with known operands.
 * So a run here is written down, operation by operation, and becomes machine code: each HVC of the image is answered by the code of the
 * routine that answered it here. QEMU's board answers every HVC itself, as PSCI, so the image's become UDF and the undefined-instruction vector
 * dispatches.
 */
type Event =
  | {
      readonly kind: 'operation';
      readonly word: number;
      readonly r0: number;
      readonly r1: number;
      readonly after: readonly [number, number];
      readonly faulted: boolean;
    }
  /** The CPU was let run at `pc` with these registers r0-r14. */
  | { readonly kind: 'resume'; readonly pc: number; readonly registers: readonly number[] };

export interface Transcript {
  readonly events: readonly Event[];
  /** The number of the first operation after the MMU was switched on. */
  readonly linkedFrom: number;
}

const PC = 15;

/** Writes down what a kernel does with a machine. Give the result to `attach`, and `trapped` as the way to `hypervisorCall`. */
export const record = (
  machine: VirtMachine,
  program: KernelProgram,
): { readonly machine: KernelMachine; readonly transcript: () => Transcript; readonly trapped: () => void } => {
  const events: Event[] = [];
  const R = machine.cpu.core.words;
  let waiting = false;
  let linkedFrom = -1;
  const wordAt = (pc: number): number => {
    const base = pc >= program.layout.split ? program.layout.linkAddress : program.layout.loadAddress;
    return new DataView(program.bytes.buffer, program.bytes.byteOffset).getUint32(pc - base, true);
  };
  return {
    trapped: () => {
      waiting = true;
    },
    transcript: () => ({ events, linkedFrom }),
    machine: {
      cpu: machine.cpu,
      mmu: machine.mmu,
      get instructions() {
        return machine.instructions;
      },
      runFor: (count) => {
        const pc = R[PC]! >>> 0;
        if (pc >= program.layout.split && linkedFrom < 0) linkedFrom = events.length;
        if (count !== 1) {
          const last = events[events.length - 1];
          if (waiting && !(last?.kind === 'operation' && last.faulted))
            events.push({ kind: 'resume', pc, registers: Array.from(R.subarray(0, 15), (value) => value >>> 0) });
          waiting = false;
          return machine.runFor(count);
        }
        const [r0, r1] = [R[0]! >>> 0, R[1]! >>> 0];
        const end = machine.runFor(1);
        waiting = true;
        // A branch's effect is where the CPU is let run next.
        const word = wordAt(pc);
        if ((word & 0x0ffffff0) !== 0x012fff30)
          events.push({ kind: 'operation', word, r0, r1, after: [R[0]! >>> 0, R[1]! >>> 0], faulted: R[PC]! >>> 0 !== pc + 4 });
        return end;
      },
      stop: () => machine.stop(),
      observe: (observers) => machine.observe(observers),
      readMemory: (address, byteLength) => machine.readMemory(address, byteLength),
      snapshot: () => machine.snapshot(),
      restore: (snapshot) => machine.restore(snapshot),
    },
  };
};

/** Text for a transcript, behind the start-up code; the same image runs here and on QEMU, so the addresses are the same. */
export const padSource =
  (byteLength: number) =>
  (source: string): string =>
    `${source}\n  .balign 4096\ntranscript:\n  .space ${byteLength}\n`;

/** What a run on QEMU left in the data page: where the first difference was (0: nowhere), and how many there were. */
export const RESULT_WORDS = 4;

/** The image with its pad filled by the transcript's code and its undefined-instruction vector led there. */
export const transcriptImage = (program: KernelProgram, { events, linkedFrom }: Transcript): Uint8Array => {
  const bytes = program.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < bytes.length; n += 4)
    if ((view.getUint32(n, true) & 0xfffffff0) >>> 0 === 0xe144b070) view.setUint32(n, 0xe7f000f0, true);
  const { linkAddress, loadAddress } = program.layout;
  const start = program.address('transcript') - linkAddress;
  const limit = program.address('kernel_text') - linkAddress;
  let at = start;
  const emit = (word: number): void => {
    if (at + 4 > limit) throw new Error('the transcript does not fit its pad');
    view.setUint32(at, word >>> 0, true);
    at += 4;
  };
  const half = (opcode: number, register: number, value: number): void =>
    emit(opcode | ((value >>> 12) << 16) | (register << 12) | (value & 0xfff));
  const load = (register: number, value: number): void => {
    half(0xe3000000, register, value & 0xffff);
    if (value >>> 16 !== 0) half(0xe3400000, register, value >>> 16);
  };
  const branch = (condition: number, link: boolean, from: number, to: number): number =>
    ((condition << 28) | (link ? 0x0b000000 : 0x0a000000) | (((to - from - 8) >> 2) & 0xffffff)) >>> 0;

  // The dispatcher, in Undefined mode: TPIDRURW holds where to go on, relative to the image.
  const dispatcher = at;
  emit(0xee1d0f50 | (14 << 12)); // mrc p15, 0, lr, c13, c0, 2
  emit(0xe24fd000 | 0); // sub sp, pc, #0: where this is, plus 8
  emit(0xe08ee00d); // add lr, lr, sp
  emit(0xee0d0f50 | (14 << 12)); // mcr p15, 0, lr, c13, c0, 2
  emit(0xf1020013); // cps #0x13
  emit(0xee1d0f50 | (14 << 12));
  emit(0xe12fff1e); // bx lr
  const fromDispatcher = (place: number): number => place - (dispatcher + 12);
  const mismatch = [loadAddress, linkAddress].map((base) => {
    const place = at;
    load(4, program.address('data') - linkAddress + base);
    emit(0xe5945000); // ldr r5, [r4]
    emit(0xe3550000); // cmp r5, #0
    emit(0x05843000); // streq r3, [r4]
    emit(0x05840008); // streq r0, [r4, #8]
    emit(0x0584100c); // streq r1, [r4, #12]
    emit(0xe5945004); // ldr r5, [r4, #4]
    emit(0xe2855001); // add r5, r5, #1
    emit(0xe5845004); // str r5, [r4, #4]
    emit(0xe12fff1e);
    return place;
  });
  // A jump from where an operation should have faulted: the difference is written down, and the machine powered off.
  const first = at;
  const begin = events.findIndex(({ kind }) => kind === 'resume');
  // The first resume is the start of the image; nothing happens before it.
  if (begin !== 0) throw new Error('a transcript begins with the start of the machine');
  let segment = first;
  const segments: number[] = [];
  const patches: { readonly at: number; readonly register: number; readonly segment: number }[] = [];
  const newSegment = (): void => {
    segment = at;
    segments.push(segment);
  };
  events.forEach((event, index) => {
    if (index === 0) return;
    if (events[index - 1]!.kind === 'resume') newSegment();
    const linked = linkedFrom >= 0 && index >= linkedFrom;
    if (event.kind === 'operation') {
      load(0, event.r0);
      load(1, event.r1);
      if (event.faulted) {
        // The exception goes on with the next segment.
        patches.push({ at, register: 2, segment: segments.length });
        at += 8;
        emit(0xee0d2f50); // mcr p15, 0, r2, c13, c0, 2
      }
      emit(event.word);
      load(3, index);
      if (event.faulted) {
        emit(branch(14, true, at, mismatch[linked ? 1 : 0]!));
        load(0, 0x84000008);
        emit(0xe1400070); // hvc #0
        newSegment();
        return;
      }
      for (const [register, value] of event.after.entries()) {
        if (value === (register === 0 ? event.r0 : event.r1)) continue;
        load(2, value);
        emit(0xe1300002 | (register << 16)); // teq rN, r2
        emit(branch(1, true, at, mismatch[linked ? 1 : 0]!));
      }
      return;
    }
    patches.push({ at, register: 0, segment: segments.length });
    at += 8;
    emit(0xee0d0f50); // mcr p15, 0, r0, c13, c0, 2
    event.registers.forEach((value, register) => {
      if (register !== 13) load(register, value);
    });
    emit(0xe51ff004); // ldr pc, [pc, #-4]
    emit(event.pc);
  });
  segments.push(at);
  for (const patch of patches) {
    const end = at;
    at = patch.at;
    const value = fromDispatcher(segments[patch.segment] ?? end) >>> 0;
    half(0xe3000000, patch.register, value & 0xffff);
    half(0xe3400000, patch.register, value >>> 16);
    at = end;
  }
  // The image begins with a jump to where TPIDRURW gets its first value, and the instruction that stood there.
  const prologue = at;
  load(0, fromDispatcher(segments[0]!) >>> 0);
  emit(0xee0d0f50);
  emit(view.getUint32(0, true));
  emit(branch(14, false, at, 4));
  view.setUint32(0, branch(14, false, 0, prologue), true);
  const vector = program.address('vectors') - linkAddress + 4;
  view.setUint32(vector, branch(14, false, vector, dispatcher), true);
  return bytes;
};
