/** closed: what is asked of a log that is closed is refused with one class of error, whoever is asked. */
import { expect, it } from 'vitest';
import { attachLog, ClosedError, type LogAppender, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const calls: Record<string, (log: LogAppender) => Promise<unknown>> = {
  append: (log) => log.append('a'),
  sync: (log) => log.sync(),
  read: (log) => log.read().next(),
  segments: (log) => log.segments(),
  rotate: (log) => log.rotate(),
  truncateBefore: (log) => log.truncateBefore(1),
  truncateAfter: (log) => log.truncateAfter(1),
  cursor: (log) => log.cursor('a'),
  stats: (log) => log.stats(),
  waitForDurable: (log) => log.waitForDurable(100),
};

it.each(
  Object.keys(calls),
)('%s rejects with a ClosedError, here and in a thread that has left', async (name) => {
  const log = await openLog(tempDir());
  await log.append('a');
  const attached = await attachLog(log.handle());
  for (const closed of [attached, log]) {
    await closed.close();
    const error = await calls[name]?.(closed).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ClosedError);
    expect(error).toMatchObject({ code: 'RINGWAL_CLOSED', name: 'ClosedError' });
  }
});
