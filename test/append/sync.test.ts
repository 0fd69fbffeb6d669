/** sync: resolves when all appends of its thread are durable, whatever way they are on, and costs the disk nothing else. */
import { expect, it } from 'vitest';
import { CONDITIONAL, SLOTS, UNSYNCED } from '../../dist/src/ring/layout.js';
import { commitAll, commitGroup, deferred, frame, joined } from '../support/joined-submitter.js';
import { isSettled, turn } from '../support/turns.js';

it('a sync waits for an append whose bytes are still being made, also when nothing else is under way', async () => {
  const { submitter, worker, state } = joined();
  const { appended, know } = deferred(submitter);
  const synced = submitter.sync();
  const closed = submitter.close(Promise.resolve());
  expect([await isSettled(synced), await isSettled(closed)]).toEqual([false, false]);
  know([frame(8)]);
  for (let i = 0; i < 3 && !worker.hasChunks(); i++) await turn();
  commitGroup(worker, 1);
  state.setDurableLsn(1);
  submitter.stateChanged();
  expect([await appended, await synced]).toEqual([1, 1]);
  await closed;
  submitter.detach();
});

it('a sync that waits behind an append which fails is settled then, though nothing more is completed', async () => {
  const { submitter } = joined();
  const failed = submitter.defer(0, () => Promise.reject(new Error('simulated')), {});
  const synced = submitter.sync();
  await expect(failed).rejects.toThrow('simulated');
  expect(await isSettled(synced)).toBe(true);
  submitter.detach();
});

it('a sync for which no slot of the ring is free waits for one, and is answered by the worker', async () => {
  const { submitter, worker, state } = joined({ ringBytes: 1_048_576 });
  const terms = { chunkFlags: CONDITIONAL | UNSYNCED };
  const appended = Array.from({ length: SLOTS }, (_, i) =>
    submitter.submit([frame(8)], { ...terms, expectedLsn: i + 1 }),
  );
  submitter.publish();
  const synced = submitter.sync();
  let lsn = commitGroup(worker, 1);
  submitter.stateChanged();
  expect(await Promise.all(appended)).toEqual(Array.from({ length: SLOTS }, (_, i) => i + 1));
  expect(await isSettled(synced)).toBe(false);
  expect(worker.hasChunks()).toBe(true);
  state.setDurableLsn(lsn - 1);
  lsn = commitGroup(worker, lsn);
  submitter.stateChanged();
  expect(await synced).toBe(SLOTS);
  submitter.detach();
});

it('a sync behind which nothing was appended costs no other', async () => {
  const one = joined();
  const { submitter, worker } = one;
  const appended = submitter.submit([frame(8)], { chunkFlags: UNSYNCED });
  const synced = submitter.sync();
  await commitAll(one, 1);
  expect(await Promise.all([appended, synced])).toEqual([1, 1]);
  const again = submitter.sync();
  expect(worker.hasChunks()).toBe(false);
  expect(await again).toBe(1);
  const behind = submitter.submit([frame(8)], {});
  const another = submitter.sync();
  await commitAll(one, 2);
  expect(await Promise.all([behind, another])).toEqual([2, 2]);
  submitter.detach();
});
