/** child: a process that produces and consumes under load until it is killed, and tells what it was answered. */
import { JobQueue } from './queue.js';
import { tell } from './tell.js';

const [directory, name = '', inFlight = '32', segmentBytes = `${64 * 1024}`] = process.argv.slice(2) as [
  string,
  ...string[],
];
const queue = await JobQueue.open(directory, {
  maxAttempts: 1_000_000, // each life of this process may add one
  log: { segmentBytes: Number(segmentBytes), ringBytes: 64 * 1024 },
});
let next = 0;

async function caller(): Promise<void> {
  for (;;) {
    const work = `${name}/${next++}`;
    const id = await queue.add(work);
    tell(`added ${id} ${work}`); // the parent is the witness: what it has read must be true
    const delivery = await queue.take({ visibilityMs: 60_000 });
    // Every fifth job is never acknowledged: it is in somebody's hands when the process is killed.
    if (delivery === undefined || delivery.id % 5 === 0) continue;
    tell(`acking ${delivery.id}`); // before it is asked for
    await queue.ack(delivery);
    tell(`acked ${delivery.id}`);
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, caller));
