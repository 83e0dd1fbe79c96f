/** What a semihosting call may do. Addresses are guest virtual; strings are bytes. */
export interface SemihostingHost {
  /** One byte at `va`, or undefined where the guest has no memory. */
  readByte(va: number): number | undefined;
  readWord(va: number): number | undefined;
  /** Console output. */
  write(bytes: Uint8Array): void;
  /** The guest ends with this status. */
  exit(status: number): void;
  /** Guest time in ns. */
  time(): number;
  setResult(value: number): void;
}

/* Operation numbers (Arm semihosting 2.0, chapter 5) */
const SYS_OPEN = 0x01;
const SYS_CLOSE = 0x02;
const SYS_WRITEC = 0x03;
const SYS_WRITE0 = 0x04;
const SYS_WRITE = 0x05;
const SYS_ISERROR = 0x08;
const SYS_ISTTY = 0x09;
const SYS_CLOCK = 0x10;
const SYS_ERRNO = 0x13;
const SYS_EXIT = 0x18;
const SYS_EXIT_EXTENDED = 0x20;
const SYS_ELAPSED_TICKFREQ = 0x31;

const ADP_STOPPED_APPLICATION_EXIT = 0x20026;
const FAILURE = 0xffffffff;
const ENOSYS = 38;
const LONGEST_WRITE = 1 << 16;

/** Handle of `:tt`: the console is the only file there is, so that a guest never reaches the host's. */
const CONSOLE_HANDLE = 1;

/**
 * Semihosting with a console and an exit, and no files. Everything else answers failure with errno ENOSYS.
 */
export const semihostingCall = (host: SemihostingHost, operation: number, parameter: number): void => {
  const argument = (n: number): number => host.readWord((parameter + 4 * n) >>> 0) ?? 0;
  switch (operation) {
    case SYS_WRITEC:
      host.write(readBytes(host, parameter, 1));
      return;
    case SYS_WRITE0:
      host.write(readString(host, parameter));
      return;
    case SYS_WRITE:
      if (argument(0) !== CONSOLE_HANDLE) host.setResult(argument(2));
      else {
        const length = argument(2);
        const bytes = readBytes(host, argument(1), Math.min(length, LONGEST_WRITE));
        host.write(bytes);
        host.setResult(length - bytes.length);
      }
      return;
    case SYS_OPEN: {
      const name = String.fromCharCode(...readBytes(host, argument(0), 3));
      host.setResult(name === ':tt' && argument(2) === 3 ? CONSOLE_HANDLE : FAILURE);
      return;
    }
    case SYS_CLOSE:
      host.setResult(argument(0) === CONSOLE_HANDLE ? 0 : FAILURE);
      return;
    case SYS_ISERROR:
      host.setResult((argument(0) | 0) < 0 ? 1 : 0);
      return;
    case SYS_ISTTY:
      host.setResult(argument(0) === CONSOLE_HANDLE ? 1 : 0);
      return;
    case SYS_CLOCK:
      host.setResult(Math.floor(host.time() / 10_000_000));
      return;
    case SYS_ERRNO:
      host.setResult(ENOSYS);
      return;
    case SYS_ELAPSED_TICKFREQ:
      host.setResult(1_000_000_000);
      return;
    case SYS_EXIT:
      // On a 32-bit core r1 is the reason itself; only the normal one is success.
      host.exit(parameter === ADP_STOPPED_APPLICATION_EXIT ? 0 : 1);
      return;
    case SYS_EXIT_EXTENDED:
      host.exit(argument(0) === ADP_STOPPED_APPLICATION_EXIT ? argument(1) & 0xff : 1);
      return;
    default:
      host.setResult(FAILURE);
  }
};

const readBytes = (host: SemihostingHost, va: number, length: number): Uint8Array => {
  const bytes: number[] = [];
  for (let i = 0; i < length; i++) {
    const byte = host.readByte((va + i) >>> 0);
    if (byte === undefined) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
};

const readString = (host: SemihostingHost, va: number): Uint8Array => {
  const bytes: number[] = [];
  for (let i = 0; i < LONGEST_WRITE; i++) {
    const byte = host.readByte((va + i) >>> 0);
    if (byte === undefined || byte === 0) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
};
