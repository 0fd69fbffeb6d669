/** settling: each promise of a thread's appends is settled once, in its turn, and with what became of its own record. */
import { expect, it } from 'vitest';
import { CONDITIONAL, SLOTS } from '../../dist/src/ring/layout.js';
import type { SpanToken } from '../../dist/src/ring/producer.js';
import { commitAll, commitChunk, commitGroup, deferred, frame, joined } from '../support/joined-submitter.js';
import { turn } from '../support/turns.js';

it('nothing overtakes an append whose bytes are still being made, in whatever way it is appended', async () => {
  const one = joined();
  const { submitter, appender, worker } = one;
  const { appended, know } = deferred(submitter);
  expect(appender.tryAppend('tried')).toBeUndefined();
  expect(submitter.trySubmit([frame(8)], {})).toBeUndefined();
  const behind = [
    appender.append('plain') as Promise<number>,
    appender.append('other', { durability: 'os' }) as Promise<number>,
    appender.appendBatch(['a', 'b']).then(({ first }) => first),
    appender.append(Buffer.alloc(100_000)) as Promise<number>,
    submitter.submit([frame(8)], {}),
  ];
  submitter.stateChanged();
  submitter.publish();
  await turn();
  await turn();
  expect(worker.hasChunks()).toBe(false);
  know([frame(8)]);
  await turn();
  const next = await commitAll(one, 1);
  const lsns = await Promise.all([appended, ...behind]);
  expect(lsns.slice(0, 4)).toEqual([1, 2, 3, 4]);
  expect(lsns).toEqual(lsns.toSorted((a, b) => a - b));
  expect(lsns.at(-1)).toBe(next - 1);
  submitter.detach();
});

it('completions that come one after the other are each heard of, without being asked for', async () => {
  const { submitter, worker } = joined();
  const appended: Promise<number>[] = [];
  for (let i = 0; i < 3; i++) {
    appended.push(submitter.submit([frame(8)], {}));
    submitter.publish();
  }
  const settled: number[] = [];
  for (const one of appended) void one.then((lsn) => settled.push(lsn));
  for (let lsn = 1; lsn <= 3; lsn++) {
    for (let i = 0; i < 3; i++) await turn();
    commitChunk(worker, lsn);
    for (let i = 0; i < 3; i++) await turn();
    expect(settled.at(-1)).toBe(lsn);
  }
  submitter.detach();
});

it('an abort from within a completion disturbs no LSN: what follows in it, and behind it, is answered for its own', async () => {
  const { submitter, worker } = joined({ maxGroupRecords: 2 });
  const controller = new AbortController();
  const abort = (lsn: number): number => {
    controller.abort(new Error('given up'));
    return lsn;
  };
  const appended = [submitter.submit([frame(8)], {}, abort)];
  for (let i = 0; i < 3; i++) appended.push(submitter.submit([frame(8)], {}));
  submitter.publish();
  const waiting = submitter.defer(8, () => new Promise<never>(() => {}), { signal: controller.signal });
  let lsn = 1;
  while (worker.hasChunks()) lsn = Math.max(commitChunk(worker, lsn), lsn);
  submitter.stateChanged();
  await expect(waiting).rejects.toThrow('given up');
  expect(await Promise.all(appended)).toEqual([1, 2, 3, 4]);
  submitter.detach();
});

it('a record that was compressed and is still larger than a group is not taken back by its signal when a part is in', async () => {
  const { submitter, worker } = joined({ maxGroupBytes: 4096 });
  const controller = new AbortController();
  const appended = submitter.defer(40_000, async () => [frame(40_000)], { signal: controller.signal });
  await turn();
  await turn();
  expect(worker.hasChunks()).toBe(true);
  controller.abort(new Error('given up'));
  let lsn = 1;
  for (let i = 0; i < 40 && worker.hasChunks(); i++) {
    lsn = commitGroup(worker, lsn);
    submitter.stateChanged();
    await turn();
    await turn();
  }
  submitter.detach();
  expect(await appended).toBe(lsn - 1);
  expect(worker.spans.lsn).toBe(0);
});

it('a large record that is given up ends its own span only, also when it has to try twice to tell so', async () => {
  const { submitter, worker } = joined({
    ringBytes: 8_388_608,
    segmentBytes: 16_777_216,
    maxGroupBytes: 2_097_152,
  });
  const terms = { chunkFlags: CONDITIONAL };
  // All slots are taken.
  const before = Array.from({ length: SLOTS }, (_, i) =>
    submitter.submit([frame(8)], { ...terms, expectedLsn: i + 1 }),
  );
  submitter.publish();
  let span: SpanToken | undefined;
  const onSpan = (token: SpanToken): void => {
    span = token;
  };
  const begun = submitter.submit([frame(8)], { onSpan });
  const large = frame(2_500_000);
  const givenUp = submitter.submitLarge(large, {});
  expect(submitter.inFlight).toBe(SLOTS + 3); // its first fragment, and itself, which waits
  structuredClone(large.payload.buffer, { transfer: [large.payload.buffer] });
  let lsn = 1;
  const refused = expect(givenUp).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
  while (worker.hasChunks()) {
    lsn = commitChunk(worker, lsn); // one slot becomes free at a time
    submitter.stateChanged();
  }
  await refused;
  await Promise.all(before);
  expect(await begun).toBe(SLOTS + 1);
  const behind = submitter.submit([frame(8)], {});
  submitter.publish();
  lsn = commitChunk(worker, lsn);
  expect(worker.spans.lsn).toBe(SLOTS + 1);
  const ended = submitter.submit([frame(8)], { endsSpan: () => span });
  submitter.publish();
  lsn = commitChunk(worker, lsn);
  expect(worker.spans.lsn).toBe(0);
  submitter.stateChanged();
  expect(await Promise.all([behind, ended])).toEqual([SLOTS + 3, SLOTS + 4]);
  submitter.detach();
});

it.each([
  {},
  { expectedLsn: 9 },
  { durability: 'os' },
  { receipt: true },
] as const)('an append with %j that waits for room is given up by its signal', async (options) => {
  const { submitter, appender } = joined({ maxGroupBytes: 4096 });
  const before = Array.from({ length: 6 }, () => submitter.submit([frame(4000)], {}).catch(() => {}));
  const controller = new AbortController();
  const appended = appender.append('waits', { ...options, signal: controller.signal });
  controller.abort(new Error('given up'));
  submitter.detach();
  await expect(appended).rejects.toThrow('given up');
  await Promise.all(before);
});
