/** Constants of the flattened format (Devicetree Specification v0.4, chapter 5). All integers are big-endian. */
export const FDT_MAGIC = 0xd00dfeed;
export const FDT_VERSION = 17;
/** Oldest version whose reader understands what we write. */
export const FDT_LAST_COMPATIBLE_VERSION = 16;
export const FDT_HEADER_BYTES = 40;
export const FDT_BEGIN_NODE = 1;
export const FDT_END_NODE = 2;
export const FDT_PROP = 3;
export const FDT_NOP = 4;
export const FDT_END = 9;
/** Bytes of one reservation entry; the block ends with an entry of zeros. */
export const FDT_RESERVATION_BYTES = 16;
