/** job-queue: the example queue against a model, over crashes and compactions; its space; and SIGKILL under load. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openLog } from 'ringwal';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compact } from '../../dist-examples/job-queue/compaction.js';
import { Jobs } from '../../dist-examples/job-queue/jobs.js';
import { killAfter, type Witness } from '../../dist-examples/job-queue/killed.js';
import { JobQueue, type QueueOptions } from '../../dist-examples/job-queue/queue.js';
import { must } from '../support/must.js';
import { Prng, testSeed } from '../support/prng.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';
import { LOG, MAX_ATTEMPTS, Pair, SEGMENT_BYTES, step, text } from './job-queue-pair.js';

const bytesIn = (directory: string): number =>
  segmentsIn(directory).reduce(
    (sum, name) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );

async function opened(directory: string, options: QueueOptions = {}): Promise<JobQueue> {
  const queue = await JobQueue.open(directory, { maxAttempts: MAX_ATTEMPTS, log: LOG, ...options });
  onTestFinished(() => queue.close());
  return queue;
}

describe('a job queue', () => {
  it('does what its model does, whatever is asked of it, over crashes and compactions', {
    timeout: 60_000,
  }, async () => {
    let carried = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), async (steps) => {
        const pair = new Pair();
        await pair.open();
        try {
          for (const step of steps) await pair.do(step);
          await pair.drain();
          carried += pair.carried;
        } finally {
          await pair.close();
        }
      }),
      { numRuns: 5, seed: testSeed(1) },
    );
    expect(carried, 'compactions that had something to do').toBeGreaterThan(0);
  });

  it('stays small behind a job that is never acknowledged, and writes no more than twice', async () => {
    const directory = tempDir();
    let carriedBytes = 0;
    const queue = await opened(directory, {
      onCompaction: (result) => {
        carriedBytes += result.carriedBytes;
      },
    });
    const stuck = await queue.add('x'.repeat(2000), { delayMs: 1_000_000_000 });
    let written = 0;
    let largest = 0;
    for (let round = 0; round < 200; round++) {
      await queue.addAll(Array.from({ length: 50 }, () => 'y'.repeat(100)));
      written += 50 * 100;
      const taken = Array.from({ length: 50 }, () => queue.take({ visibilityMs: 60_000 }));
      await Promise.all(taken.map(async (delivery) => queue.ack(must(await delivery))));
      await queue.idle();
      largest = Math.max(largest, bytesIn(directory));
    }
    expect(queue.size).toBe(1);
    expect(written).toBeGreaterThan(10 * SEGMENT_BYTES);
    expect(queue.firstLsn).toBeGreaterThan(stuck);
    expect(largest).toBeLessThanOrEqual(8 * SEGMENT_BYTES);
    expect(carriedBytes).toBeGreaterThan(0);
    expect(carriedBytes).toBeLessThan(written);
  });

  it('carries nothing over while most of the log is needed', async () => {
    const queue = await opened(tempDir(), { onCompaction: () => expect.unreachable('nothing is done yet') });
    for (let i = 0; i < 200; i++) await queue.add('z'.repeat(4000));
    await queue.compact();
    expect(queue.firstLsn).toBe(1);
  });

  it('adds a batch whole, and refuses what does not fit and what makes no sense, without harm', async () => {
    const directory = tempDir();
    const queue = await opened(directory);
    const ids = await queue.addAll(['a', 'b', 'c']);
    expect(ids).toEqual([1, 2, 3]);
    await expect(queue.add('x'.repeat(SEGMENT_BYTES))).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
    const invalid = { code: 'QUEUE_INVALID_ARGUMENT' };
    await expect(queue.add('d', { delayMs: -1 })).rejects.toMatchObject(invalid);
    await expect(queue.take({ visibilityMs: 0 })).rejects.toMatchObject(invalid);
    await expect(JobQueue.open(tempDir(), { maxAttempts: 0 })).rejects.toMatchObject(invalid);
    await expect(JobQueue.open(directory)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
    expect(must(await queue.take({ visibilityMs: 1 }))).toMatchObject({ id: 1, attempts: 1 });
  });

  it('knows a late consumer from before it was opened again, although the job is in hand anew', async () => {
    const directory = tempDir();
    const before = await opened(directory);
    await before.add('a');
    const late = must(await before.take({ visibilityMs: 1000 }));
    await before.close();
    const queue = await opened(directory);
    const delivery = must(await queue.take({ visibilityMs: 1000 }));
    expect(delivery).toMatchObject({ id: late.id, attempts: 2 });
    await expect(queue.ack(late)).rejects.toMatchObject({ code: 'QUEUE_LEASE_LOST' });
    await queue.ack(delivery);
    expect(queue.size).toBe(0);
  });

  it('never frees a job that is durable before the queue has heard of that', async () => {
    const queue = await opened(tempDir());
    for (let round = 0; round < 10; round++) {
      const adding = queue.add('a');
      await new Promise(setImmediate); // it is in the ring now
      const until = performance.now() + 5;
      while (performance.now() < until); // and on disk, while no answer can be heard
      await queue.compact();
      const id = await adding;
      expect(queue.firstLsn).toBeLessThanOrEqual(id);
      await queue.ack(must(await queue.take({ visibilityMs: 1000 })));
    }
  });

  it('carries no job over whose end is on its way', async () => {
    await using log = await openLog(tempDir(), LOG);
    const jobs = new Jobs();
    const facts = { attempts: 1, isDead: false, notBeforeMs: 0, payload: Buffer.from('a') };
    for (const id of [1, 2]) jobs.put(await log.append('a job'), { ...facts, id });
    for (let i = 0; i < 20; i++) await log.append('x'.repeat(10_000)); // what was done since
    must(jobs.get(1)).isEnding = true;
    const result = await compact({ log, jobs, addingFrom: () => log.durableLsn + 1 });
    expect(result).toMatchObject({ carriedJobs: 1, firstLsn: 1 });
    expect([jobs.get(1)?.lsn, jobs.get(2)?.lsn]).toEqual([1, log.durableLsn]);
  });

  it('refuses a log that is not its own', async () => {
    const directory = tempDir();
    await using log = await openLog(directory, LOG);
    await log.append('no job');
    await log.close();
    await expect(JobQueue.open(directory, { log: LOG })).rejects.toMatchObject({
      code: 'QUEUE_UNKNOWN_RECORD',
    });
  });

  it('killed with SIGKILL under load: has every job that was added and not done, and none that was', {
    timeout: 60_000,
  }, async () => {
    const seed = testSeed(1);
    const prng = new Prng(seed);
    const directory = tempDir();
    const witness: Witness = { added: new Map(), acking: new Set(), acked: new Set() };
    for (let life = 0; life < 3; life++) {
      await killAfter(directory, `life-${life}`, prng.between(1, 1500), witness);
      const queue = await JobQueue.open(directory, { maxAttempts: 1_000_000, log: LOG });
      const found = new Map<number, string>();
      for (;;) {
        const delivery = await queue.take({ visibilityMs: 1_000_000 });
        if (delivery === undefined) break;
        found.set(delivery.id, text(delivery.payload));
      }
      await queue.close();
      const where = `life ${life}, seed ${seed}`;
      for (const [id, payload] of witness.added)
        if (!witness.acking.has(id)) expect(found.get(id), `${where}: job ${id}`).toBe(payload);
      for (const id of witness.acked) expect(found.has(id), `${where}: job ${id} was done`).toBe(false);
    }
    expect(witness.acked.size).toBeGreaterThan(0);
  });
});
