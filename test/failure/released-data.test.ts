/** released-data: what truncation does with the bytes of records: their files go or are used again, and are not wiped. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type LogOptions, openLog, openReader } from '../../dist/src/index.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';

const key = randomBytes(32);
const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: true };

/** A log of some segments of secrets, all truncated, and one record behind them. */
async function releasedSecrets(options: LogOptions): Promise<{ bytes: Buffer; directory: string }> {
  const directory = tempDir();
  const log = await openLog(directory, { ...SMALL, ...options });
  for (let i = 0; i < 24; i++) await log.append(`SECRET-${i} `.repeat(700));
  await log.rotate();
  await log.append('public');
  await log.truncateBefore(log.durableLsn);
  await log.close();
  const bytes = Buffer.concat(segmentsIn(directory).map((name) => readFileSync(join(directory, name))));
  return { bytes, directory };
}

// Class 59.
it('bytes of truncated records stay in files that are used again, and no reader shows them', async () => {
  const { bytes, directory } = await releasedSecrets({});
  expect(bytes.includes('SECRET')).toBe(true); // as docs/GUARANTEES.md says; when this fails, that is to be changed
  const reader = await openReader(directory);
  expect((await reader.readAll()).map(({ payload }) => Buffer.from(payload).toString())).toEqual(['public']);
  await reader.close();
});

it.each([
  ['encrypted', { encryption: { keyId: 1, key: () => key } }],
  ['not used again', { recycle: false }],
])('nothing of them is left in the directory where records are encrypted, or files are %s', async (_, options) => {
  const { bytes } = await releasedSecrets(options);
  expect(bytes.length).toBeGreaterThan(4096);
  expect(bytes.includes('SECRET')).toBe(false);
});
