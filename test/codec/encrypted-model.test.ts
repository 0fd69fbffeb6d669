/** encrypted model: whatever is appended, rotated, truncated, cut and reopened, an encrypted log gives what one in plain gives. */
import { expect, it } from 'vitest';
import {
  attachLog,
  type Log,
  type LogAppender,
  type LogOptions,
  openLog,
  openReader,
  type Transaction,
} from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = {
  segmentBytes: 65_536,
  ringBytes: 32_768,
  maxGroupBytes: 4096, // records of 9000 bytes are large
  recycle: false,
};
const key = (keyId: number): Uint8Array => Buffer.alloc(32, keyId + 1);

type Both<T> = readonly [encrypted: T, plain: T];

interface Pair {
  readonly logs: Both<Log>;
  /** A ring of its own for each. */
  readonly handles: Both<LogAppender>;
}

async function open(directories: Both<string>): Promise<Pair> {
  const logs = [
    await openLog(directories[0], { ...SMALL, encryption: { keyId: 0, key } }),
    await openLog(directories[1], SMALL),
  ] as const;
  return {
    logs,
    handles: [await attachLog(logs[0].handle(), { key }), await attachLog(logs[1].handle())],
  };
}

async function close({ logs, handles }: Pair): Promise<void> {
  for (const one of [...handles, ...logs]) await one.close();
}

/** What both calls give, which is the same. */
async function same<T>(of: Both<T>, call: (one: T) => Promise<unknown>): Promise<void> {
  const [encrypted, plain] = await Promise.allSettled([call(of[0]), call(of[1])]);
  expect(encrypted).toEqual(plain);
}

async function live(directories: Both<string>, prng: Prng): Promise<Pair> {
  let pair = await open(directories);
  let begun: Both<Transaction>[] = [];
  for (let i = 0; i < 220; i++) {
    const { logs, handles } = pair;
    const payload = prng.chance(0.2) ? `record ${i}`.padEnd(9000, `${i} `) : `record ${i}`;
    const what = prng.below(14);
    if (what < 3) await same(logs, (log) => log.append(payload));
    else if (what === 3) await same(handles, (log) => log.append(payload));
    else if (what === 4) await same(logs, (log) => log.appendBatch([`first of ${i}`, `second of ${i}`]));
    else if (what < 7) {
      const sources = prng.pick<Both<LogAppender>>([logs, handles]);
      begun.push([sources[0].begin(), sources[1].begin()]);
    } else if (what < 10 && begun.length > 0) await same(prng.pick(begun), (tx) => tx.append(payload));
    else if (what < 12 && begun.length > 0) {
      const [ended] = begun.splice(prng.below(begun.length), 1) as [Both<Transaction>];
      await same(ended, (tx) => (what === 10 ? tx.commit() : tx.abort()));
    } else if (what === 12 && prng.chance(0.3)) await logs[0].rotateKey(prng.below(3));
    else if (what === 13) {
      const { lastLsn } = logs[1];
      const how = prng.below(8);
      if (how === 0) {
        begun = [];
        await close(pair);
        pair = await open(directories);
      } else if (how < 3) await same(logs, (log) => log.checkpoint(`checkpoint ${i}`));
      else if (how < 5 && lastLsn > 0) await same(logs, (log) => log.truncateBefore(1 + (lastLsn >> 2)));
      else if (how < 7 && begun.length === 0 && lastLsn > 5)
        await same(logs, async (log) => (await log.truncateAfter(lastLsn - 2)) !== undefined);
    }
  }
  return pair;
}

it.each([
  1, 2,
])('from LSNs all over it on, in both modes, by the log and by a reader: life %d', async (seed) => {
  const directories = [tempDir(), tempDir()] as const;
  const pair = await live(directories, new Prng(testSeed(seed)));
  const readers = [await openReader(directories[0], { key }), await openReader(directories[1])] as const;
  const first = Math.max(...pair.logs.map(({ firstLsn }) => firstLsn), 1);
  for (let from = first; from <= pair.logs[1].lastLsn; from += 5) {
    for (const transactions of ['committed', 'all'] as const) {
      for (const sources of [pair.logs, readers]) {
        await same<Pick<Log, 'read'>>(sources, async (source) => {
          const all: unknown[] = [];
          for await (const { lsn, type, commitLsn, payload } of source.read({ from, transactions }))
            all.push([lsn, type, commitLsn, Buffer.from(payload).toString()]);
          return all;
        });
      }
    }
  }
  for (const reader of readers) await reader.close();
  await close(pair);
});
