/** appender: what may be appended, and what is refused before anything is changed. */
import { expect, it } from 'vitest';
import type { Appender } from '../../dist/src/append/appender.js';
import { OFF_THREAD_BYTES } from '../../dist/src/codec/compression.js';
import { FRAME_HEADER_BYTES } from '../../dist/src/format/record-frame.js';
import { commitAll, commitGroup, joined } from '../support/joined-submitter.js';
import { turn } from '../support/turns.js';

it('a batch of just as many records, and of just as many bytes, as a group holds is appended; of one more it is refused', async () => {
  const one = joined({ maxGroupRecords: 8, maxGroupBytes: 4096 });
  const { submitter, appender, worker } = one;
  const half = Buffer.alloc(2048 - FRAME_HEADER_BYTES);
  const batches = [
    appender.appendBatch(Array.from({ length: 8 }, () => 'x')),
    appender.appendBatch([half, half]),
    appender.appendBatch([half, half], { durability: 'os' }),
  ];
  submitter.publish();
  for (let lsn = 1; worker.hasChunks(); submitter.stateChanged()) lsn = commitGroup(worker, lsn);
  expect(await Promise.all(batches)).toEqual([
    { first: 1, last: 8 },
    { first: 9, last: 10 },
    { first: 11, last: 12 },
  ]);
  for (const batch of [Array.from({ length: 9 }, () => 'x'), [half, half, ''], [half, Buffer.alloc(2048)]])
    await expect(appender.appendBatch(batch)).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
  submitter.detach();
});

it('a record that just fits a group, with the LSN that it must get, is appended in one piece under that LSN', async () => {
  const one = joined({ maxGroupBytes: 4096 });
  const appended = one.appender.append(Buffer.alloc(4096 - FRAME_HEADER_BYTES), { expectedLsn: 1 });
  await commitAll(one, 1);
  expect(await appended).toBe(1);
  one.submitter.detach();
});

it('a batch of which one payload takes long to compress does not keep its thread, and holds its place', async () => {
  const { submitter, appender, worker } = joined({
    compression: 'deflate',
    segmentBytes: 1_048_576,
    ringBytes: 1_048_576,
    maxGroupBytes: 65_536,
  });
  const batch = appender.appendBatch(['small', Buffer.alloc(OFF_THREAD_BYTES)]);
  const behind = appender.append('behind');
  submitter.publish();
  expect([submitter.inFlight, worker.hasChunks()]).toEqual([2, false]);
  while (!worker.hasChunks()) await turn();
  await turn();
  for (let lsn = 1; worker.hasChunks(); submitter.stateChanged()) lsn = commitGroup(worker, lsn);
  expect(await Promise.all([batch, behind])).toEqual([{ first: 1, last: 2 }, 3]);
  submitter.detach();
});

it.each<[string, (appender: Appender) => Promise<unknown> | undefined]>([
  ['append', (appender) => appender.append('x')],
  ['append with options', (appender) => appender.append('x', { receipt: true })],
  ['tryAppend', (appender) => appender.tryAppend('x')],
  ['appendBatch', (appender) => appender.appendBatch(['x', 'y'])],
  ['checkpoint', (appender) => appender.checkpoint('x')],
])('%s on a log that is closed is rejected, and puts nothing into the ring', async (_, append) => {
  const { submitter, appender, worker } = joined();
  await submitter.close(Promise.resolve());
  await expect(append(appender)).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  expect(submitter.inFlight).toBe(0);
  submitter.publish();
  expect(worker.hasChunks()).toBe(false);
  submitter.detach();
});

it.each<[string, (appender: Appender, signal: AbortSignal) => Promise<unknown>]>([
  ['append', (appender, signal) => appender.append('x', { signal })],
  ['append of a large record', (appender, signal) => appender.append(Buffer.alloc(100_000), { signal })],
  ['appendBatch', (appender, signal) => appender.appendBatch(['x', 'y'], { signal })],
])('%s with a signal that is aborted by then is rejected with its reason, and puts nothing into the ring', async (_, append) => {
  const { submitter, appender, worker } = joined();
  const appended = append(appender, AbortSignal.abort(new Error('given up')));
  submitter.publish();
  expect([submitter.inFlight, worker.hasChunks()]).toEqual([0, false]);
  await expect(appended).rejects.toThrow('given up');
  submitter.detach();
});

it.each([
  0,
  -1,
  1.5,
  Number.NaN,
  2 ** 53,
  '1',
  null,
])('%j is no LSN that an append may expect', async (wrong) => {
  const { submitter, appender } = joined();
  const appended = appender.append('x', { expectedLsn: wrong as number });
  submitter.detach();
  await expect(appended).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
});
