/** writer: the child process that is killed: appends the lines and tells each acknowledgement as it comes. */
import { openLog } from 'ringwal';
import { linesOf } from './lines.js';

const [directory, input] = process.argv.slice(2) as [string, string];
const lines = await linesOf(input);
const log = await openLog(directory, { segmentBytes: 4 * 1024 * 1024 });
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
