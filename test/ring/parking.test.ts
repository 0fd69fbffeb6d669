/** parking: the doorbell and the followers' word, call by call: who sleeps on what, for how long, and who wakes whom. */
import { describe, expect, it, vi } from 'vitest';
import { parkAsync, parkBlocking, wake } from '../../dist/src/ring/doorbell.js';
import { awaitNews, tellNews } from '../../dist/src/ring/followers.js';
import { CLOSING, DEAD, LogState, WORKER_DOORBELL } from '../../dist/src/ring/log-state.js';

const AT = 3;
const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(256));

/** Lets what is resolved by now be heard: `waitAsync` resolves in a task of its own. */
async function isHeard(promise: Promise<void> | undefined): Promise<boolean> {
  let isOver = false;
  void promise?.then(() => {
    isOver = true;
  });
  for (let turn = 0; turn < 20 && !isOver; turn++) await new Promise((resolve) => setImmediate(resolve));
  return isOver;
}

describe('a doorbell', () => {
  it('wakes who is parked, once, and nobody else', () => {
    const words = shared();
    const notify = vi.spyOn(Atomics, 'notify');
    const swap = vi.spyOn(Atomics, 'compareExchange');
    expect(wake(words, AT)).toBe(false);
    expect(notify).not.toHaveBeenCalled();
    expect(swap).not.toHaveBeenCalled(); // who is awake costs one load
    words[AT] = 1;
    expect(wake(words, AT)).toBe(true);
    expect(words[AT]).toBe(0);
    expect(wake(words, AT)).toBe(false);
    expect(notify.mock.calls.map(([, index]) => index)).toEqual([AT]);
  });

  it('is rung by one of those who ring at once', () => {
    const words = shared();
    words[AT] = 1;
    const notify = vi.spyOn(Atomics, 'notify');
    const { load } = Atomics;
    let isFirst = true;
    const loading = (of: Int32Array, index: number): number => {
      const value = load(of, index);
      if (isFirst) {
        isFirst = false;
        expect(wake(words, AT)).toBe(true); // another thread, right behind our look
      }
      return value;
    };
    vi.spyOn(Atomics, 'load').mockImplementation(loading as typeof load);
    expect(wake(words, AT)).toBe(false);
    expect(notify).toHaveBeenCalledTimes(1);
  });

  it('has its owner look for work only once it can be woken, and sleep only without', () => {
    const words = shared();
    const wait = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    const looks: number[] = [];
    for (const hasWork of [true, false]) {
      parkBlocking(words, AT, 7, () => {
        looks.push(words[AT] as number);
        return hasWork;
      });
      expect(words[AT]).toBe(0);
      expect(wait).toHaveBeenCalledTimes(hasWork ? 0 : 1);
    }
    expect(looks).toEqual([1, 1]);
    expect(wait.mock.calls.map((call) => call.slice(1))).toEqual([[AT, 1, 7]]);
  });

  it('does the same in an event loop', async () => {
    const words = shared();
    const waitAsync = vi.spyOn(Atomics, 'waitAsync');
    expect(parkAsync(words, AT, 1000, () => words[AT] === 1)).toBeUndefined();
    expect(words[AT]).toBe(0);
    expect(waitAsync).not.toHaveBeenCalled();
    const sleep = parkAsync(words, AT, undefined, () => false);
    expect(words[AT]).toBe(1);
    expect(await isHeard(sleep)).toBe(false);
    expect(wake(words, AT)).toBe(true);
    expect(await isHeard(sleep)).toBe(true);
    expect(words[AT]).toBe(0);
  });

  it('is awake again after a sleep that ended by itself, or that did not begin', async () => {
    const words = shared();
    const waitAsync = vi.spyOn(Atomics, 'waitAsync');
    waitAsync.mockReturnValueOnce({ async: true, value: Promise.resolve('timed-out') });
    await parkAsync(words, AT, 9, () => false);
    expect(words[AT]).toBe(0);
    waitAsync.mockReturnValueOnce({ async: false, value: 'not-equal' });
    expect(parkAsync(words, AT, 9, () => false)).toBeUndefined();
    expect(words[AT]).toBe(0);
    expect(waitAsync.mock.calls.map((call) => call.slice(1))).toEqual(Array(2).fill([AT, 1, 9]));
  });
});

describe('followers', () => {
  it('are all told at once, and cost nothing while there are none', async () => {
    const { words } = new LogState();
    const notify = vi.spyOn(Atomics, 'notify');
    tellNews(words);
    expect(notify).not.toHaveBeenCalled();
    const waits = [awaitNews(words, () => false), awaitNews(words, () => false)];
    expect(await isHeard(waits[0])).toBe(false);
    tellNews(words);
    tellNews(words);
    expect(notify).toHaveBeenCalledTimes(1);
    for (const wait of waits) expect(await isHeard(wait)).toBe(true);
  });

  it('do not wait for what is there, nor for news that came while they looked', async () => {
    const { words } = new LogState();
    expect(awaitNews(words, () => true)).toBeUndefined();
    const wait = awaitNews(words, () => {
      tellNews(words);
      return false;
    });
    expect(await isHeard(wait)).toBe(true);
  });

  it('hear of the next news, at whatever moment they announce themselves while others are told', async () => {
    for (let moment = 1; moment <= 4; moment++) {
      const { words } = new LogState();
      void awaitNews(words, () => false);
      const { waitAsync } = Atomics;
      let sleep: () => void = () => {};
      // Another thread, which comes to its sleep when all of them are told.
      const announce = (): Promise<void> | undefined => {
        vi.spyOn(Atomics, 'waitAsync').mockImplementation(((...args: Parameters<typeof waitAsync>) => {
          const value = new Promise((resolve) => {
            sleep = () => resolve(waitAsync(...args).value);
          });
          return { async: true, value };
        }) as never);
        return awaitNews(words, () => false);
      };
      let late: Promise<void> | undefined;
      let calls = 0;
      for (const name of ['load', 'store', 'add', 'notify'] as const) {
        const own = Atomics[name] as (...args: unknown[]) => unknown;
        const watched = (...args: unknown[]): unknown => {
          if (++calls === moment) late = announce();
          return own.apply(Atomics, args);
        };
        vi.spyOn(Atomics, name).mockImplementation(watched as never);
      }
      tellNews(words);
      vi.restoreAllMocks();
      expect(late, `${moment}`).toBeDefined();
      sleep();
      tellNews(words);
      expect(await isHeard(late), `${moment}`).toBe(true);
    }
  });

  it.each([
    ['a watermark that moves', (state: LogState) => state.setDurableLsn(1)],
    ['a cut', (state: LogState) => state.cut(0, 0)],
    ['a state that moves', (state: LogState) => state.advance(CLOSING)],
    ['a failure', (state: LogState) => state.poison(new Error('EIO'))],
  ])('hear of %s', async (_what, happen) => {
    const state = new LogState();
    const wait = state.awaitNews(() => false);
    happen(state);
    expect(await isHeard(wait)).toBe(true);
  });

  it('hear of the death of a worker that died while it told them something', async () => {
    const state = new LogState();
    const wait = state.awaitNews(() => false);
    state.words.fill(0, 34, 35); // N3 of followers.ts, without N4
    state.advance(DEAD);
    expect(await isHeard(wait)).toBe(true);
  });
});

it('who asks for a hurry, and who rings, wakes the worker', () => {
  const state = new LogState();
  for (const ask of [() => state.hurry(), () => state.ring()]) {
    state.words[WORKER_DOORBELL] = 1;
    ask();
    expect(state.words[WORKER_DOORBELL]).toBe(0);
  }
});
