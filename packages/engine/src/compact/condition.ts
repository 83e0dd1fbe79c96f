import { FLAG_C, FLAG_N, FLAG_V, FLAG_Z } from '../layout.js';

/** Whether condition code 0-13 holds (ARM DDI 0406C, A8.3); flags as in layout.ts. */
export const holds = (R: Int32Array, code: number): boolean => {
  switch (code) {
    case 0:
      return R[FLAG_Z] === 0;
    case 1:
      return R[FLAG_Z] !== 0;
    case 2:
      return R[FLAG_C] !== 0;
    case 3:
      return R[FLAG_C] === 0;
    case 4:
      return R[FLAG_N]! < 0;
    case 5:
      return R[FLAG_N]! >= 0;
    case 6:
      return R[FLAG_V]! < 0;
    case 7:
      return R[FLAG_V]! >= 0;
    case 8:
      return R[FLAG_C] !== 0 && R[FLAG_Z] !== 0;
    case 9:
      return R[FLAG_C] === 0 || R[FLAG_Z] === 0;
    case 10:
      return (R[FLAG_N]! ^ R[FLAG_V]!) >= 0;
    case 11:
      return (R[FLAG_N]! ^ R[FLAG_V]!) < 0;
    case 12:
      return R[FLAG_Z] !== 0 && (R[FLAG_N]! ^ R[FLAG_V]!) >= 0;
    default:
      return R[FLAG_Z] === 0 || (R[FLAG_N]! ^ R[FLAG_V]!) < 0;
  }
};
