/** producers: one thread against four on one log, the same number of appends in flight; every LSN is checked. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openLog } from 'ringwal';
import { count, median, progress, say, spread, table } from '../report.js';
import type { ProducerReport, ProducerTask } from './producer-thread.js';

export interface ProducersOptions {
  readonly directory: string;
  readonly rounds: number;
  readonly ms: number;
  readonly inFlight: number;
  readonly payloadBytes: number;
}

export interface ProducersResult {
  readonly threads: number;
  readonly recordsPerSecond: readonly number[];
  /** Records read back and found under the LSN that their thread was told. */
  readonly checked: number;
}

const THREADS = [1, 4];

export async function producers(options: ProducersOptions): Promise<ProducersResult[]> {
  const rates = new Map<number, number[]>(THREADS.map((threads) => [threads, []]));
  const checked = new Map<number, number>(THREADS.map((threads) => [threads, 0]));
  for (let round = 0; round < options.rounds; round++) {
    for (const threads of round % 2 === 0 ? THREADS : [...THREADS].reverse()) {
      progress(`round ${round + 1} of ${options.rounds}: ${threads} producer threads`);
      const { recordsPerSecond, records } = await run(options, threads, `producers-${round}-${threads}`);
      rates.get(threads)?.push(recordsPerSecond);
      checked.set(threads, (checked.get(threads) ?? 0) + records);
    }
  }
  const results = THREADS.map((threads) => ({
    threads,
    recordsPerSecond: rates.get(threads) ?? [],
    checked: checked.get(threads) ?? 0,
  }));
  say(
    `producer threads, ${count(options.inFlight)} in flight in all, ${options.rounds} rounds of ${options.ms} ms`,
  );
  table(
    ['threads', 'records/s', 'records read back and right'],
    results.map((result) => [
      `${result.threads}`,
      spread(result.recordsPerSecond, count),
      count(result.checked),
    ]),
  );
  const [one = 0, four = 0] = results.map((result) => median(result.recordsPerSecond));
  say(`four threads / one: ${(four / one).toFixed(2)}`);
  say();
  return results;
}

async function run(
  options: ProducersOptions,
  threads: number,
  name: string,
): Promise<{ recordsPerSecond: number; records: number }> {
  const log = await openLog(join(options.directory, name));
  const workers = Array.from({ length: threads }, (_, thread) => {
    const handle = log.handle();
    const task: ProducerTask = {
      handle,
      thread,
      inFlight: Math.ceil(options.inFlight / threads),
      ms: options.ms,
      payloadBytes: options.payloadBytes,
    };
    return new Worker(new URL('./producer-thread.js', import.meta.url), {
      workerData: task,
      transferList: [handle],
    });
  });
  const reports = (await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0]),
  )) as ProducerReport[];
  // Each record says who appended it, and as which of his; who appended it knows the LSN that he was told.
  let records = 0;
  for await (const { lsn, payload } of log.read()) {
    const view = new DataView(payload.buffer, payload.byteOffset);
    const [thread, index] = [view.getUint32(0, true), view.getUint32(4, true)];
    const told = reports[thread]?.lsns[index];
    if (told !== lsn)
      throw new Error(
        `record ${index} of thread ${thread} is at LSN ${lsn}, and was acknowledged as ${told}`,
      );
    records++;
  }
  const acknowledged = reports.reduce((sum, { lsns }) => sum + lsns.length, 0);
  if (records !== acknowledged)
    throw new Error(`${acknowledged} records were acknowledged, ${records} are there`);
  await log.close();
  await Promise.all(workers.map((worker) => worker.terminate()));
  return {
    recordsPerSecond: reports.reduce((sum, { lsns, ms }) => sum + (lsns.length / ms) * 1000, 0),
    records,
  };
}
