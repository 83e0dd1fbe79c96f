/** Instruction bytes of WebAssembly, as far as the emitter uses them (WebAssembly Core Specification 2.0, section 5.4). Names are the text format's. */

export const UNREACHABLE = 0x00;
export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const ELSE = 0x05;
export const END = 0x0b;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const BR_TABLE = 0x0e;
export const RETURN = 0x0f;
export const CALL = 0x10;
export const CALL_INDIRECT = 0x11;
export const RETURN_CALL_INDIRECT = 0x13;
export const DROP = 0x1a;
export const SELECT = 0x1b;
export const LOCAL_GET = 0x20;
export const LOCAL_SET = 0x21;
export const LOCAL_TEE = 0x22;

export const I32_LOAD = 0x28;
export const I64_LOAD = 0x29;
export const F32_LOAD = 0x2a;
export const F64_LOAD = 0x2b;
export const I32_LOAD8_S = 0x2c;
export const I32_LOAD8_U = 0x2d;
export const I32_LOAD16_S = 0x2e;
export const I32_LOAD16_U = 0x2f;
export const I32_STORE = 0x36;
export const I64_STORE = 0x37;
export const F32_STORE = 0x38;
export const F64_STORE = 0x39;
export const I32_STORE8 = 0x3a;
export const I32_STORE16 = 0x3b;

export const I32_CONST = 0x41;
export const I64_CONST = 0x42;
export const F32_CONST = 0x43;
export const F64_CONST = 0x44;

export const I32_EQZ = 0x45;
export const I32_EQ = 0x46;
export const I32_NE = 0x47;
export const I32_LT_S = 0x48;
export const I32_LT_U = 0x49;
export const I32_GT_S = 0x4a;
export const I32_GT_U = 0x4b;
export const I32_LE_S = 0x4c;
export const I32_LE_U = 0x4d;
export const I32_GE_S = 0x4e;
export const I32_GE_U = 0x4f;
export const I64_EQ = 0x51;
export const I64_NE = 0x52;
export const F32_EQ = 0x5b;
export const F32_LT = 0x5d;
export const F32_GT = 0x5e;
export const F32_GE = 0x60;
export const F64_EQ = 0x61;
export const F64_LT = 0x63;
export const F64_GT = 0x64;
export const F64_LE = 0x65;
export const F64_GE = 0x66;

export const I32_CLZ = 0x67;
export const I32_ADD = 0x6a;
export const I32_SUB = 0x6b;
export const I32_MUL = 0x6c;
export const I32_DIV_S = 0x6d;
export const I32_DIV_U = 0x6e;
export const I32_AND = 0x71;
export const I32_OR = 0x72;
export const I32_XOR = 0x73;
export const I32_SHL = 0x74;
export const I32_SHR_S = 0x75;
export const I32_SHR_U = 0x76;
export const I32_ROTL = 0x77;
export const I32_ROTR = 0x78;
export const I64_ADD = 0x7c;
export const I64_MUL = 0x7e;
export const I64_AND = 0x83;
export const I64_OR = 0x84;
export const I64_XOR = 0x85;
export const I64_SHL = 0x86;
export const I64_SHR_U = 0x88;

export const F32_ABS = 0x8b;
export const F32_NEG = 0x8c;
export const F32_SQRT = 0x91;
export const F32_ADD = 0x92;
export const F32_SUB = 0x93;
export const F32_MUL = 0x94;
export const F32_DIV = 0x95;
export const F64_ABS = 0x99;
export const F64_NEG = 0x9a;
export const F64_SQRT = 0x9f;
export const F64_ADD = 0xa0;
export const F64_SUB = 0xa1;
export const F64_MUL = 0xa2;
export const F64_DIV = 0xa3;
export const I32_WRAP_I64 = 0xa7;
export const I32_TRUNC_F32_S = 0xa8;
export const I32_TRUNC_F32_U = 0xa9;
export const I32_TRUNC_F64_S = 0xaa;
export const I32_TRUNC_F64_U = 0xab;
export const I64_EXTEND_I32_S = 0xac;
export const I64_EXTEND_I32_U = 0xad;
export const F32_CONVERT_I32_S = 0xb2;
export const F32_CONVERT_I32_U = 0xb3;
export const F32_DEMOTE_F64 = 0xb6;
export const F64_CONVERT_I32_S = 0xb7;
export const F64_CONVERT_I32_U = 0xb8;
export const F64_PROMOTE_F32 = 0xbb;
export const I64_REINTERPRET_F64 = 0xbd;
export const I32_EXTEND8_S = 0xc0;
export const I32_EXTEND16_S = 0xc1;

/** Prefix of the vector instructions (simd-opcodes.ts); what follows it is a LEB128 number. */
export const SIMD = 0xfd;

/** Value types. */
export const TYPE_I32 = 0x7f;
export const TYPE_I64 = 0x7e;
export const TYPE_F32 = 0x7d;
export const TYPE_F64 = 0x7c;
export const TYPE_V128 = 0x7b;
/** Block type without results. */
export const TYPE_NONE = 0x40;
