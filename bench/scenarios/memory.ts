/** memory: heap and RSS over many million appends with truncation behind them; flat, or not. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openLog } from 'ringwal';
import { count, median, progress, say, table } from '../report.js';
import { truncateBehind } from '../systems/ringwal.js';

export interface MemoryResult {
  readonly records: number;
  /** Medians of the first third (after the warm-up) and of the last, in bytes. */
  readonly first: { readonly heap: number; readonly rss: number };
  readonly last: { readonly heap: number; readonly rss: number };
}

const SAMPLES = 90;
/** The first tenth of the appends brings everything to its size. */
const WARM_UP = 0.1;

export async function memory(
  directory: string,
  records: number,
  inFlight: number,
  payloadBytes: number,
): Promise<MemoryResult> {
  const log = await openLog(join(directory, 'memory'));
  const stop = truncateBehind(log);
  const payload = randomBytes(payloadBytes);
  const samples: { heap: number; rss: number }[] = [];
  const every = Math.floor((records * (1 - WARM_UP)) / SAMPLES);
  let appended = 0;
  const caller = async (): Promise<void> => {
    while (appended < records) {
      const n = appended++;
      await log.append(payload);
      if (n >= records * WARM_UP && n % every === 0) {
        const { heapUsed, rss } = process.memoryUsage();
        samples.push({ heap: heapUsed, rss });
        progress(`${count(n)} of ${count(records)} appends, RSS ${count(rss / 2 ** 20)} MiB`);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  stop();
  await log.close();
  const third = Math.floor(samples.length / 3);
  const middle = (of: typeof samples) => ({
    heap: median(of.map(({ heap }) => heap)),
    rss: median(of.map(({ rss }) => rss)),
  });
  const result = { records, first: middle(samples.slice(0, third)), last: middle(samples.slice(-third)) };
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  say(`memory over ${count(records)} appends, ${count(inFlight)} in flight: medians of the samples`);
  table(
    ['', 'first third', 'last third', 'last / first'],
    (['heap', 'rss'] as const).map((what) => [
      what,
      mib(result.first[what]),
      mib(result.last[what]),
      (result.last[what] / result.first[what]).toFixed(3),
    ]),
  );
  return result;
}
