/** timers: an append is answered whatever tests do to Node's timers. */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

// With imports by name none was answered; or, if a turn alone never comes, each after a second.
it.each([0, 200])('appends are answered while node:timers is mocked (busyPollUs %i)', async (busyPollUs) => {
  const { setImmediate, setInterval } = timers;
  const never = (): undefined => undefined;
  Object.assign(timers, { setImmediate: never, setInterval: never });
  syncBuiltinESMExports();
  try {
    const log = await openLog(tempDir(), { busyPollUs });
    for (let lsn = 1; lsn <= 40; lsn++) expect(await log.append('x')).toBe(lsn);
    await log.close();
  } finally {
    Object.assign(timers, { setImmediate, setInterval });
    syncBuiltinESMExports();
  }
});
