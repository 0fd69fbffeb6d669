/** log-state: the words that all threads of a log share, one by one: what is asked for and told in one place is seen in all. */
import { expect, it, vi } from 'vitest';
import { ClosedError, PoisonedError, WorkerDiedError } from '../../dist/src/errors.js';
import { CLOSED, CLOSING, DEAD, LogState, OPEN, POISONED } from '../../dist/src/ring/log-state.js';

/** One log as two threads see it. */
function seenTwice(): [LogState, LogState] {
  const state = new LogState();
  return [state, new LogState(state.buffer)];
}

it('a log is stalled only as long as its worker says so', () => {
  const [worker, other] = seenTwice();
  expect(other.isStalled).toBe(false);
  worker.setStalled(true);
  expect(other.isStalled).toBe(true);
  worker.setStalled(false);
  expect(other.isStalled).toBe(false);
});

it('what a worker says each round is stored when it changes only', () => {
  const [worker] = seenTwice();
  const store = vi.spyOn(Atomics, 'store');
  for (const isStalled of [false, true, true, false]) worker.setStalled(isStalled);
  const { length } = store.mock.calls;
  vi.restoreAllMocks();
  expect(length).toBe(2);
});

it('a hurry is seen until it is taken', () => {
  const [worker, other] = seenTwice();
  expect(worker.isHurried).toBe(false);
  other.hurry();
  expect(worker.isHurried).toBe(true);
  worker.takeHurry();
  expect(other.isHurried).toBe(false);
});

it('a control call is seen until it is taken, also by a worker that was awake as it rang', () => {
  const [worker, other] = seenTwice();
  expect(worker.isCalled).toBe(false);
  other.ring();
  expect(worker.isCalled).toBe(true);
  worker.takeCall();
  expect(worker.isCalled).toBe(false);
});

it('the last LSN is the written one where that is ahead of the durable one, and the durable one where it is not', () => {
  const [worker, other] = seenTwice();
  expect(other.lastLsn).toBe(0);
  worker.setDurableLsn(5);
  expect(other.lastLsn).toBe(5);
  worker.setWrittenLsn(8);
  expect(other.lastLsn).toBe(8);
  expect(other.durableLsn).toBe(5);
  worker.setDurableLsn(9);
  expect(other.lastLsn).toBe(9);
});

it('of several cuts the lowest counts that came since; without any there is none', () => {
  const [worker, other] = seenTwice();
  expect(other.cutAfter(0)).toBe(Number.POSITIVE_INFINITY);
  worker.setDurableLsn(100);
  worker.cut(40, 0);
  worker.setDurableLsn(90);
  worker.cut(70, 0);
  expect(other.cuts).toBe(2);
  expect(other.cutAfter(0)).toBe(40);
  expect(other.cutAfter(1)).toBe(70);
  expect(other.cutAfter(2)).toBe(Number.POSITIVE_INFINITY);
});

// It was told 0: paused reads, tails and cursors lost records that no cut had touched.
it('who was away for more cuts than are kept trusts what the lowest of all cuts has left', () => {
  const [worker, other] = seenTwice();
  for (const lsn of [950, 900, 970]) {
    worker.setDurableLsn(1000);
    worker.cut(lsn, 0);
  }
  for (let n = 0; n < 20; n++) {
    worker.setDurableLsn(1000);
    worker.cut(980 + (n % 3), 0);
  }
  expect(other.cutAfter(0)).toBe(900);
  expect(other.cutAfter(15)).toBe(900);
  expect(other.cutAfter(16)).toBe(980);
  expect(other.cutAfter(23)).toBe(Number.POSITIVE_INFINITY);
  worker.setDurableLsn(1000);
  worker.cut(0, 0);
  expect([other.cutAfter(0), other.cutAfter(23)]).toEqual([0, 0]);
});

it('a cut that is about to be told of makes what is known of older ones lower, never higher', () => {
  const [worker, other] = seenTwice();
  worker.setDurableLsn(100);
  for (let n = 0; n < 8; n++) worker.cut(80, 0);
  const { store } = Atomics;
  const seen: number[] = [];
  vi.spyOn(Atomics, 'store').mockImplementation(((words: Int32Array, index: number, value: number) => {
    seen.push(other.cutAfter(0));
    return store(words, index, value);
  }) as typeof store);
  worker.cut(60, 0);
  vi.restoreAllMocks();
  expect(seen[0]).toBe(80);
  expect(new Set(seen)).toEqual(new Set([80, 60]));
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
});

it('the state only moves forward, and says whether it did', () => {
  const [worker, other] = seenTwice();
  expect(other.state).toBe(OPEN);
  expect(worker.advance(OPEN)).toBe(false);
  expect(worker.advance(CLOSING)).toBe(true);
  expect(worker.advance(OPEN)).toBe(false);
  expect(worker.advance(CLOSED)).toBe(true);
  expect(worker.advance(DEAD)).toBe(false);
  expect(other.state).toBe(CLOSED);
});

it.each([
  [OPEN, [CLOSING, CLOSED, POISONED, DEAD]],
  [CLOSING, [CLOSED, POISONED, DEAD]],
  [CLOSED, []],
  [POISONED, []],
  [DEAD, []],
])('from state %i it can be moved to %j', (from, ways) => {
  for (const to of [OPEN, CLOSING, CLOSED, POISONED, DEAD]) {
    const [worker, other] = seenTwice();
    worker.advance(from);
    expect(worker.advance(to), `to ${to}`).toBe(ways.includes(to));
    expect(other.state).toBe(ways.includes(to) ? to : from);
  }
});

it('of two threads that move the state at once, the second sees what the first has made of it', () => {
  const [worker, other] = seenTwice();
  const { load } = Atomics;
  let isFirst = true;
  const loading = (words: Int32Array, index: number): number => {
    const value = load(words, index);
    if (isFirst) {
      isFirst = false;
      expect(other.advance(DEAD)).toBe(true);
    }
    return value;
  };
  vi.spyOn(Atomics, 'load').mockImplementation(loading as typeof load);
  const isMoved = worker.advance(CLOSING);
  vi.restoreAllMocks();
  expect([isMoved, worker.state]).toEqual([false, DEAD]);
});

it('watermarks only advance, and hold more than 32 bits', () => {
  const [worker, other] = seenTwice();
  for (const lsn of [7, 7, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    worker.setDurableLsn(lsn);
    worker.setFirstLsn(lsn);
    worker.setCheckpointLsn(lsn - 1);
    expect([other.durableLsn, other.firstLsn, other.checkpointLsn]).toEqual([lsn, lsn, lsn - 1]);
  }
  expect(() => worker.setDurableLsn(Number.MAX_SAFE_INTEGER - 1)).toThrow('R6 the durable watermark');
  expect(() => worker.setFirstLsn(Number.MAX_SAFE_INTEGER - 1)).toThrow('R6 the truncation mark');
});

it('a cut sets back what was durable and written, and the last checkpoint', () => {
  const [worker, other] = seenTwice();
  worker.setDurableLsn(90);
  worker.setWrittenLsn(95);
  worker.setCheckpointLsn(80);
  worker.cut(40, 30);
  expect([other.durableLsn, other.lastLsn, other.checkpointLsn]).toEqual([40, 40, 30]);
});

it('of the last seven cuts it is known what each has left, of more what all have left', () => {
  const [worker, other] = seenTwice();
  for (let n = 1; n <= 20; n++) {
    worker.setDurableLsn(1000);
    worker.cut(n, 0);
    for (let since = 0; since < n; since++)
      expect(other.cutAfter(since), `${since} of ${n}`).toBe(n - since < 8 ? since + 1 : 1);
    expect(other.cutAfter(n)).toBe(Number.POSITIVE_INFINITY);
  }
});

it('a cut that happens while somebody asks for cuts is among them', () => {
  const [worker, other] = seenTwice();
  worker.setDurableLsn(100);
  worker.cut(80, 0);
  const { load } = Atomics;
  let isAsked = false;
  const loading = (words: Int32Array, index: number): number => {
    const value = load(words, index);
    if (!isAsked) {
      isAsked = true;
      worker.cut(60, 0);
    }
    return value;
  };
  vi.spyOn(Atomics, 'load').mockImplementation(loading as typeof load);
  const least = other.cutAfter(0);
  vi.restoreAllMocks();
  expect(least).toBe(60);
});

it('spans have numbers of their own, also over openings, and while their count wraps', () => {
  const [worker, other] = seenTwice();
  worker.setEpoch(5);
  expect([worker.nextSpanId(), other.nextSpanId()]).toEqual([5 * 2 ** 32, 5 * 2 ** 32 + 1]);
  worker.words[5] = -1;
  expect(other.nextSpanId()).toBe(5 * 2 ** 32 + 0xffff_ffff);
  expect(other.nextSpanId()).toBe(5 * 2 ** 32);
  worker.setEpoch(0x0fff_ffff);
  expect(other.nextSpanId()).toBe(0x1f_ffff * 2 ** 32 + 1);
  expect(Number.isSafeInteger(0x1f_ffff * 2 ** 32 + 0xffff_ffff)).toBe(true);
});

it('a failure is told to all threads with its causes, and without the stacks of the worker', () => {
  const [worker, other] = seenTwice();
  const disk = Object.assign(new Error('disk'), { code: 'EIO', errno: -5, syscall: 'fdatasync' });
  worker.poison(new Error('write', { cause: new Error('group', { cause: disk }) }));
  worker.poison(new Error('later'));
  expect(Buffer.from(worker.buffer).includes('"stack"')).toBe(false);
  const refusal = other.refusal();
  expect(refusal).toBeInstanceOf(PoisonedError);
  expect(refusal?.cause).toMatchObject({ message: 'write', cause: { message: 'group', cause: disk } });
});

it('of a failure that is too long its beginning and its code are told, of one that just fits all', () => {
  const room = 8192 - 512 - JSON.stringify({ name: 'Error', message: '', code: 'EIO' }).length;
  for (const [length, told] of [
    [room, room],
    [room + 1, 512],
    [100_000, 512],
  ] as const) {
    const [worker, other] = seenTwice();
    worker.poison(Object.assign(new Error('x'.repeat(length)), { code: 'EIO' }));
    expect(other.refusal()?.cause).toMatchObject({ message: 'x'.repeat(told), code: 'EIO' });
  }
});

it('a log that is closed by then is not failed any more', () => {
  const [worker, other] = seenTwice();
  worker.advance(CLOSED);
  worker.poison(new Error('EIO'));
  expect(other.state).toBe(CLOSED);
  expect(Buffer.from(worker.buffer).includes('EIO')).toBe(false);
});

it('a log says why it takes no append', () => {
  const refusals = [OPEN, CLOSING, CLOSED, DEAD].map((to) => {
    const [worker, other] = seenTwice();
    worker.advance(to);
    return other.refusal(new Error('why'));
  });
  expect(refusals[0]).toBeUndefined();
  expect(refusals[1]).toBeInstanceOf(ClosedError);
  expect(refusals[2]).toBeInstanceOf(ClosedError);
  expect(refusals[3]).toBeInstanceOf(WorkerDiedError);
  expect(refusals[3]?.cause).toEqual(new Error('why'));
});
