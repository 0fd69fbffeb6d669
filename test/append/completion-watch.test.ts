/** completion-watch: a thread hears of its completions by being woken, or by looking in each turn of its event loop while that pays. */
import { expect, it, vi } from 'vitest';
import { CompletionWatch } from '../../dist/src/append/completion-watch.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing } from '../../dist/src/ring/layout.js';
import { CLOSED, LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { turn } from '../support/turns.js';

const POLL_US = 300;

/** A watch over a ring with a worker's side, and a clock that stands unless it is moved. */
function watched(busyPollUs = POLL_US) {
  const state = new LogState();
  const memory = createRing(16_384);
  const ring = new RingProducer(memory, state, { bytes: 4096, records: 16 });
  const worker = new RingConsumer(memory);
  const clock = { us: 1000 };
  const heard: number[] = [];
  const onNews = (): void => {
    heard.push(clock.us);
    ring.consume(() => {});
  };
  const watch = new CompletionWatch(ring, state, busyPollUs, onNews, () => clock.us);
  const parks = vi.spyOn(ring, 'park');
  /** Appends a record. */
  const append = (): void => {
    ring.reserve(16, 1);
    ring.frame(1, 8, 16);
    ring.publish();
  };
  /** What the worker does with it. */
  const complete = (): void => {
    worker.peek();
    worker.take(1);
    worker.complete(1, { records: 1, bytes: 16, syncUs: 0, segment: 1 });
  };
  /** Has the watch poll in vain, or park when polling is not due; and be woken then. Returns whether it polled. */
  const late = async (): Promise<boolean> => {
    parks.mockClear();
    append();
    watch.listen();
    const polled = parks.mock.calls.length === 0;
    clock.us += POLL_US;
    if (polled) await turn();
    expect(parks).toHaveBeenCalledTimes(1);
    complete();
    await turn();
    return polled;
  };
  return { state, watch, ring, clock, heard, parks, append, complete, late };
}

it('parks at once unless it was asked to poll, and is told when it is woken', async () => {
  const { watch, heard, parks, append, complete } = watched(0);
  append();
  watch.listen();
  expect(parks).toHaveBeenCalledTimes(1);
  await turn();
  expect(heard).toEqual([]);
  complete();
  await turn();
  expect(heard.length).toBe(1);
});

it('is told of completions that are there already in a turn of their own, and not within the call', async () => {
  const { watch, heard, append, complete } = watched(0);
  append();
  complete();
  watch.listen();
  await Promise.resolve();
  expect(heard).toEqual([]);
  await turn();
  expect(heard.length).toBe(1);
});

it('polls in each turn, without parking, so that nobody need wake it', async () => {
  const { watch, heard, parks, clock, append, complete } = watched();
  append();
  watch.listen();
  for (let turns = 0; turns < 10; turns++) {
    clock.us += 29;
    await turn();
  }
  expect(heard).toEqual([]);
  complete();
  await turn();
  expect(heard).toEqual([1290]);
  expect(parks).not.toHaveBeenCalled();
});

it('parks when nothing came for as long as it was asked to poll', async () => {
  const { watch, heard, parks, clock, append, complete } = watched();
  append();
  watch.listen();
  clock.us += POLL_US - 1;
  await turn();
  expect(parks).not.toHaveBeenCalled();
  clock.us += 1;
  await turn();
  expect(parks).toHaveBeenCalledTimes(1);
  expect(heard).toEqual([]);
  complete();
  await turn();
  expect(heard.length).toBe(1);
});

it('polls more and more rarely where answers take longer', async () => {
  const { late } = watched();
  const polled: boolean[] = [];
  for (let i = 0; i < 13; i++) polled.push(await late());
  const [yes, no] = [true, false];
  expect(polled).toEqual([yes, no, yes, no, no, no, yes, no, no, no, no, no, no]);
});

it('waits once, however often it is asked to, and again when it has been told', async () => {
  const { watch, heard, parks, append, complete } = watched();
  for (let i = 1; i <= 3; i++) {
    append();
    watch.listen();
    watch.listen();
    complete();
    watch.listen();
    await turn();
    await turn();
    expect(heard.length).toBe(i);
  }
  expect(parks).not.toHaveBeenCalled();
});

it.each([0, POLL_US])('is told of the end of the log (polling for %i us)', async (busyPollUs) => {
  const { watch, heard, state, ring, append } = watched(busyPollUs);
  append();
  watch.listen();
  await turn();
  expect(heard).toEqual([]);
  state.advance(CLOSED);
  ring.detach(); // rings the thread's own doorbell
  await turn();
  await turn();
  expect(heard.length).toBe(1);
});

it('does not park any more, and is told nothing, once it is stopped while it polls', async () => {
  const { watch, heard, parks, clock, append, complete } = watched();
  append();
  watch.listen();
  await turn();
  watch.stop();
  clock.us += POLL_US;
  await turn();
  complete();
  await turn();
  await turn();
  expect(heard).toEqual([]);
  expect(parks).not.toHaveBeenCalled();
});

it('listens again after a call that threw at the end of the stack', async () => {
  const { watch, heard, parks, append, complete } = watched(0);
  append();
  parks.mockImplementationOnce(() => {
    throw new RangeError('Maximum call stack size exceeded');
  });
  expect(() => watch.listen()).toThrow(RangeError);
  watch.listen();
  complete();
  await turn();
  expect(heard.length).toBe(1);
});

it('ends its polling also where fake timers have stopped the clock', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const state = new LogState();
    const ring = new RingProducer(createRing(16_384), state, { bytes: 4096, records: 16 });
    const parks = vi.spyOn(ring, 'park');
    new CompletionWatch(ring, state, 1, () => {}).listen();
    for (let turns = 0; turns < 1000 && parks.mock.calls.length === 0; turns++) await turn();
    expect(parks).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});
