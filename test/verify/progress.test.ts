/** progress: how far a verification is, as it goes on. */
import { expect, it } from 'vitest';
import { openLog, type VerifyProgress, verifyLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

it('tells of each segment when it is verified, and at the end of all', async () => {
  const directory = tempDir();
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 32_768 });
  for (let i = 0; i < 4; i++) {
    await log.append(Buffer.alloc(5000));
    await log.rotate();
  }
  await log.append('last');
  await log.close();
  const seen: VerifyProgress[] = [];
  const report = await verifyLog(directory, { threads: 2, onProgress: (progress) => seen.push(progress) });
  expect(seen.map(({ segments, totalSegments }) => [segments, totalSegments])).toEqual(
    Array.from({ length: 5 }, (_, i) => [i + 1, 5]),
  );
  expect(seen.at(-1)).toMatchObject({ bytes: report.bytes, totalBytes: report.bytes });
  await expect(verifyLog(directory, { onProgress: 3 as never })).rejects.toMatchObject({
    code: 'RINGWAL_INVALID_ARGUMENT',
  });
});
