/** append-options: what single appends can ask for: receipts, an expected LSN, less durability; and checkpoints. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };

async function texts(log: Log): Promise<string[]> {
  const all: string[] = [];
  for await (const { payload } of log.read()) all.push(Buffer.from(payload).toString());
  return all;
}

describe('a receipt', () => {
  it('tells what is known of the append; without the option there is the LSN alone', async () => {
    await using log = await openLog(tempDir(), SMALL);
    expect(await log.append('plain')).toBe(1);
    expect(await log.append('plain', { receipt: false })).toBe(2);
    const start = performance.now();
    const alone = await log.append('grüße', { receipt: true });
    const tookUs = (performance.now() - start) * 1000;
    expect(alone).toEqual({
      lsn: 3,
      bytes: 7,
      groupSize: 1,
      grouped: false,
      waitUs: expect.any(Number),
      syncUs: expect.any(Number),
      segment: (await log.segments()).at(-1)?.number,
    });
    for (const us of [alone.waitUs, alone.syncUs]) expect(Number.isInteger(us) && us >= 0).toBe(true);
    expect(alone.syncUs).toBeGreaterThan(0);
    expect(alone.waitUs + alone.syncUs).toBeLessThanOrEqual(tookUs + 1000);
  });

  it('tells the group that it shared, and the segment that it lies in, in every segment', async () => {
    await using log = await openLog(tempDir(), SMALL);
    const together = await Promise.all(Array.from({ length: 10 }, () => log.append('x', { receipt: true })));
    expect(together.map(({ lsn }) => lsn)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
    for (const { grouped, groupSize } of together)
      expect({ grouped, groupSize }).toEqual({ grouped: true, groupSize: 10 });
    for (let i = 0; i < 60; i++) {
      const { lsn, segment } = await log.append(Buffer.alloc(3000), { receipt: true });
      const own = (await log.segments()).find(({ number }) => number === segment);
      expect(own === undefined ? [] : [own.firstLsn <= lsn, lsn <= own.lastLsn]).toEqual([true, true]);
    }
    expect((await log.segments()).length).toBeGreaterThan(2);
  });

  it('is for large records too, and for appends that had to wait for room', async () => {
    await using log = await openLog(tempDir(), SMALL);
    const large = log.append(Buffer.alloc(50_000), { receipt: true });
    const behind = log.append('behind', { receipt: true });
    expect(await large).toMatchObject({ bytes: 50_000, lsn: (await behind).lsn - 1 });
    expect(await behind).toMatchObject({ bytes: 6 });
  });
});

describe('an append that expects an LSN', () => {
  it('gets it, or rejects with RINGWAL_CONFLICT and the one it would have got, and nothing is written', async () => {
    await using log = await openLog(tempDir(), SMALL);
    expect(await log.append('one', { expectedLsn: 1 })).toBe(1);
    for (const expectedLsn of [1, 3, Number.MAX_SAFE_INTEGER]) {
      await expect(log.append('never', { expectedLsn })).rejects.toMatchObject({
        code: 'RINGWAL_CONFLICT',
        name: 'ConflictError',
        actualLsn: 2,
      });
    }
    expect(await log.append('two', { expectedLsn: 2, receipt: true })).toMatchObject({ lsn: 2 });
    expect(await texts(log)).toEqual(['one', 'two']);
  });

  it('is judged in the order of the calls, also between others in flight', async () => {
    await using log = await openLog(tempDir(), SMALL);
    const outcomes = await Promise.allSettled([
      log.append('1'),
      log.append('2', { expectedLsn: 2 }),
      log.append('never', { expectedLsn: 2 }),
      log.append('3'),
      log.appendBatch(['4', '5'], { expectedLsn: 4 }),
      log.appendBatch(['never', 'never'], { expectedLsn: 5 }),
      log.append('6', { expectedLsn: 6 }),
    ]);
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.actualLsn)),
    ).toEqual([1, 2, 3, 3, { first: 4, last: 5 }, 6, 6]);
    expect(await texts(log)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('wins each LSN on exactly one of three threads that race for them', async () => {
    await using log = await openLog(tempDir(), SMALL);
    const last = 300;
    const contenders = await Promise.all(
      [1, 2, 3].map(async (thread) => {
        const handle = log.handle();
        const worker = new Worker(new URL('../fixtures/contender.mjs', import.meta.url), {
          workerData: { handle, thread, last },
          transferList: [handle],
        });
        await once(worker, 'message');
        return worker;
      }),
    );
    const runs = await Promise.all(
      contenders.map(async (worker) => {
        const exited = once(worker, 'exit');
        worker.postMessage('go');
        const [run] = (await once(worker, 'message')) as [{ won: number[]; conflicts: number }];
        await exited;
        return run;
      }),
    );
    const won = runs.flatMap((run) => run.won).sort((a, b) => a - b);
    expect(won).toEqual(Array.from({ length: last }, (_, i) => i + 1));
    expect(runs.reduce((sum, { conflicts }) => sum + conflicts, 0)).toBeGreaterThan(0);
    expect(await texts(log)).toHaveLength(last);
    for (const [i, text] of (await texts(log)).entries()) expect(text.split(' ')[1]).toBe(`${i + 1}`);
  });
});

describe.each(['direct', 'dsync', 'fdatasync'] as const)('durability "os" in mode %s', (syncMode) => {
  it('resolves without a sync, and is made durable by sync(), and by the next append to disk', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, syncMode }).catch((error: { code: string }) => {
      if (error.code === 'RINGWAL_IO') return undefined; // a file system that can't do it
      throw error;
    });
    if (log === undefined) return;
    expect(await log.append('durable')).toBe(1);
    const { syncs } = await log.stats();
    expect(await log.append('written', { durability: 'os' })).toBe(2);
    expect(await log.appendBatch(['a', 'b'], { durability: 'os' })).toEqual({ first: 3, last: 4 });
    // An idle mark may have come in between on a slow machine: then they are durable, and a sync was counted.
    if ((await log.stats()).syncs === syncs) expect(log.durableLsn).toBe(1);
    expect(await log.sync()).toBeGreaterThanOrEqual(4);
    expect(log.durableLsn).toBe(4);
    const synced = (await log.stats()).syncs;
    expect(synced).toBeGreaterThan(syncs);
    expect(await log.append('written', { durability: 'os' })).toBe(5);
    expect(await log.append(Buffer.alloc(9000, 1), { durability: 'os', receipt: true })).toMatchObject({
      lsn: 7, // two fragments
    });
    expect(await log.append('durable')).toBe(8);
    expect(log.durableLsn).toBe(8);
    expect(await texts(log)).toHaveLength(7);
    for (let i = 0; i < 40; i++)
      await log.append(Buffer.alloc(3000, i), { durability: i % 3 === 0 ? 'disk' : 'os' });
    expect(await log.sync()).toBe(48);
    await log.append('last', { durability: 'os' });
    await log.close();
    await using again = await openLog(directory, { ...SMALL, syncMode });
    expect(again.recovery).toMatchObject({ lastLsn: 49, reloggedRecords: 0, tornTail: undefined });
    expect((await texts(again)).at(-1)).toBe('last');
  });
});

describe('a checkpoint', () => {
  it('is named by checkpointLsn from when it is durable, over rotation, reopening and truncation', async () => {
    const directory = tempDir();
    let log = await openLog(directory, SMALL);
    expect(log.checkpointLsn).toBe(0);
    await log.append('one');
    expect(await log.checkpoint('first')).toBe(2);
    expect(log.checkpointLsn).toBe(2);
    await log.append('three');
    const reopened = async (expected: number): Promise<void> => {
      await log.close();
      log = await openLog(directory, SMALL);
      expect(log.checkpointLsn).toBe(expected); // at once, before anything is read
    };
    await reopened(2);
    await reopened(2);
    for (let round = 0; round < 3; round++) {
      await log.append('between');
      await log.rotate();
    }
    expect(log.checkpointLsn).toBe(2);
    await reopened(2);
    const both = await Promise.all([log.checkpoint('second'), log.append('beside'), log.checkpoint('third')]);
    expect(log.checkpointLsn).toBe(both[2]);
    await log.append('behind');
    await log.rotate();
    await reopened(both[2]);
    await log.truncateBefore(log.durableLsn + 1);
    await reopened(both[2]);
    await log.close();
  });

  it('is read as one, and by its type alone', async () => {
    await using log = await openLog(tempDir(), SMALL);
    await log.append('one');
    await log.checkpoint('two');
    const seen: [string, number][] = [];
    for await (const { type, lsn } of log.read()) seen.push([type, lsn]);
    expect(seen).toEqual([
      ['record', 1],
      ['checkpoint', 2],
    ]);
    for await (const { lsn } of log.read({ types: ['checkpoint'] })) expect(lsn).toBe(2);
  });
});
