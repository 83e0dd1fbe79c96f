/** One named place. */
export interface SymbolRecord {
  readonly name: string;
  /** Unsigned 32-bit virtual address, without a Thumb bit. */
  readonly address: number;
  /** Size in bytes; 0 when unknown. */
  readonly byteLength: number;
  readonly kind: 'function' | 'object' | 'label';
  readonly binding: 'global' | 'weak' | 'local';
  readonly thumb: boolean;
  /** Kernel module that it belongs to (kallsyms). */
  readonly module?: string;
}

/** A symbol and how far behind its start an address lies. */
export interface SymbolHit {
  readonly symbol: SymbolRecord;
  /** Bytes from the symbol's address, 0 or more. */
  readonly offset: number;
}

/** Symbols by address and by name. */
export interface SymbolTable {
  readonly size: number;
  /** Sorted by address; where several share one, the preferred first (functions before objects before labels, global before weak before local). */
  readonly symbols: readonly SymbolRecord[];
  /**
   * The symbol that contains `address`: the nearest one at or below it. Undefined when there is none, or when its size is known and the address lies
   * behind its end.
   */
  nearest(address: number): SymbolHit | undefined;
  /** The preferred symbol of that name. */
  find(name: string): SymbolRecord | undefined;
}

const KIND_ORDER = { function: 0, object: 1, label: 2 } as const;
const BINDING_ORDER = { global: 0, weak: 1, local: 2 } as const;

/** Builds the look-up tables. The result is independent of the order of `records`. */
export function symbolTable(records: readonly SymbolRecord[]): SymbolTable {
  const symbols = [...records].sort(compare);
  const byName = new Map<string, SymbolRecord>();
  for (const symbol of symbols) {
    const known = byName.get(symbol.name);
    if (known === undefined || BINDING_ORDER[symbol.binding] < BINDING_ORDER[known.binding]) byName.set(symbol.name, symbol);
  }
  // The first symbol of each address, in order.
  const places = symbols.filter((symbol, index) => index === 0 || symbols[index - 1].address !== symbol.address);
  return {
    size: symbols.length,
    symbols,
    nearest(address) {
      let low = 0;
      let high = places.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (places[middle].address <= address) low = middle + 1;
        else high = middle;
      }
      if (low === 0) return undefined;
      const symbol = places[low - 1];
      const offset = address - symbol.address;
      if (symbol.byteLength > 0 && offset >= symbol.byteLength) return undefined;
      return { symbol, offset };
    },
    find: (name) => byName.get(name),
  };
}

function compare(a: SymbolRecord, b: SymbolRecord): number {
  return (
    a.address - b.address ||
    KIND_ORDER[a.kind] - KIND_ORDER[b.kind] ||
    BINDING_ORDER[a.binding] - BINDING_ORDER[b.binding] ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) ||
    b.byteLength - a.byteLength
  );
}

/** `name`, `name+0x10`, or undefined: how reports write an address. */
export function formatSymbol(table: SymbolTable, address: number): string | undefined {
  const hit = table.nearest(address);
  if (hit === undefined) return undefined;
  const { symbol, offset } = hit;
  const place = offset === 0 ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
  return symbol.module === undefined ? place : `${place} [${symbol.module}]`;
}
