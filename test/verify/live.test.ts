/** live: a log is verified while it is written. */
import { expect, it } from 'vitest';
import { openLog, verifyLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

it('a log that is appended to, rotated and truncated meanwhile is sound, as far as it was proven durable', async () => {
  const directory = tempDir();
  await using log = await openLog(directory, { segmentBytes: 128 * 1024 });
  let isOver = false;
  const writer = async (): Promise<void> => {
    for (let n = 1; !isOver; n++) {
      await log.append('x'.repeat(1 + (n % 700)));
      if (n % 50 === 0) await log.truncateBefore(log.durableLsn);
    }
  };
  const writers = [writer(), writer(), writer()];
  let verified = 0;
  try {
    for (let i = 0; i < 20; i++) {
      const { durableLsn } = log;
      const { damage, lastLsn, records } = await verifyLog(directory, { threads: 1 });
      expect(damage).toEqual([]);
      expect(lastLsn).toBeGreaterThanOrEqual(durableLsn - writers.length); // a write is proven by the next one
      verified += records;
    }
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  expect(verified).toBeGreaterThan(0);
});
