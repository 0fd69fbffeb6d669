/** tail-other-log: a tail whose log is removed, or has another in its place, says so, and gives nothing of the other. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openLog, openReader } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const OPTIONS = { segmentBytes: 65_536, ringBytes: 65_536 };
const WORDS = ['one', 'two', 'three'];

async function write(directory: string, words: readonly string[]): Promise<void> {
  await using log = await openLog(directory, OPTIONS);
  for (const word of words) await log.append(word);
}

/** Has a tail give all that there is, and then waits for what comes of `change`. */
async function tailOver(directory: string, change: () => unknown): Promise<unknown> {
  await write(directory, WORDS);
  await using reader = await openReader(directory);
  const tail = reader.tail({ intervalMs: 1 });
  for (const word of WORDS) {
    const { value } = await tail.next();
    expect(Buffer.from(value?.payload ?? []).toString()).toBe(word);
  }
  const next = tail.next();
  next.catch(() => {}); // told below
  await change();
  return await next;
}

// It waited for ever, or gave what the other log had under later LSNs.
it.each([
  ['as long', 3],
  ['longer', 10],
  ['shorter', 1],
])('another log, %s, in the same directory', async (_how, records) => {
  const directory = tempDir();
  const next = tailOver(directory, async () => {
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
    await write(
      directory,
      Array.from({ length: records }, (_, i) => `other ${i}`),
    );
  });
  await expect(next).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
});

it.each([
  ['gone', () => {}],
  ['gone, and another is in its place', (directory: string) => write(directory, ['other'])],
])('its directory is %s', async (_how, change) => {
  const directory = join(tempDir(), 'log');
  const next = tailOver(directory, () => {
    rmSync(directory, { recursive: true });
    return change(directory);
  });
  await expect(next).rejects.toMatchObject({ code: 'RINGWAL_IO', cause: { code: 'ENOENT' } });
});
