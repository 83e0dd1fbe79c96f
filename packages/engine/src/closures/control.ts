import { FLAG_C, FLAG_N, FLAG_V, FLAG_Z, PAGE_VA, PC } from '../layout.js';
import { conditionValue } from './flags.js';

type Effect = () => void;

const sequence = (body: readonly Effect[]): Effect => {
  const [a, b, c] = body;
  if (body.length === 1) return a!;
  if (body.length === 2)
    return () => {
      a!();
      b!();
    };
  if (body.length === 3)
    return () => {
      a!();
      b!();
      c!();
    };
  const all = body.slice();
  return () => {
    for (let i = 0; i < all.length; i++) all[i]!();
  };
};

/** IF: `test` is a condition code or a closure. */
export const ifEffect = (R: Int32Array, test: number | (() => number), body: readonly Effect[]): Effect => {
  const run = sequence(body);
  switch (test) {
    case 0:
      return () => {
        if (R[FLAG_Z] === 0) run();
      };
    case 1:
      return () => {
        if (R[FLAG_Z] !== 0) run();
      };
    case 2:
      return () => {
        if (R[FLAG_C] === 1) run();
      };
    case 3:
      return () => {
        if (R[FLAG_C] === 0) run();
      };
    case 10:
      return () => {
        if ((R[FLAG_N]! ^ R[FLAG_V]!) >= 0) run();
      };
    case 11:
      return () => {
        if ((R[FLAG_N]! ^ R[FLAG_V]!) < 0) run();
      };
  }
  const holds = typeof test === 'number' ? conditionValue(R, test) : test;
  return () => {
    if (holds() !== 0) run();
  };
};

/** BRANCH_IF: offsets from the page. */
export const branchEffect = (R: Int32Array, test: number | (() => number), taken: number, next: number): Effect => {
  switch (test) {
    case 0:
      return () => {
        R[PC] = R[PAGE_VA]! + (R[FLAG_Z] === 0 ? taken : next);
      };
    case 1:
      return () => {
        R[PC] = R[PAGE_VA]! + (R[FLAG_Z] !== 0 ? taken : next);
      };
    case 2:
      return () => {
        R[PC] = R[PAGE_VA]! + (R[FLAG_C] === 1 ? taken : next);
      };
    case 3:
      return () => {
        R[PC] = R[PAGE_VA]! + (R[FLAG_C] === 0 ? taken : next);
      };
    case 8:
      return () => {
        R[PC] = R[PAGE_VA]! + (R[FLAG_C] === 1 && R[FLAG_Z] !== 0 ? taken : next);
      };
    case 10:
      return () => {
        R[PC] = R[PAGE_VA]! + ((R[FLAG_N]! ^ R[FLAG_V]!) >= 0 ? taken : next);
      };
    case 11:
      return () => {
        R[PC] = R[PAGE_VA]! + ((R[FLAG_N]! ^ R[FLAG_V]!) < 0 ? taken : next);
      };
  }
  const holds = typeof test === 'number' ? conditionValue(R, test) : test;
  return () => {
    R[PC] = R[PAGE_VA]! + (holds() !== 0 ? taken : next);
  };
};
