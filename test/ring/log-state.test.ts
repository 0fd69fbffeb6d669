/** log-state: the words that all threads of a log share, one by one: what is asked for and told in one place is seen in all. */
import { expect, it } from 'vitest';
import { CLOSED, CLOSING, DEAD, LogState, OPEN } from '../../dist/src/ring/log-state.js';

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

it('a hurry is seen until it is taken', () => {
  const [worker, other] = seenTwice();
  expect(worker.isHurried).toBe(false);
  other.hurry();
  expect(worker.isHurried).toBe(true);
  worker.takeHurry();
  expect(other.isHurried).toBe(false);
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

it('who was away for more cuts than are kept may trust nothing', () => {
  const [worker, other] = seenTwice();
  worker.setDurableLsn(1000);
  for (let lsn = 999; lsn > 900; lsn--) worker.cut(lsn, 0);
  expect(other.cutAfter(0)).toBe(0);
  expect(other.cutAfter(98)).toBe(901);
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
