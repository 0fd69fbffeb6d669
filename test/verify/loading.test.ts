/** loading: no thread of a verification is ended while it loads, which ends the whole process with some versions of Node. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openLog, verifyLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

it('a verification that fails ends when all of its threads have loaded', async () => {
  const place = tempDir();
  const directory = join(place, 'log');
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 32_768 });
  await log.append('one');
  await log.rotate();
  await log.append('two');
  await log.close();
  process.env.RINGWAL_TEST_PLACE = place; // threads get a copy
  const verified = verifyLog(directory, {
    threads: 2,
    workerUrl: new URL('../fixtures/slow-loading-scan.mjs', import.meta.url),
    onProgress: () => {
      writeFileSync(join(place, 'go'), '');
      throw new RangeError('the caller has had enough');
    },
  });
  await expect(verified).rejects.toThrow('the caller has had enough');
  expect(existsSync(join(place, 'loaded'))).toBe(true);
});
