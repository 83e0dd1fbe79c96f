import type { ElfImage } from '@tablewalk/loader';

/** What bytes of a code section are. */
export type CodeKind = 'A32' | 'T32' | 'data';

const kinds: Readonly<Record<string, CodeKind>> = { a: 'A32', t: 'T32', d: 'data' };
const SYMBOL_BYTES = 16;

/** Mapping symbols ($a, $t, $d) in address order: where A32, T32 and data begin (ELF for the Arm Architecture, IHI 0044, 5.5.5). */
export const mappingSymbols = (elf: ElfImage): readonly { readonly address: number; readonly kind: CodeKind }[] => {
  const table = elf.sectionBytes('.symtab');
  const names = elf.sectionBytes('.strtab');
  if (table === undefined || names === undefined) return [];
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const littleEndian = elf.byteOrder === 'little';
  const found: { address: number; kind: CodeKind }[] = [];
  for (let at = 0; at + SYMBOL_BYTES <= table.length; at += SYMBOL_BYTES) {
    const name = view.getUint32(at, littleEndian);
    const kind = names[name] === 0x24 ? kinds[String.fromCharCode(names[name + 1] ?? 0)] : undefined;
    // `$a`, or `$a.` and anything.
    if (kind !== undefined && [0, 0x2e].includes(names[name + 2] ?? 0)) found.push({ address: view.getUint32(at + 4, littleEndian), kind });
  }
  return found.sort((a, b) => a.address - b.address);
};
