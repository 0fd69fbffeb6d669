/** live: readers beside a writer in another process that appends, rotates, truncates and recycles without pause. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openReader, type RingwalError } from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const REFRESHES = Number(process.env.RINGWAL_REFRESHES ?? 1000);
const fixture = fileURLToPath(new URL('../fixtures/reader-writer.mjs', import.meta.url));

async function writer(directory: string, seed: number): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(process.execPath, [fixture, directory, `${seed}`]);
  child.stderr.pipe(process.stderr);
  await once(child.stdout, 'data');
  return child;
}

it(`never reports damage, and never goes back, in ${REFRESHES} refreshes and the reads behind them`, {
  timeout: 60_000 + REFRESHES * 30,
}, async () => {
  const seed = testSeed(7);
  const prng = new Prng(seed);
  const directory = tempDir();
  const child = await writer(directory, seed);
  const reader = await openReader(directory);
  let truncated = 0;
  let records = 0;
  let lastLsn = 0;
  let firstLsn = 0;
  for (let i = 0; i < REFRESHES; i++) {
    await reader.refresh();
    expect(reader.isLive).toBe(true);
    expect(reader.lastLsn, `refresh ${i}, seed ${seed}`).toBeGreaterThanOrEqual(lastLsn);
    expect(reader.firstLsn, `refresh ${i}, seed ${seed}`).toBeGreaterThanOrEqual(firstLsn);
    ({ lastLsn, firstLsn } = reader);
    if (prng.below(4) > 0 || lastLsn < firstLsn) continue;
    const from = prng.between(firstLsn, lastLsn + 1);
    let next = from;
    try {
      for await (const { lsn, payload } of reader.read({ from, to: lastLsn })) {
        expect(lsn).toBe(next++);
        expect(Buffer.from(payload).toString()).toMatch(new RegExp(`^${lsn} x*$`));
        records++;
      }
      expect(next).toBe(lastLsn + 1);
    } catch (error) {
      if ((error as RingwalError).code !== 'RINGWAL_TRUNCATED') throw error;
      truncated++;
    }
    firstLsn = reader.firstLsn; // a read that is overtaken looks again
    lastLsn = reader.lastLsn;
  }
  child.stdin.end();
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  await once(child, 'close');
  await reader.refresh();
  expect(`closed ${reader.lastLsn}\n`).toBe(text.toString());
  expect(reader.isLive).toBe(false);
  expect((await reader.readAll()).length).toBe(reader.lastLsn - reader.firstLsn + 1);
  await reader.close();
  console.log(`${lastLsn} records written, ${records} read, ${truncated} reads overtaken`);
});
