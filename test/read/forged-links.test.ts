/** forged links: a LINK that verifies and lies has readers leave nothing out, and give nothing twice. */
import { expect, it } from 'vitest';
import { DATA, LINK, MARK, SEAL } from '../../dist/src/format/group-header.js';
import { openLog, openReader } from '../../dist/src/index.js';
import { forge } from '../support/forge.js';
import { must } from '../support/must.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';

const OPTIONS = { segmentBytes: 65_536, ringBytes: 16_384, recycle: false };

/** A closed log of batches of two, each a group of its own, in several segments. */
async function closedLog(): Promise<{ directory: string; names: string[]; lsns: number[] }> {
  const directory = tempDir();
  const log = await openLog(directory, OPTIONS);
  for (let i = 0; i < 40; i++) await log.appendBatch([Buffer.alloc(2000, i), Buffer.alloc(2000, i)]);
  await log.close();
  const names = segmentsIn(directory);
  expect(names.length).toBeGreaterThan(2);
  return { directory, names, lsns: Array.from({ length: 80 }, (_, i) => i + 1) };
}

/** What a read, or a tail, gives from `from` to `last`, of the log and of a reader. */
async function readings(
  directory: string,
  by: 'read' | 'tail',
  from: number,
  last: number,
): Promise<Promise<number[]>[]> {
  const log = await openLog(directory, OPTIONS);
  const reader = await openReader(directory);
  const given = [log, reader].map(async (source) => {
    const all: number[] = [];
    for await (const { lsn } of source[by]({ from })) {
      all.push(lsn);
      if (lsn === last) break;
    }
    return all;
  });
  await Promise.allSettled(given);
  await reader.close();
  await log.close();
  return given;
}

it.each([0, 1, 2])('an open LSN in LINK %d behind what is sought leaves nothing out', async (segment) => {
  const { directory, names, lsns } = await closedLog();
  forge(directory, must(names[segment]), LINK, (body) => body.setBigUint64(48, 1_000_000_000n, true));
  for (const by of ['read', 'tail'] as const) {
    for (const from of [1, 2, 30, 79]) {
      for (const reading of await readings(directory, by, from, 80))
        expect(await reading).toEqual(lsns.slice(from - 1));
    }
  }
});

it('a segment that begins within the last group of the one before is damage, and gives no record twice', async () => {
  const { directory, names } = await closedLog();
  for (const name of names.slice(1)) {
    for (const type of [DATA, LINK, SEAL, MARK]) {
      forge(directory, name, type, (body, header) => {
        header.firstLsn--;
        if (header.durableLsn > 0) header.durableLsn--;
        if (type === LINK) body.setBigUint64(24, body.getBigUint64(24, true) - 1n, true);
      });
    }
  }
  for (const by of ['read', 'tail'] as const) {
    for (const reading of await readings(directory, by, 1, 79))
      await expect(reading).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  }
});
