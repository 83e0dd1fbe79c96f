// What may differ between two boots of the same guest: times, seeds, sizes that depend on the initramfs, the command line that a test chose.
const patterns = [
  [/\r/g, ''],
  [/^\[ *\d+\.\d+\] /gm, ''],
  [/^(?:Kernel command line|Unknown kernel command line parameters).*$/gm, ''],
  [/^(Memory: )\d+(K\/.*, )\d+(K reserved.*)$/gm, '$1#$2#$3'],
  [/audit\(\d+\.\d+:1\)/g, 'audit(#)'],
  [/^(Freeing initrd memory: ).*$/gm, '$1#'],
  [/(setting system clock to ).*$/gm, '$1#'],
  [/uptime=\d+\.\d+/g, 'uptime=#'],
  [/^(MemFree: ).*$/gm, '$1#'],
  [/^( *\d+: +)\d+( GIC-0)/gm, '$1#$2'],
  [/^(Built 1 zonelists.*Total pages: ).*$/gm, '$1#'],
  [/time=\d+\.\d+ ms/g, 'time=# ms'],
  [/(\d+:){2}\d+ \+0000/g, '# +0000'],
];

/** Lines of a console log that should be the same every time, without empty ones. */
export const normalise = (text) => {
  let out = text;
  for (const [pattern, replacement] of patterns) out = out.replace(pattern, replacement);
  return out.split('\n').filter((line) => line.trim() !== '');
};

/** Lines of `expected` up to (and without) the first that matches `until` that `actual` lacks, and the other way. Order is not looked at. */
export const difference = (actual, expected, until = /^@@MARK (shell|poweroff)/) => {
  const cut = (lines) => {
    const end = lines.findIndex((line) => until.test(line));
    return end < 0 ? lines : lines.slice(0, end);
  };
  const [a, b] = [cut(normalise(actual)), cut(normalise(expected))];
  const [inA, inB] = [new Set(a), new Set(b)];
  return [
    ...b.filter((line) => !inA.has(line)).map((line) => `- ${line}`),
    ...a.filter((line) => !inB.has(line)).map((line) => `+ ${line}`),
  ];
};
