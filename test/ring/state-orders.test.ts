/** state-orders: the words of the log's state are stored in an order in which whoever is told of one sees what it stands for. */
import { expect, it, vi } from 'vitest';
import { CLOSING, DEAD, LogState, OPEN, POISONED, WORKER_DOORBELL } from '../../dist/src/ring/log-state.js';

/** What `look` sees each time that `when` says so of a word that is loaded. */
function seenAtLoads<T>(when: (words: Int32Array, index: number) => boolean, look: () => T): T[] {
  const { load } = Atomics;
  const seen: T[] = [];
  let isLooking = false;
  const loading = (words: Int32Array, index: number): number => {
    if (!isLooking && when(words, index)) {
      isLooking = true;
      seen.push(look());
      isLooking = false;
    }
    return load(words, index);
  };
  vi.spyOn(Atomics, 'load').mockImplementation(loading as typeof load);
  return seen;
}

// R4: a worker that parks in between would sleep on, with nobody to wake it.
it.each([
  ['a hurry', (state: LogState) => state.hurry(), (state: LogState) => state.isHurried],
  ['a control call', (state: LogState) => state.ring(), (state: LogState) => state.isCalled],
] as const)('%s can be seen when it is looked whether the worker sleeps', (_, tell, isTold) => {
  const state = new LogState();
  const seen = seenAtLoads(
    (words, index) => words === state.words && index === WORKER_DOORBELL,
    () => isTold(state),
  );
  tell(state);
  expect(seen).toEqual([true]);
});

// N1: a follower that begins to wait in between would not be told, and sleep until the next group.
it('the watermark has moved when it is looked whether somebody follows it', () => {
  const state = new LogState();
  const seen = seenAtLoads(
    (words) => words === state.words,
    () => state.durableLsn,
  );
  state.setDurableLsn(5);
  expect(seen).toEqual([5]);
});

it('the log has ended when those who follow it are told', () => {
  const state = new LogState();
  void state.awaitNews(() => false);
  const { notify } = Atomics;
  const seen: number[] = [];
  vi.spyOn(Atomics, 'notify').mockImplementation(((words: Int32Array, index: number) => {
    seen.push(state.state);
    return notify(words, index);
  }) as typeof notify);
  state.advance(CLOSING);
  expect(seen).toEqual([CLOSING]);
});

// The word that says so is cleared before they are woken, and its worker died in between.
it('who follows the log is told of its end also when nobody seems to', () => {
  const state = new LogState();
  const before = state.words.slice();
  void state.awaitNews(() => false);
  const followed = state.words.findIndex((word, i) => word !== before[i]);
  expect(followed).toBeGreaterThanOrEqual(0);
  Atomics.store(state.words, followed, before[followed] as number);
  const notify = vi.spyOn(Atomics, 'notify');
  state.advance(DEAD);
  expect(notify.mock.results.map(({ value }) => value)).toEqual([1]);
});

// R7
it('who sees that the log has failed sees why, whole', () => {
  const state = new LogState();
  const { compareExchange } = Atomics;
  const seen: unknown[] = [];
  vi.spyOn(Atomics, 'compareExchange').mockImplementation(((
    words: Int32Array,
    index: number,
    from: number,
    to: number,
  ) => {
    const was = compareExchange(words, index, from, to);
    expect([was, state.state]).toEqual([OPEN, POISONED]);
    seen.push(state.refusal()?.cause);
    return was;
  }) as typeof compareExchange);
  state.poison(Object.assign(new Error('disk'), { code: 'EIO' }));
  expect(seen).toMatchObject([{ message: 'disk', code: 'EIO' }]);
});
