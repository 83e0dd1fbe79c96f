import { writeFileSync } from 'node:fs';
import { workloads } from '@tablewalk/kmem';
import { recordedRun } from './recorded-run.js';
import { transcriptImage } from './transcript.js';

// A kernel's boot and programs as machine code throughout, for a machine that runs without its TypeScript: image-file.ts FILE
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('a file to write is needed');
const run = recordedRun({}, (kernel) => workloads.find(({ name }) => name === 'programs')!.run(kernel, 1));
writeFileSync(file, transcriptImage(run.kernel.program, run.transcript));
console.log(`${run.transcript.events.length} operations`);
