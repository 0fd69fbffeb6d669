/** salvage, encrypted: records that open under one log's id and their own LSN alone are saved so that they open, or called lost. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Log, type LogOptions, openLog, salvage } from '../../dist/src/index.js';
import { must } from '../support/must.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const OPTIONS: LogOptions = {
  segmentBytes: 65_536,
  ringBytes: 65_536,
  recycle: false,
  compression: 'deflate',
  encryption: { keyId: 1, key: (keyId) => Buffer.alloc(32, keyId) },
};

/** A plain record, a large one, a transaction, and one with another key, on several segments. */
async function fill(log: Log): Promise<void> {
  await log.append('plain');
  await log.append(Buffer.alloc(100_000, 'never twice the same').map((byte, i) => byte ^ (i * i) ^ (i >> 8)));
  await log.rotateKey(2);
  await using tx = log.begin();
  for (let i = 0; i < 3; i++) await tx.append(`of a transaction, ${i}`.padEnd(20_000, `${i}`));
  await tx.commit();
  for (let i = 0; i < 60; i++) await log.append(`with another key, ${i}`);
}

async function recordsOf(directory: string): Promise<string[]> {
  const log = await openLog(directory, OPTIONS);
  const all: string[] = [];
  for await (const { lsn, payload } of log.read())
    all.push(`${lsn} ${payload.length} ${Buffer.from(payload).toString('latin1').slice(0, 30)}`);
  await log.close();
  return all;
}

async function filled(): Promise<{ directory: string; records: string[] }> {
  const directory = tempDir();
  const log = await openLog(directory, OPTIONS);
  await fill(log);
  await log.close();
  return { directory, records: await recordsOf(directory) };
}

describe('a salvaged log of encrypted records', () => {
  // It had an id of its own, and no key opened any record of it.
  it('opens with the keys that the damaged one had, also where the first block of a file is damaged', async () => {
    const { directory, records } = await filled();
    edit(directory, must(segmentsIn(directory)[0]), (bytes) => {
      bytes[16] = must(bytes[16]) ^ 1;
      return bytes;
    });
    const into = join(tempDir(), 'saved');
    const report = await salvage(directory, into);
    expect(report.lost).toEqual([]);
    expect(await recordsOf(into)).toEqual(records);
  });

  it('has records behind a gap that is not kept in its report as lost, and not under an LSN where they do not open', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...OPTIONS, compression: 'auto' });
    const noise = (seed: number): Uint8Array => new Uint8Array(15_000).map((_, i) => (i * i * seed) >> 7);
    for (let i = 1; i <= 12; i++) await log.append(noise(i));
    await log.close();
    const names = segmentsIn(directory);
    rmSync(join(directory, must(names[1])));
    const kept = await salvage(directory, join(tempDir(), 'kept'));
    const gap = must(kept.lost[0]);
    const into = join(tempDir(), 'moved');
    const report = await salvage(directory, into, { maxFillers: 1 });
    expect(report.saved).toEqual([{ firstLsn: 1, lastLsn: gap.firstLsn - 1, newFirstLsn: 1 }]);
    expect(report.lost).toMatchObject([
      { firstLsn: gap.firstLsn, lastLsn: gap.lastLsn },
      { firstLsn: must(gap.lastLsn) + 1, lastLsn: 12, reason: expect.stringContaining('maxFillers') },
    ]);
    expect(await recordsOf(into)).toHaveLength(gap.firstLsn - 1);
  });

  it('lacks them, as its report says, where every file has lost the id of the log', async () => {
    const { directory } = await filled();
    const into = join(tempDir(), 'saved');
    for (const name of segmentsIn(directory)) {
      edit(directory, name, (bytes) => {
        bytes[16] = must(bytes[16]) ^ 1;
        return bytes;
      });
    }
    const { savedRecords, lost } = await salvage(directory, into);
    expect(savedRecords).toBe(0);
    const reasons = lost.filter(({ lastLsn }) => lastLsn !== undefined).map(({ reason }) => reason);
    for (const reason of reasons) expect(reason).toContain('the id of its log');
    expect(await recordsOf(into)).toEqual([]);
  });
});
