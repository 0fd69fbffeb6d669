/** worker-pool: the threads of a pool append to one log: nothing is lost or doubled, however the pool ends. */
import { type Log, type LogOptions, openLog } from 'ringwal';
import { expect, it, onTestFinished } from 'vitest';
import { type AppenderPool, appenderPool } from '../../dist-examples/worker-pool/pool.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const THREADS = 3;
const LINES = 10;

/** What piscina says of tasks whose answers are on their way when it is destroyed is harmless. */
function onError(error: Error): void {
  if (!error.message.startsWith('Unexpected message from Worker')) throw error;
}

async function start(): Promise<{ log: Log; pool: AppenderPool }> {
  const log = await openLog(tempDir(), SMALL);
  onTestFinished(() => log.close());
  const pool = await appenderPool(log, THREADS, onError);
  onTestFinished(() => pool.destroy());
  return { log, pool };
}

const linesOf = (task: number): string[] =>
  Array.from({ length: LINES }, (_, i) => `task ${task}, line ${i}`);

/** The lines by LSN; these are dense and no line is there twice. */
async function contents(log: Log): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  let expected = 1;
  for await (const { lsn, payload } of log.read()) {
    expect(lsn).toBe(expected++);
    found.set(lsn, Buffer.from(payload).toString());
  }
  expect(new Set(found.values()).size).toBe(found.size);
  return found;
}

it('gives each line an LSN of its own, dense over all threads, which each have a ring of their own', async () => {
  const { log, pool } = await start();
  const tasks = Array.from({ length: 200 }, (_, task) => linesOf(task));
  const lsns = await Promise.all(tasks.map((lines) => pool.run(lines)));
  const { producers } = await log.stats();
  expect(producers).toBe(1 + THREADS);
  const found = await contents(log);
  expect(found.size).toBe(200 * LINES);
  for (const [task, own] of lsns.entries()) {
    expect(own.map((lsn) => found.get(lsn))).toEqual(tasks[task]);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
});

it('loses nothing that was acknowledged when the pool is destroyed in the middle, and the log goes on', async () => {
  const { log, pool } = await start();
  const acknowledged = new Map<number, string>();
  const sent = new Set<string>();
  let done = 0;
  let failed = 0;
  let destroyed: Promise<void> | undefined;
  await Promise.all(
    Array.from({ length: 300 }, async (_, task) => {
      const lines = linesOf(task);
      for (const line of lines) sent.add(line);
      try {
        for (const [i, lsn] of (await pool.run(lines)).entries()) acknowledged.set(lsn, must(lines[i]));
        done++;
      } catch {
        failed++;
      }
      if (done === 40) destroyed ??= pool.destroy();
    }),
  );
  await must(destroyed);
  expect(failed).toBeGreaterThan(0);
  const other = await appenderPool(log, 1, onError);
  onTestFinished(() => other.destroy());
  const [last] = await other.run(['behind']);
  const found = await contents(log);
  for (const [lsn, line] of acknowledged) expect(found.get(lsn), `LSN ${lsn}`).toBe(line);
  expect(found.get(must(last))).toBe('behind');
  for (const line of found.values()) expect(line === 'behind' || sent.has(line), line).toBe(true);
});

// One that was not ended the process when the pool was destroyed early, by a fault of Node.
it('has loaded all of its threads when it is there', async () => {
  const { pool } = await start();
  const late: unknown[] = [];
  for (const thread of pool.threads) thread.on('message', (message) => late.push(message));
  await Promise.all(Array.from({ length: 12 }, (_, task) => pool.run(linesOf(task))));
  expect(late).toEqual(Array.from({ length: THREADS }, () => ({ handleWanted: expect.anything() })));
});

it('fails its tasks when the log is closed, and does not wait for ever', async () => {
  const { log, pool } = await start();
  await log.close();
  await expect(pool.run(['too late'])).rejects.toThrow(/log is closed/);
});
