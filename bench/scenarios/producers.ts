/**
 * producers: 1, 2, 4 and 8 threads on one log, with as many appends in flight in all, and with as many each; every LSN is
 * checked.
 */
import { once as event } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openLog } from 'ringwal';
import type { Measurement } from '../harness/load.js';
import { once } from '../harness/measure.js';
import { PAYLOAD_BYTES } from './closed.js';
import type { ProducerReport, ProducerTask } from './producer-thread.js';
import type { Scenario } from './scenario.js';

const THREADS = [1, 2, 4, 8];
const QUICK_THREADS = [1, 4];
const IN_FLIGHT = 1000;

const settings = (isQuick: boolean) => ({ ms: isQuick ? 200 : 1000, rounds: isQuick ? 1 : 3 });
const pointsOf = (isQuick: boolean) =>
  (isQuick ? QUICK_THREADS : THREADS).flatMap((threads) =>
    [...new Set([Math.ceil(IN_FLIGHT / threads), IN_FLIGHT])].map((inFlightEach) => ({
      threads,
      inFlightEach,
    })),
  );
/** Reading back takes about as long. */
const TIMES_MS = 2;

export const producers: Scenario = {
  name: 'producers',
  what: '1 to 8 producer threads on one log, every LSN checked',
  hasPeers: false,
  estimateMs({ isQuick }) {
    const { ms, rounds } = settings(isQuick);
    return pointsOf(isQuick).length * rounds * ms * TIMES_MS;
  },
  async run({ directory, isQuick, progress }) {
    const { ms, rounds } = settings(isQuick);
    const cells = pointsOf(isQuick).map((at) => ({ system: 'ringwal', at, rounds: [] as Measurement[] }));
    for (let round = 0; round < rounds; round++) {
      for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) {
        const { threads, inFlightEach } = cell.at;
        progress.say(`${threads} producer threads, ${inFlightEach} in flight each`);
        const path = join(directory, 'log');
        cell.rounds.push(await run(path, threads, inFlightEach, ms));
        rmSync(path, { recursive: true });
        progress.advance(ms * TIMES_MS);
      }
    }
    return cells;
  },
};

async function run(path: string, threads: number, inFlight: number, ms: number): Promise<Measurement> {
  const log = await openLog(path);
  const workers = Array.from({ length: threads }, (_, thread) => {
    const handle = log.handle();
    const task: ProducerTask = { handle, thread, inFlight, ms, payloadBytes: PAYLOAD_BYTES };
    return new Worker(new URL('./producer-thread.js', import.meta.url), {
      workerData: task,
      transferList: [handle],
    });
  });
  const reports = (await Promise.all(
    workers.map(async (worker) => (await event(worker, 'message'))[0]),
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
  const tookMs = Math.max(...reports.map((report) => report.ms));
  const [first] = reports;
  return {
    ...once(tookMs, { records, bytes: records * PAYLOAD_BYTES }),
    ...(first && { latency: first.latency }),
  };
}
