/** How full the parts of memory were at one moment: 0 to 1 each, from the lowest address to the highest. */
export interface HeatRow {
  readonly label: string;
  readonly fullness: readonly number[];
}

/** Empty, a little, ..., full. What is full to the last page is `@`, what is empty to the last page a space; nothing else is. */
const SHADES = ' .:-=+*#%@';

/** The same as colours of the 256-colour palette: black, blue, green, yellow, red. */
const COLOURS = [16, 18, 26, 38, 36, 34, 112, 226, 208, 196];

/** 0 for empty, 9 for full, and 1 to 8 for what lies between, however close it is to either. */
const shade = (fullness: number): number => {
  if (fullness <= 0) return 0;
  if (fullness >= 1) return SHADES.length - 1;
  return 1 + Math.min(SHADES.length - 3, Math.floor(fullness * (SHADES.length - 2)));
};

/** Memory over time: a line for each moment, a column for each part of memory. Characters, or colours where a terminal has them. */
export const heatMap = (title: string, rows: readonly HeatRow[], coloured: boolean): string => {
  const labelWidth = Math.max(0, ...rows.map(({ label }) => label.length));
  const columns = rows[0]?.fullness.length ?? 0;
  const edge = `${' '.repeat(labelWidth + 1)}+${'-'.repeat(columns)}+\n`;
  let text = `${title}\n${edge}`;
  for (const { label, fullness } of rows) {
    let line = '';
    let colour = -1;
    for (const part of fullness) {
      const index = shade(part);
      if (!coloured) line += SHADES[index];
      else {
        if (COLOURS[index] !== colour) line += `\x1b[48;5;${COLOURS[index]}m`;
        colour = COLOURS[index]!;
        line += ' ';
      }
    }
    text += `${label.padStart(labelWidth)} |${line}${coloured ? '\x1b[0m' : ''}|\n`;
  }
  return text + edge;
};

export const heatLegend = (coloured: boolean): string => {
  const scale = coloured ? `${COLOURS.map((colour) => `\x1b[48;5;${colour}m  `).join('')}\x1b[0m` : `'${SHADES}'`;
  return `empty ${scale} full; time goes down, addresses to the right\n`;
};
