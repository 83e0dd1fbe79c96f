/** A table as text: columns as wide as their widest cell, numbers to the right. A line that a pipe gets is the same as on a terminal. */
export const formatTable = (headers: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [headers, ...rows];
  const widths = headers.map((_header, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const isNumeric = headers.map((_header, column) => rows.every((row) => /^([-+]?[\d.,]+( ?[%x])?|-|)$/.test(row[column] ?? '')));
  return all
    .map((row) =>
      widths
        .map((width, column) => (isNumeric[column] ? (row[column] ?? '').padStart(width) : (row[column] ?? '').padEnd(width)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
};
