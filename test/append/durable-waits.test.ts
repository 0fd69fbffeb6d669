/** durable-waits: what one thread's waits for durability are told, in whatever order the log's words are seen to change. */
import { expect, it } from 'vitest';
import { DurableWaits } from '../../dist/src/append/durable-waits.js';
import { CLOSED, LogState } from '../../dist/src/ring/log-state.js';

const left = new Error('left');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('what became durable before the log was closed is told as that, whenever the change is seen', async () => {
  for (let moment = 1; moment <= 8; moment++) {
    let looks = Number.NEGATIVE_INFINITY;
    class Overtaken extends LogState {
      override get durableLsn(): number {
        const lsn = super.durableLsn;
        if (++looks === moment) {
          super.setDurableLsn(5);
          super.advance(CLOSED);
        }
        return lsn;
      }
    }
    const state = new Overtaken();
    const waits = new DurableWaits(state);
    const waiting = [waits.wait(1), waits.wait(5)];
    state.setDurableLsn(1);
    looks = 0;
    waits.stateChanged();
    state.setDurableLsn(5);
    state.advance(CLOSED);
    waits.stateChanged();
    expect((await Promise.all(waiting))[1], `${moment}`).toBe(5);
  }
});

/** Counts how often news are waited for. */
class Counted extends LogState {
  asked = 0;

  override awaitNews(isOver: () => boolean): Promise<void> | undefined {
    this.asked++;
    return super.awaitNews(isOver);
  }
}

it('a wait for more than is durable sleeps until there is news', async () => {
  const state = new Counted();
  const waits = new DurableWaits(state);
  const waiting = [waits.wait(1), waits.wait(5)];
  state.setDurableLsn(1);
  expect(await waiting[0]).toBe(1);
  state.asked = 0;
  for (let i = 0; i < 5; i++) await turn();
  expect(state.asked).toBe(0);
  state.setDurableLsn(5);
  expect(await waiting[1]).toBe(5);
});

it('a wait that was given up is forgotten: nobody listens for it any more', async () => {
  const state = new Counted();
  const waits = new DurableWaits(state);
  const giveUp = new AbortController();
  const givenUp = waits.wait(2, giveUp.signal);
  giveUp.abort(left);
  await expect(givenUp).rejects.toBe(left);
  state.asked = 0;
  state.setDurableLsn(1);
  waits.stateChanged();
  for (let i = 0; i < 5; i++) await turn();
  expect(state.asked).toBe(0);
});

it('a thread that leaves rejects what waits in it, now and later, but for what is durable', async () => {
  const state = new LogState();
  const waits = new DurableWaits(state);
  const [served, refused] = [waits.wait(1), waits.wait(2)];
  const told = expect(refused).rejects.toBe(left);
  state.setDurableLsn(1);
  waits.fail(left); // before the news has come
  expect(await served).toBe(1);
  await told;
  expect(await waits.wait(1)).toBe(1);
  await expect(waits.wait(2)).rejects.toBe(left);
});
