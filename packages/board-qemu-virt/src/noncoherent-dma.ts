import type { DmaPort, GuestMemory } from '@tablewalk/machine';
import type { CoherencyMap } from '@tablewalk/mmu';

/** A bus master that does not see the caches: it reads and writes memory itself. */
export const noncoherentDma = (memory: GuestMemory, coherency: CoherencyMap): DmaPort => {
  const two = new Uint8Array(2);
  const four = new Uint8Array(4);
  const port: DmaPort = {
    contains: (address, byteLength) => memory.contains(address, byteLength),
    read(address, target) {
      if (target.length === 0) return true;
      const offset = memory.ramOffset(address, target.length);
      if (offset < 0) return false;
      coherency.readMemory(offset, target);
      return true;
    },
    write(address, source) {
      if (source.length === 0) return true;
      const offset = memory.ramOffset(address, source.length);
      if (offset < 0) return false;
      coherency.writeMemory(offset, source);
      return true;
    },
    readU16: (address) => (port.read(address, two) ? two[0]! | (two[1]! << 8) : undefined),
    readU32: (address) => (port.read(address, four) ? (four[0]! | (four[1]! << 8) | (four[2]! << 16) | (four[3]! << 24)) >>> 0 : undefined),
    writeU16: (address, value) => port.write(address, Uint8Array.of(value, value >>> 8)),
    writeU32: (address, value) => port.write(address, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24)),
  };
  return port;
};
