/** main: `node dist-examples/job-queue/main.js`: the queue's life in some seconds, told as it goes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { killAfter, type Witness } from './killed.js';
import { type Delivery, JobQueue } from './queue.js';

const RUN_MS = 1500;
const PRODUCERS = 8;
const CONSUMERS = 8;
const VISIBILITY_MS = 400;
/** What the consumer that dies has in hand then. */
const LOST_JOBS = 20;
const KILL_AFTER_ACKS = 2000;

const directory = await mkdtemp(join(tmpdir(), 'job-queue-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  await showConsumers(join(directory, 'consumers'));
  await showDeadLetter(join(directory, 'dead'));
  await showKill(join(directory, 'killed'));
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function showConsumers(path: string): Promise<void> {
  say(`${PRODUCERS} producers and ${CONSUMERS} consumers, ${RUN_MS} ms; one consumer dies with jobs in hand`);
  let carried = 0;
  let compactions = 0;
  const queue = await JobQueue.open(path, {
    log: { segmentBytes: 256 * 1024 },
    onCompaction: (result) => {
      compactions++;
      carried += result.carriedBytes;
    },
  });
  const forLater = await queue.add('report at the end of the day', { delayMs: 24 * 3600 * 1000 });
  const stop = performance.now() + RUN_MS;
  let added = 0;
  let done = 0;
  const again = new Set<number>();
  const produce = async (): Promise<void> => {
    while (performance.now() < stop) {
      await queue.add(`resize image ${added}`);
      added++;
    }
  };
  const lost: Delivery[] = [];
  const consumer = async (_: unknown, number: number): Promise<void> => {
    const hasEnded = (): boolean => performance.now() >= stop && done === added;
    while (!hasEnded()) {
      const delivery = await queue.take({ visibilityMs: VISIBILITY_MS });
      if (delivery === undefined) await pause(5);
      else if (number === 0 && lost.length < LOST_JOBS) {
        lost.push(delivery);
        if (lost.length === LOST_JOBS) return; // dies: nobody acknowledges what it has
      } else {
        await queue.ack(delivery);
        done++;
        if (delivery.attempts > 1) again.add(delivery.id);
      }
    }
  };
  await Promise.all([
    ...Array.from({ length: PRODUCERS }, produce),
    ...Array.from({ length: CONSUMERS }, consumer),
  ]);
  const back = lost.filter(({ id }) => again.has(id)).length;
  say(`  ${added} jobs added, ${done} done`);
  say(`  ${lost.length} were in the hands of the dead consumer, ${back} of them came again`);
  await queue.compact();
  say(`  left: ${queue.size} job (${forLater}, due in a day); it does not hold the log back:`);
  say(`  the log begins at LSN ${queue.firstLsn}; ${compactions} compactions carried ${carried} bytes over`);
  await queue.close();
}

async function showDeadLetter(path: string): Promise<void> {
  say('\na job that fails each time');
  let nowMs = Date.now();
  const queue = await JobQueue.open(path, { maxAttempts: 3, now: () => nowMs });
  await queue.add('divide by zero');
  for (;;) {
    const delivery = await queue.take({ visibilityMs: 1000 });
    if (delivery === undefined) break;
    say(`  delivery ${delivery.attempts}, not acknowledged`);
    nowMs += 1000; // the queue's clock is the one that it is given
  }
  for (const { id, attempts } of queue.dead()) say(`  job ${id} is dead after ${attempts} deliveries`);
  await queue.close();
}

async function showKill(path: string): Promise<void> {
  say(`\na process adds, takes and acknowledges; kill -9 after ${KILL_AFTER_ACKS} acknowledgements`);
  const witness: Witness = { added: new Map(), acking: new Set(), acked: new Set() };
  await killAfter(path, 'child', KILL_AFTER_ACKS, witness);
  const queue = await JobQueue.open(path, { maxAttempts: 1_000_000 });
  const found = new Set<number>();
  for (;;) {
    const delivery = await queue.take({ visibilityMs: 60_000 });
    if (delivery === undefined) break;
    found.add(delivery.id);
  }
  const missing = [...witness.added.keys()].filter((id) => !witness.acking.has(id) && !found.has(id));
  const twice = [...witness.acked].filter((id) => found.has(id));
  say(`  told before: ${witness.added.size} jobs added, ${witness.acked.size} done`);
  say(`  after opening again: ${found.size} jobs came`);
  say(`  added, not done, and missing: ${missing.length}; done, and came again: ${twice.length}`);
  if (missing.length + twice.length > 0) process.exitCode = 1;
  await queue.close();
}
