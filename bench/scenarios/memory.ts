/** memory: heap and RSS over many million appends with truncation behind them; flat, or not. In the process of the bench itself. */
import { join } from 'node:path';
import { openLog } from 'ringwal';
import { once, payloadsOf } from '../harness/measure.js';
import { median } from '../report/statistics.js';
import { truncateBehind } from '../systems/ringwal.js';
import { PAYLOAD_BYTES } from './closed.js';
import type { Scenario } from './scenario.js';

const SAMPLES = 90;
/** The first tenth of the appends brings everything to its size. */
const WARM_UP = 0.1;
const IN_FLIGHT = 1000;
/** For the progress bar only. */
const RECORDS_A_MS = 1000;

const recordsOf = (isQuick: boolean): number => (isQuick ? 2_000_000 : 20_000_000);

export const memory: Scenario = {
  name: 'memory',
  what: 'heap and RSS over 20 million appends',
  hasPeers: false,
  estimateMs: ({ isQuick }) => recordsOf(isQuick) / RECORDS_A_MS,
  async run({ directory, isQuick, progress }) {
    const records = recordsOf(isQuick);
    const log = await openLog(join(directory, 'log'));
    const stop = truncateBehind(log);
    const payload = payloadsOf(PAYLOAD_BYTES)[0] as Uint8Array;
    const samples: { heap: number; rss: number }[] = [];
    const every = Math.floor((records * (1 - WARM_UP)) / SAMPLES);
    let appended = 0;
    const caller = async (): Promise<void> => {
      while (appended < records) {
        const n = appended++;
        await log.append(payload);
        if (n < records * WARM_UP || n % every !== 0) continue;
        const { heapUsed, rss } = process.memoryUsage();
        samples.push({ heap: heapUsed, rss });
        progress.advance(every / RECORDS_A_MS);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
    const ms = performance.now() - start;
    stop();
    await log.close();
    const third = Math.floor(samples.length / 3);
    const parts = { 'first third': samples.slice(0, third), 'last third': samples.slice(-third) };
    return Object.entries(parts).map(([part, of]) => {
      const heapBytes = median(of.map(({ heap }) => heap));
      const rssBytes = median(of.map(({ rss }) => rss));
      return {
        system: 'ringwal',
        at: { part },
        rounds: [once(ms, { records, extra: { heapBytes, rssBytes } })],
      };
    });
  },
};
