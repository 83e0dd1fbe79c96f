import { evaluate } from './expression.js';

/** A label `1:`, for `1b` and `1f`. */
export interface LocalLabel {
  /** Number of the item that it stands before. */
  readonly item: number;
  /** Undefined until the first pass has come to it. */
  address: number | undefined;
}

export const isPlainName = (text: string): boolean => /^[A-Za-z_.$][\w.$]*$/.test(text);

/** The names of one source and what they are worth, as of the last pass. */
export class Symbols {
  /** Values of labels and `.equ`. A name that `.set` defines again has the value of where a pass has come to. */
  private readonly values = new Map<string, number>();
  /** Every name that is defined somewhere. */
  private readonly defined = new Set<string>();
  private readonly labels = new Set<string>();
  private readonly thumbFunctions = new Set<string>();
  /** Local labels in order. */
  private readonly locals = new Map<string, LocalLabel[]>();

  constructor(known: Readonly<Record<string, number>>) {
    for (const [name, value] of Object.entries(known)) {
      this.values.set(name, value);
      this.defined.add(name);
    }
  }

  /** Says that a name has a meaning; false when it had one. */
  define(name: string): boolean {
    if (this.defined.has(name)) return false;
    this.defined.add(name);
    return true;
  }

  /** As `define`, for a label. */
  defineLabel(name: string): boolean {
    this.labels.add(name);
    return this.define(name);
  }

  defineLocal(name: string, item: number): LocalLabel {
    const label: LocalLabel = { item, address: undefined };
    const list = this.locals.get(name);
    if (list === undefined) this.locals.set(name, [label]);
    else list.push(label);
    return label;
  }

  /** Data that names the label has bit 0 set. */
  markThumbFunction(name: string): void {
    this.thumbFunctions.add(name);
  }

  /** True when the value is another than before. */
  set(name: string, value: number): boolean {
    const changed = this.values.get(name) !== value;
    this.values.set(name, value);
    return changed;
  }

  forget(name: string): void {
    this.values.delete(name);
  }

  isLabel(name: string): boolean {
    return this.labels.has(name);
  }

  isDefined(name: string): boolean {
    return this.defined.has(name);
  }

  hasValue(name: string): boolean {
    return this.values.has(name);
  }

  /** Value of an expression in which no name depends on addresses: while reading, only such names have values. */
  constant(expression: string): number | undefined {
    return evaluate(expression, (name) => this.values.get(name));
  }

  /**
   * Value of an expression at `address`, in item number `item`. `unknown` stands for what the first pass has not come to yet: the value that makes for the
   * shortest encoding.
   */
  value(expression: string, address: number, item: number, unknown = address): number | undefined {
    return evaluate(expression, (name) => this.symbol(name, address, item, unknown));
  }

  /** As data: functions in T32 have bit 0 set. */
  dataValue(expression: string, address: number, item: number): number | undefined {
    const value = this.value(expression, address, item);
    return value !== undefined && this.thumbFunctions.has(expression.trim()) ? value | 1 : value;
  }

  /** Why an expression has no value. */
  complaint(expression: string): string {
    const unknown = expression
      .match(/[A-Za-z_.$][\w.$]*/g)
      ?.find((name) => name !== '.' && !this.defined.has(name) && !/^0[xb]/i.test(name));
    return unknown === undefined ? `cannot read '${expression}'` : `unknown symbol '${unknown}'`;
  }

  /** Values of all names. */
  known(): Map<string, number> {
    return new Map([...this.values].filter(([name]) => this.defined.has(name)));
  }

  private symbol(name: string, address: number, item: number, unknown: number): number | undefined {
    if (name === '.') return address;
    const local = /^([0-9]+)([bf])$/i.exec(name);
    if (local !== null) {
      const list = this.locals.get(local[1]!) ?? [];
      const found =
        local[2]!.toLowerCase() === 'b' ? list.filter((label) => label.item <= item).pop() : list.find((label) => label.item > item);
      return found === undefined ? undefined : (found.address ?? unknown);
    }
    return this.values.get(name) ?? (this.defined.has(name) ? unknown : undefined);
  }
}
