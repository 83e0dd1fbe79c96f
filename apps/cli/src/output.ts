import { writeSync } from 'node:fs';

/**
 * Writes to standard output without losing anything: a pipe that is full is waited for, a pipe that has closed ends the program quietly, as a
 * terminal program does.
 */
export class Output {
  private readonly fd: number;
  /** True once the reader has gone. */
  closed = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(data: Uint8Array | string): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let done = 0; done < bytes.length && !this.closed; ) {
      try {
        done += writeSync(this.fd, bytes, done, bytes.length - done);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') this.closed = true;
        else if (code === 'EAGAIN') Atomics.wait(pause, 0, 0, 2);
        else throw error;
      }
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
