/** truncation: what becomes of a wish over cuts and failures, and in which order a mark takes effect; its parts are played. */
import { expect, it } from 'vitest';
import { Truncation, type TruncationParts } from '../../dist/src/maintenance/truncation.js';
import { LogState } from '../../dist/src/ring/log-state.js';

/** The truncation of a log of LSNs 1 to 5, what holds it back, and what it does. */
function played() {
  const held = { cursors: Number.POSITIVE_INFINITY, retention: Number.POSITIVE_INFINITY };
  const calls: string[] = [];
  const failure: { error?: Error } = {};
  const state = new LogState();
  state.setFirstLsn(1);
  state.setDurableLsn(5);
  let durable = 1;
  const writer = {
    truncatedBefore: 1,
    active: { hasRoomForIdleMark: true },
    describeActive: () => ({ number: 1, firstLsn: 1, lastLsn: state.durableLsn, openLsn: 0 }),
    setTruncatedBefore: (lsn: number) => {
      writer.truncatedBefore = lsn;
    },
    get isMarkDurable() {
      return durable >= writer.truncatedBefore;
    },
    mark: () => {
      if (failure.error) throw failure.error;
      durable = writer.truncatedBefore;
      calls.push(`mark ${durable}`);
      return true;
    },
  };
  const parts = {
    state,
    writer,
    keeper: { closed: [], isStuck: false, collect: (lsn: number) => calls.push(`collect ${lsn}`) },
    group: { openLsn: 0, hasChunks: () => false },
    retention: { observe: () => {}, heldFrom: () => held.retention },
    cursors: { heldFrom: () => held.cursors },
    ridingRoomBytes: 0,
    between: async <T>(attempt: () => T) => attempt(),
  };
  return { truncation: new Truncation(parts as unknown as TruncationParts, 1), state, held, calls, failure };
}

it('takes the LSN behind the last one and none beyond that; of the latter nothing is left', async () => {
  const { truncation, state, calls } = played();
  await expect(truncation.before(7, false)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
  await truncation.review();
  expect([state.firstLsn, calls]).toEqual([1, []]);
  expect(await truncation.before(6, false)).toBe(6);
});

it('frees nothing before the mark is durable', async () => {
  const { truncation, calls } = played();
  await truncation.before(4, false);
  expect(calls).toEqual(['mark 4', 'collect 4']);
});

it('wishes nothing away that is appended behind a cut, and goes on there', async () => {
  const { truncation, state, held } = played();
  held.cursors = 1;
  expect(await truncation.before(6, false)).toBe(1);
  truncation.cutting(2);
  await expect(truncation.before(4, false)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
  state.cut(2, 0);
  truncation.cut(2);
  truncation.cutIsOver();
  state.setDurableLsn(5);
  held.cursors = 6;
  await truncation.review();
  expect(state.firstLsn).toBe(3);
  expect(await truncation.before(5, false)).toBe(5);
});

it('passes a cursor by force only up to where that was asked for, and not what came in its place', async () => {
  const { truncation, state, held } = played();
  Object.assign(held, { cursors: 1, retention: 1 });
  expect(await truncation.before(6, true), 'retention is not passed').toBe(1);
  state.cut(2, 0);
  truncation.cut(2);
  state.setDurableLsn(5);
  Object.assign(held, { cursors: 4, retention: Number.POSITIVE_INFINITY });
  expect(await truncation.before(6, false)).toBe(4);
});

it('looks again without an unhandled rejection when the log fails meanwhile, and once more after that', async () => {
  const { truncation, held, calls, failure } = played();
  held.cursors = 1;
  await truncation.before(4, false);
  held.cursors = 4;
  failure.error = new Error('EIO');
  await truncation.review();
  failure.error = undefined as never;
  await truncation.review();
  expect(calls).toEqual(['mark 4', 'collect 4']);
});
