import { codeName } from '../codes.js';
import type { AllocatorPlugin, Constraints } from '../page-allocator.js';
import { decorate } from './decorate.js';

/** One operation and its answer, as `logged` tells it. */
export interface LogEntry {
  readonly operation: 'allocate' | 'reserve' | 'free' | 'resize';
  /** As they were passed. */
  readonly operands: readonly number[];
  readonly constraints?: Constraints;
  readonly answer: number;
}

/** Tells of every operation after it was answered. */
export function logged(plugin: AllocatorPlugin, log: (entry: LogEntry) => void): AllocatorPlugin {
  const tell = (operation: LogEntry['operation'], operands: number[], answer: number, constraints?: Constraints): number => {
    log({ operation, operands, answer, ...(constraints && { constraints }) });
    return answer;
  };
  return decorate(plugin, 'logged', (inner) => ({
    allocate: (pages, constraints) => tell('allocate', [pages], inner.allocate(pages, constraints), constraints),
    reserve: (start, pages) => tell('reserve', [start, pages], inner.reserve(start, pages)),
    free: (start, pages) => tell('free', [start, pages], inner.free(start, pages)),
    resize: (start, from, to) => tell('resize', [start, from, to], inner.resize(start, from, to)),
  }));
}

/** A log entry as one line: `allocate(4, {"alignLog2":2}) = 262144`, `free(262144, 4) = ok`. */
export function formatLogEntry({ operation, operands, constraints, answer }: LogEntry): string {
  const texts = [...operands.map(String), ...(constraints ? [JSON.stringify(constraints)] : [])];
  return `${operation}(${texts.join(', ')}) = ${operation === 'allocate' && answer >= 0 ? answer : codeName(answer)}`;
}

/** How often what was asked, and which codes were answered. */
export interface OperationCounts {
  allocate: number;
  reserve: number;
  free: number;
  resize: number;
  /** By the code's name; `ok` is not among them. */
  readonly refused: Record<string, number>;
}

/** Counts operations in `counts`, over all allocators of the plugin. */
export function counted(plugin: AllocatorPlugin): AllocatorPlugin & { readonly counts: OperationCounts } {
  const counts: OperationCounts = { allocate: 0, reserve: 0, free: 0, resize: 0, refused: {} };
  const observing = logged(plugin, ({ operation, answer }) => {
    counts[operation]++;
    if (answer < 0) counts.refused[codeName(answer)] = (counts.refused[codeName(answer)] ?? 0) + 1;
  });
  return { ...observing, name: `counted(${plugin.name})`, counts };
}
