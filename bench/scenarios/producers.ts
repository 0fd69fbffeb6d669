/**
 * producers: one thread against four on one log, with as many appends in flight in all, and with as many each; every
 * LSN is checked.
 */
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
  /** Appends in flight on each thread. */
  readonly inFlightEach: number;
  readonly recordsPerSecond: readonly number[];
  /** Records read back and found under the LSN that their thread was told. */
  readonly checked: number;
}

interface Case {
  readonly threads: number;
  readonly inFlightEach: number;
  readonly rates: number[];
  checked: number;
}

export async function producers(options: ProducersOptions): Promise<ProducersResult[]> {
  const { inFlight } = options;
  const cases: Case[] = [
    { threads: 1, inFlightEach: inFlight, rates: [], checked: 0 },
    { threads: 4, inFlightEach: Math.ceil(inFlight / 4), rates: [], checked: 0 },
    { threads: 4, inFlightEach: inFlight, rates: [], checked: 0 },
  ];
  for (let round = 0; round < options.rounds; round++) {
    for (const one of round % 2 === 0 ? cases : [...cases].reverse()) {
      progress(`round ${round + 1} of ${options.rounds}: ${one.threads} producer threads`);
      const name = `producers-${round}-${cases.indexOf(one)}`;
      const { recordsPerSecond, records } = await run(options, one, name);
      one.rates.push(recordsPerSecond);
      one.checked += records;
    }
  }
  say(`producer threads on one log, ${options.rounds} rounds of ${options.ms} ms`);
  table(
    ['threads', 'in flight each', 'records/s', 'of one thread', 'records read back and right'],
    cases.map(({ threads, inFlightEach, rates, checked }) => [
      `${threads}`,
      count(inFlightEach),
      spread(rates, count),
      (median(rates) / median((cases[0] as Case).rates)).toFixed(2),
      count(checked),
    ]),
  );
  say();
  return cases.map(({ threads, inFlightEach, rates, checked }) => ({
    threads,
    inFlightEach,
    recordsPerSecond: rates,
    checked,
  }));
}

async function run(
  options: ProducersOptions,
  { threads, inFlightEach }: Case,
  name: string,
): Promise<{ recordsPerSecond: number; records: number }> {
  const log = await openLog(join(options.directory, name));
  const workers = Array.from({ length: threads }, (_, thread) => {
    const handle = log.handle();
    const task: ProducerTask = {
      handle,
      thread,
      inFlight: inFlightEach,
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
