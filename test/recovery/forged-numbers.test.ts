/** forged-numbers: 64-bit numbers that no log comes to, under checksums that verify, are damage and no valid answer. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checksum } from '../../dist/src/format/checksum.js';
import { LINK, MARK } from '../../dist/src/format/group-header.js';
import { openLog, openReader } from '../../dist/src/index.js';
import { forge } from '../support/forge.js';
import { must } from '../support/must.js';
import { edit, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

/** A log of three records that was closed: LINK, records, MARK. */
async function closedLog(): Promise<{ directory: string; name: string }> {
  const directory = tempDir();
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 16_384, recycle: false });
  for (const text of ['a', 'b', 'c']) await log.append(text);
  await log.close();
  return { directory, name: must(segmentsIn(directory)[0]) };
}

async function expectRefused(directory: string): Promise<void> {
  const before = fingerprint(directory);
  await expect(openLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  const reading = openReader(directory).then((reader) => reader.readAll().finally(() => reader.close()));
  await expect(reading).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  expect(fingerprint(directory)).toEqual(before);
}

it('the same log, forged to what it says anyway, opens', async () => {
  const { directory, name } = await closedLog();
  const before = readFileSync(join(directory, name));
  forge(directory, name, MARK, (body) => body.setBigUint64(0, 2n, true)); // below LSN 2 nothing is left
  expect(readFileSync(join(directory, name)).equals(before)).toBe(false);
  const reader = await openReader(directory);
  expect((await reader.readAll()).map(({ lsn }) => lsn)).toEqual([2, 3]);
  await reader.close();
});

it.each([
  5n, // the log ends with LSN 3
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
])('a truncation mark of %d is damage', async (value) => {
  const { directory, name } = await closedLog();
  forge(directory, name, MARK, (body) => body.setBigUint64(0, value, true));
  await expectRefused(directory);
});

it.each([
  ['predecessor', 16],
  ['last LSN before it', 24],
  ['truncation mark', 40],
  ['open LSN', 48],
  ['checkpoint', 56],
] as const)('a LINK whose %s is 2^53 or more is damage', async (_, offset) => {
  for (const value of [2n ** 53n, 2n ** 64n - 1n]) {
    const { directory, name } = await closedLog();
    forge(directory, name, LINK, (body) => body.setBigUint64(offset, value, true));
    await expectRefused(directory);
  }
});

// The next epoch would be 0, and its segment older than all others.
it('an epoch behind which there is none is refused, and no name of a file has one that is higher', async () => {
  const { directory, name } = await closedLog();
  writeFileSync(join(directory, `${name}.lost-4294967296`), '');
  await (await openLog(directory)).close();
  for (const file of segmentsIn(directory)) {
    edit(directory, file, (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      view.setUint32(56, 0xffff_ffff, true);
      view.setUint32(4092, checksum(bytes.subarray(0, 4092), 0), true);
      return undefined;
    });
  }
  const before = fingerprint(directory);
  await expect(openLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  expect(fingerprint(directory)).toEqual(before);
});
