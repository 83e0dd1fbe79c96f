import type { Geometry, ObjectCache, ObjectCachePlugin, PageAllocator } from '@tablewalk/alloc/guest';
import type { VirtAddr } from '@tablewalk/machine';
import type { AbortReport } from '../guest-abort.js';
import { EXCEPTION_KINDS, FRAME_PC } from '../image/traps.js';
import { KmemError } from '../kmem-error.js';
import type { AddressSpaceState, UserSurroundings } from './address-space.js';
import { AddressSpace } from './address-space.js';
import type { AsidState } from './asids.js';
import type { Program, ProgramStop } from './programs.js';
import { copyTask, programSites, SYS_EXIT, SYS_FORK, SYS_GETPID, SYS_PUTC, SYS_YIELD, writeTask } from './programs.js';
import { TaskMemory } from './task-memory.js';

export interface ProgramSurroundings extends UserSurroundings {
  /** TTBR0 of no program. */
  readonly emptyTable: number;
  readonly walkAttributes: number;
  readonly put: (code: number) => void;
  readonly kernalloc: PageAllocator;
  readonly geometry: Geometry;
  readonly objectCache?: ObjectCachePlugin;
}

export interface ProgramTableState {
  readonly nextId: number;
  readonly current: number;
  readonly asids: AsidState;
  readonly tasks: unknown;
  readonly programs: readonly {
    readonly id: number;
    readonly task: VirtAddr;
    readonly stop: ProgramStop | undefined;
    readonly space: AddressSpaceState;
  }[];
}

/** DFSR and IFSR status FS[4], FS[3:0] (ARM DDI 0406C, B3.13.3). */
const statusOf = (fsr: number): number => ((fsr >>> 6) & 0x10) | (fsr & 0xf);
const TRANSLATION_SECTION = 0b00101;
const TRANSLATION_PAGE = 0b00111;
const PERMISSION_SECTION = 0b01101;
const PERMISSION_PAGE = 0b01111;
const WRITE = 1 << 11;

/** The programs, and which of them has the CPU. All methods but the readers run in host routines. */
export class ProgramTable {
  private readonly s: ProgramSurroundings;
  private readonly programs = new Map<number, Program>();
  private readonly tasks: TaskMemory;
  private nextId = 1;
  private current = 0;

  constructor(surroundings: ProgramSurroundings) {
    this.s = surroundings;
    this.tasks = new TaskMemory(surroundings);
  }

  /** Objects of tasks, when there is an object cache. */
  get taskCache(): ObjectCache | undefined {
    return this.tasks.cache;
  }

  get(id: number): Program {
    const program = this.programs.get(id);
    if (program === undefined) throw new KmemError('programs', `there is no program ${id}`);
    return program;
  }
  get ids(): readonly number[] {
    return [...this.programs.keys()];
  }

  /** A program with an empty address space, that will start at `entry`. Undefined when memory ran out. */
  create(entry: VirtAddr, stack: VirtAddr = 0): Program | undefined {
    const id = this.nextId;
    const space = AddressSpace.create(id, this.s);
    if (space === undefined) return undefined;
    const program = this.admit(id, space);
    if (program !== undefined) writeTask(this.s.port, program.task, entry, stack);
    return program;
  }

  private admit(id: number, space: AddressSpace): Program | undefined {
    const task = this.tasks.allocate();
    if (task === undefined) {
      space.destroy();
      return undefined;
    }
    this.nextId = id + 1;
    const program: Program = { id, space, task, stop: undefined };
    this.programs.set(id, program);
    return program;
  }

  /** Makes a program current and answers what TRAP_NEXT needs. */
  resume(id: number): { readonly task: VirtAddr; readonly ttbr0: number; readonly asid: number } {
    const program = this.get(id);
    if (program.stop !== undefined && program.stop.reason !== 'yield') throw new KmemError('programs', `program ${id} has ended`);
    const { space } = program;
    space.tag = this.s.asids.current(space.tag);
    this.current = id;
    return { task: program.task, ttbr0: (space.tablePa | this.s.walkAttributes) >>> 0, asid: space.tag.asid };
  }

  /** Ends a program: the CPU leaves its address space before anything of it is given back. */
  destroy(id: number): void {
    const program = this.get(id);
    if (this.current === id) {
      this.s.port.branch(programSites.switch_mm, this.s.port.entry('switch_mm'), this.s.emptyTable, 0);
      this.current = 0;
    }
    program.space.destroy();
    this.tasks.free(program.task);
    this.programs.delete(id);
  }

  /** Whether the program goes on. */
  fault(report: { readonly kind: number; readonly status: number; readonly address: number; readonly frame: VirtAddr }): boolean {
    const kind = EXCEPTION_KINDS[report.kind] ?? 'undefined';
    if (kind === 'irq' || kind === 'fiq') return true;
    const program = this.get(this.current);
    const status = statusOf(report.status);
    const execute = kind === 'prefetch-abort';
    const mendable =
      kind !== 'undefined' &&
      (status === TRANSLATION_SECTION || status === TRANSLATION_PAGE || status === PERMISSION_SECTION || status === PERMISSION_PAGE);
    const why = mendable
      ? program.space.fault(report.address, kind === 'data-abort' && (report.status & WRITE) !== 0, execute)
      : 'an exception that no mapping mends';
    if (why === 'mended') return true;
    const pc = this.s.port.load(programSites.load_frame, report.frame + 4 * FRAME_PC);
    const fault: AbortReport = { kind, status: report.status, address: report.address, pc, symbol: undefined };
    program.stop = { reason: 'killed', fault, why };
    return false;
  }

  /** Whether the program goes on. */
  systemCall(frame: VirtAddr): boolean {
    const { port } = this.s;
    const program = this.get(this.current);
    const register = (n: number): number => port.load(programSites.load_frame, frame + 4 * n);
    const answer = (value: number): boolean => {
      port.store(programSites.store_frame, frame, value >>> 0);
      return true;
    };
    const number = register(7);
    switch (number) {
      case SYS_EXIT:
        program.stop = { reason: 'exit', status: register(0) };
        return false;
      case SYS_PUTC:
        this.s.put(register(0));
        return true;
      case SYS_YIELD:
        program.stop = { reason: 'yield' };
        return false;
      case SYS_FORK: {
        const id = this.nextId;
        const space = program.space.fork(id);
        const child = space === undefined ? undefined : this.admit(id, space);
        if (child !== undefined) copyTask(port, frame, child.task, 0);
        return answer(child?.id ?? -1);
      }
      case SYS_GETPID:
        return answer(program.id);
      default:
        return answer(-1);
    }
  }

  state(): ProgramTableState {
    return {
      nextId: this.nextId,
      current: this.current,
      asids: this.s.asids.state(),
      tasks: this.tasks.state(),
      programs: [...this.programs.values()].map(({ id, task, stop, space }) => ({ id, task, stop, space: space.state() })),
    };
  }
  restore(state: unknown): void {
    const saved = state as ProgramTableState;
    this.nextId = saved.nextId;
    this.current = saved.current;
    this.s.asids.restore(saved.asids);
    this.tasks.restore(saved.tasks);
    this.programs.clear();
    for (const { id, task, stop, space } of saved.programs)
      this.programs.set(id, { id, task, stop, space: AddressSpace.restore(space, this.s) });
  }
}
