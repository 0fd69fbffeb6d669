/** writer: the child process that is killed: appends the lines and tells each acknowledgement as it comes. */
import { readFileSync } from 'node:fs';
import { openLog } from 'ringwal';

const [directory, input] = process.argv.slice(2) as [string, string];
const lines = readFileSync(input, 'utf8').split('\n');
const log = await openLog(directory, { segmentBytes: 1024 * 1024 });
const IN_FLIGHT = 256;
let next = 0;

async function caller(): Promise<void> {
  for (;;) {
    const line = next++ % lines.length;
    const lsn = await log.append(lines[line] ?? '');
    process.stdout.write(`${lsn} ${line}\n`); // the parent is the witness: what it has read must survive
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
