/** Where a value comes from: a state word, a constant, or a closure. */
export type Operand =
  | { readonly kind: 'word'; readonly word: number }
  | { readonly kind: 'const'; readonly value: number }
  | { readonly kind: 'code'; readonly run: () => number };

/** Any operand as a closure. */
export const asCode = (R: Int32Array, operand: Operand): (() => number) => {
  if (operand.kind === 'code') return operand.run;
  if (operand.kind === 'const') {
    const { value } = operand;
    return () => value;
  }
  const { word } = operand;
  return () => R[word]!;
};
