/**
 * worker-sleeps: when the I/O worker sleeps, how and for how long, when it lets its event loop turn, and when it ends; it
 * is heard of each sleep, and nobody really sleeps.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Nap } from '../../dist/src/commit/nap.js';
import { ClosedError, WorkerDiedError } from '../../dist/src/errors.js';
import { CLOSING, DEAD, WORKER_DOORBELL } from '../../dist/src/ring/log-state.js';
import { must } from '../support/must.js';
import { type PlayedLoop, played } from '../support/played-loop.js';

interface Sleep {
  readonly how: 'blocking' | 'async' | 'nap';
  readonly ms?: number | undefined;
}

let sleeps: Sleep[];
/** What happens while the worker sleeps. */
let asleep: (sleep: Sleep) => void;

beforeEach(() => {
  sleeps = [];
  asleep = () => {};
  const sleep = (how: Sleep['how'], index: number, value: number | bigint, ms: number | undefined): void => {
    expect([index, Number(value)]).toEqual([WORKER_DOORBELL, 1]);
    sleeps.push({ how, ms });
    if (sleeps.length > 100) throw new Error('the worker does not come to its end');
    asleep({ how, ms });
  };
  vi.spyOn(Nap.prototype, 'take').mockImplementation((hasWork) => {
    if (hasWork()) return;
    sleeps.push({ how: 'nap' });
    asleep({ how: 'nap' });
  });
  vi.spyOn(Atomics, 'wait').mockImplementation((_words, index, value, ms) => {
    sleep('blocking', index, value, ms);
    return 'timed-out';
  });
  vi.spyOn(Atomics, 'waitAsync').mockImplementation((_words, index, value, ms) => {
    sleep('async', index, value, ms);
    return { async: true, value: Promise.resolve('timed-out') };
  });
});
/** Lets what is resolved by now be heard. */
const heard = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the worker', () => {
  /** Runs until the log closes, which what the test has planned brings about. */
  async function closing({ loop, state }: PlayedLoop): Promise<void> {
    await loop.run();
    expect(state.state).toBe(CLOSING);
  }

  it('naps right behind a group', async () => {
    const all = played();
    all.put();
    asleep = () => all.state.advance(CLOSING);
    await closing(all);
    expect(sleeps).toEqual([{ how: 'nap' }]);
    expect(all.seen).toMatchObject({ commits: 1, turns: 0 });
  });

  it.each(['chunks', 'a request', 'closing'])('does not nap when %s came meanwhile', async (what) => {
    const all = played();
    all.put();
    let answer: Promise<unknown> | undefined;
    all.whenCommitted(() => {
      all.whenCommitted(() => all.state.advance(CLOSING));
      if (what === 'chunks') all.put();
      else if (what === 'closing') all.state.advance(CLOSING);
      else
        answer = all.loop.request(() => {
          all.state.advance(CLOSING);
          return true;
        });
    });
    await closing(all);
    await answer;
    expect(sleeps).toEqual([]);
  });

  it.each([
    [true, 1000, 0],
    [true, 1001, 1],
    [false, 8000, 0],
    [false, 8001, 1],
  ])('lets the event loop turn in time (busy: %s, after %i us: %i)', async (isBusy, afterUs, turns) => {
    const all = played();
    const { now, seen } = all;
    // The first turn tells whether maintenance is under way; then one group takes its time.
    now.isBusy = isBusy;
    all.put();
    all.whenCommitted(() => {
      now.us += 1001;
      all.whenCommitted(() => {
        now.us += afterUs;
        all.whenCommitted(() => all.state.advance(CLOSING));
        all.put();
      });
      all.put();
    });
    await closing(all);
    expect(seen.commits).toBe(3);
    expect(seen.turns).toBe(1 + turns);
    expect(seen.tallies).toBe(seen.turns);
    expect(sleeps).toEqual([]);
  });

  it('sleeps through a window, and no longer', async () => {
    const all = played(300);
    all.put();
    asleep = ({ how, ms }) => {
      if (how === 'blocking') all.now.us += must(ms) * 1000;
      if (all.seen.commits > 0) all.state.advance(CLOSING);
    };
    await closing(all);
    expect(sleeps).toEqual([{ how: 'blocking', ms: 0.3 }, { how: 'nap' }]);
    expect(all.seen.commits).toBe(1);
  });

  it.each([
    'a hurry',
    'closing',
    'more chunks',
  ])('does not sleep through a window beside %s', async (what) => {
    const all = played(300);
    all.put();
    all.whenCommitted(() => all.state.advance(CLOSING));
    // The step looks once, the sleep before it parks and once more behind that.
    all.whenLooked(() => {
      if (all.seen.looks !== 2) return;
      all.whenLooked(() => {});
      if (what === 'a hurry') all.state.hurry();
      else if (what === 'closing') all.state.advance(CLOSING);
      else
        all.whenLooked(() => {
          all.put(200, 2);
          all.now.us += 300;
        });
    });
    await closing(all);
    expect(sleeps).toEqual([]);
    expect(all.seen.commits).toBe(1);
  });

  it('sleeps in its event loop when idle, for a second at most, and lets it turn then', async () => {
    const all = played();
    asleep = () => sleeps.length === 3 && all.state.advance(CLOSING);
    await closing(all);
    expect(sleeps).toEqual(Array(3).fill({ how: 'async', ms: 1000 }));
    expect(all.seen).toMatchObject({ turns: 3, tallies: 3, marks: [] });
  });

  it('proves its last group by a mark after 50 ms of idleness, once; and tries again when there is no room', async () => {
    const all = played();
    const { now, seen } = all;
    const startUs = now.us;
    now.lastLsn++; // there is a group that no MARK covers
    now.marks.push(false);
    asleep = ({ ms }) => {
      if (sleeps.length === 5) all.state.advance(CLOSING);
      now.us += sleeps.length === 1 ? 20_000 : must(ms) * 1000;
    };
    await closing(all);
    expect(sleeps.map(({ ms }) => ms)).toEqual([50, 30, 50, 1000, 1000]);
    expect(seen.marks).toEqual([startUs + 50_000, startUs + 100_000]);
  });

  it('rounds the time to a mark up', async () => {
    const all = played();
    all.now.lastLsn++;
    asleep = () => {
      all.now.us += 100;
      if (sleeps.length === 3) all.state.advance(CLOSING);
    };
    await closing(all);
    expect(sleeps.map(({ ms }) => ms)).toEqual([50, 50, 50]);
  });

  it.each([0, 1, 10])('proves the end of the log anew after a cut to LSN %i', async (lsn) => {
    const all = played();
    all.now.lastLsn = lsn;
    void all.loop.pause();
    all.loop.step();
    all.loop.resume();
    asleep = ({ ms }) => {
      all.now.us += must(ms) * 1000;
      if (sleeps.length === 2) all.state.advance(CLOSING);
    };
    await closing(all);
    expect(sleeps.map(({ ms }) => ms)).toEqual([50, 1000]);
    expect(all.seen.marks.length).toBe(1);
  });

  it('does not sleep beside a request', async () => {
    const all = played();
    const answer = all.loop.request(() => all.state.advance(CLOSING));
    await closing(all);
    expect(await answer).toBe(true);
    expect(sleeps).toEqual([]);
  });

  // Its ring was lost while the worker was awake: it then slept, deaf, for 5 ms, behind most calls that followed an append.
  it('hears a control call that rang while it was awake, before it sleeps', async () => {
    const all = played();
    const { state, seen } = all;
    all.put();
    all.whenCommitted(() => state.ring());
    const heardAt: number[] = [];
    const { onTurn } = all.options;
    all.options.onTurn = () => {
      heardAt.push(sleeps.length);
      return onTurn();
    };
    asleep = () => {
      expect(state.isCalled).toBe(false);
      state.advance(CLOSING);
    };
    await closing(all);
    expect(heardAt.slice(0, 2)).toEqual([0, 0]);
    expect(seen.commits).toBe(1);
  });

  it('hears a control call within a commit window', async () => {
    const all = played(300);
    all.put();
    asleep = () => {
      throw new Error('slept beside a call');
    };
    all.whenLooked(() => {
      if (all.seen.looks === 2) all.state.ring();
    });
    all.options.onTurn = () => {
      if (++all.seen.turns === 2) all.state.advance(CLOSING);
      return false;
    };
    await closing(all);
    expect(all.seen.commits).toBe(1);
  });

  it('is woken from its event loop by a control call, and hears it there', async () => {
    const all = played();
    asleep = () => {
      if (sleeps.length === 1) all.state.ring();
      else all.state.advance(CLOSING);
    };
    await closing(all);
    expect(all.seen.turns).toBe(4);
    expect(all.state.isCalled).toBe(false);
  });

  it('is woken from its event loop by a request', () => {
    const { loop, state } = played();
    Atomics.store(state.words, WORKER_DOORBELL, 1);
    void loop.request(() => true);
    expect(Atomics.load(state.words, WORKER_DOORBELL)).toBe(0);
  });

  it('commits all that is published before it ends with the log', async () => {
    const all = played();
    all.put();
    all.whenCommitted(() => {
      all.whenCommitted(() => {});
      all.put();
    });
    all.state.advance(CLOSING);
    await closing(all);
    expect(all.seen.commits).toBe(2);
    await expect(all.loop.request(() => 1)).rejects.toThrow(ClosedError);
  });

  it('waits for a segment without sleeping, and tells that it stalls only when none is to be expected', async () => {
    const all = played();
    const { loop, now, state, seen } = all;
    now.outcomes.push('no-segment', 'no-segment', 'no-segment');
    all.put();
    const running = loop.run();
    await heard();
    expect(state.isStalled).toBe(false);
    expect(sleeps).toEqual([]);
    now.isStuck = true;
    loop.wake();
    await heard();
    expect(state.isStalled).toBe(true);
    now.isStuck = false;
    loop.wake();
    await heard();
    expect(state.isStalled).toBe(false);
    now.isStuck = true; // but this time there is a segment
    asleep = () => {
      expect(state.isStalled).toBe(false);
      state.advance(CLOSING);
    };
    loop.wake();
    await running;
    expect(seen.commits).toBe(1);
  });

  // Each of them waited for the next attempt to make a segment, 250 ms, although the active one had room.
  it.each([
    false,
    true,
  ])('commits what comes while a request alone waits for a segment (full disk: %s)', async (isStuck) => {
    const all = played();
    const { loop, now, state, seen } = all;
    now.isStuck = isStuck;
    let hasSegment = false;
    const request = loop.request(() => hasSegment || undefined);
    asleep = ({ how }) => {
      expect(state.isStalled).toBe(false);
      if (how === 'async') all.put();
    };
    all.whenCommitted(() => {
      hasSegment = seen.commits === 3;
      if (hasSegment) state.advance(CLOSING);
    });
    const running = loop.run();
    await heard();
    expect(seen.commits).toBe(3);
    await running;
    expect(await request).toBe(true);
    expect(sleeps.filter(({ how }) => how === 'async')).toEqual(Array(3).fill({ how: 'async', ms: 1000 }));
  });

  it('does not sleep beside what came while a request was found to wait for a segment', async () => {
    const all = played();
    const { loop, state, seen } = all;
    let tries = 0;
    const request = loop.request(() => ++tries > 1 || undefined);
    // Behind the look of the step, and before that of the sleep.
    const { isStuck } = all.options;
    all.options.isStuck = () => {
      if (seen.commits === 0) all.put();
      return isStuck();
    };
    all.whenCommitted(() => state.advance(CLOSING));
    const running = loop.run();
    await heard();
    expect(seen.commits).toBe(1);
    await running;
    expect(await request).toBe(true);
    expect(sleeps).toEqual([]);
  });

  it('gives up what finds no segment when the log closes, but waits as long as one is to come', async () => {
    const all = played();
    const { loop, now, state, seen } = all;
    now.outcomes.push('no-segment', 'no-segment');
    all.put();
    state.advance(CLOSING);
    let ended = false;
    const request = loop.request(() => undefined);
    const running = loop.run().then(() => {
      ended = true;
    });
    await heard();
    expect(ended).toBe(false);
    now.isStuck = true;
    loop.wake();
    await running;
    await expect(request).rejects.toThrow(ClosedError);
    expect(seen.commits).toBe(0);
  });

  it('stands still while it is paused, until it is resumed', async () => {
    const all = played();
    all.put();
    const paused = all.loop.pause();
    const running = all.loop.run();
    await paused;
    await heard();
    expect({ commits: all.seen.commits, sleeps }).toEqual({ commits: 0, sleeps: [] });
    all.whenCommitted(() => all.state.advance(CLOSING));
    all.loop.resume();
    await running;
    expect(all.seen.commits).toBe(1);
  });

  it('looks for work when it goes on, and sleeps in its event loop when there is none', async () => {
    const all = played();
    const paused = all.loop.pause();
    const running = all.loop.run();
    await paused;
    asleep = () => all.state.advance(CLOSING);
    all.loop.resume();
    await running;
    expect(sleeps.map(({ how }) => how)).toEqual(['async']);
  });

  it('that was declared dead while it was paused hears of what has failed meanwhile', async () => {
    const all = played();
    const paused = all.loop.pause();
    const running = all.loop.run();
    await paused;
    all.state.advance(DEAD);
    all.loop.wake();
    await running;
    const bad = new Error('EIO');
    all.loop.resume(bad);
    expect(all.seen.failures).toEqual([bad]);
    await expect(all.loop.request(() => 1)).rejects.toBe(bad);
  });

  it('ends when it was declared dead, and when a write fails', async () => {
    const dead = played();
    dead.put();
    dead.whenCommitted(() => dead.state.advance(DEAD));
    const request = dead.loop.request(() => undefined);
    const told = expect(request).rejects.toThrow(WorkerDiedError);
    await dead.loop.run();
    await told;
    expect(sleeps).toEqual([]);
    const failing = played();
    failing.now.outcomes.push(new Error('EIO'));
    await failing.loop.run();
    expect(failing.seen.failures.length).toBe(1);
    expect(sleeps).toEqual([]);
  });
});
