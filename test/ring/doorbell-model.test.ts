/**
 * doorbell-model: every interleaving of the park and wake protocol, step by atomic step, on a model of it; and that the
 * model can tell right from wrong: with two steps exchanged it does find a lost wake-up.
 *
 * The owner:  P1 store PARKED  P2 look for work  P3 wait while PARKED  P4 store AWAKE, do the work
 * A waker:    W1 publish work  W2 load the word  W3 swap to AWAKE  W4 notify
 *
 * A wait may also end by itself (a time-out), which makes more interleavings and must not be what saves one:
 * an end in which the owner sleeps and work waits is a lost wake-up.
 */
import { describe, expect, it } from 'vitest';
import { parkAsync, parkBlocking, wake } from '../../dist/src/ring/doorbell.js';

type Order =
  | 'right'
  | 'owner looks before it parks'
  | 'waker looks before it publishes'
  | 'waits unconditionally';

interface State {
  readonly word: 0 | 1;
  readonly work: number;
  readonly owner: 'P1' | 'P2' | 'P3' | 'asleep' | 'P4' | 'done';
  /** Times that the owner still goes to sleep. */
  readonly rounds: number;
  readonly timeouts: number;
  /** Next step of each waker, and whether its load saw PARKED. */
  readonly wakers: readonly { readonly step: number; readonly parked: boolean }[];
}

const WAKER_STEPS = 4;

function ownerSteps(state: State, order: Order): State[] {
  const looksFirst = order === 'owner looks before it parks';
  switch (state.owner) {
    case 'P1': {
      if (looksFirst) return [state.work > 0 ? { ...state, owner: 'P4' } : { ...state, owner: 'P2' }];
      return [{ ...state, word: 1, owner: 'P2' }];
    }
    case 'P2': {
      if (looksFirst) return [{ ...state, word: 1, owner: 'P3' }];
      return [{ ...state, owner: state.work > 0 ? 'P4' : 'P3' }];
    }
    case 'P3':
      return [{ ...state, owner: state.word === 1 || order === 'waits unconditionally' ? 'asleep' : 'P4' }];
    case 'asleep':
      return state.timeouts > 0 ? [{ ...state, owner: 'P4', timeouts: state.timeouts - 1 }] : [];
    case 'P4': {
      const rounds = state.rounds - 1;
      return [{ ...state, word: 0, work: 0, rounds, owner: rounds > 0 ? 'P1' : 'done' }];
    }
    default:
      return [];
  }
}

function wakerSteps(state: State, index: number, order: Order): State[] {
  const waker = state.wakers[index];
  if (waker === undefined || waker.step >= WAKER_STEPS) return [];
  const next = (change: Partial<State>, own: Partial<{ step: number; parked: boolean }> = {}): State[] => [
    {
      ...state,
      ...change,
      wakers: state.wakers.map((other, i) =>
        i === index ? { ...other, step: other.step + 1, ...own } : other,
      ),
    },
  ];
  const publish = (): State[] => next({ work: state.work + 1 });
  const load = (): State[] => next({}, { parked: state.word === 1 });
  const isSwapped = order === 'waker looks before it publishes';
  switch (waker.step) {
    case 0:
      return isSwapped ? load() : publish();
    case 1:
      return isSwapped ? publish() : load();
    case 2:
      if (!waker.parked || state.word !== 1) return next({}, { step: WAKER_STEPS });
      return next({ word: 0 });
    default:
      return next(state.owner === 'asleep' ? { owner: 'P4' } : {});
  }
}

/** All ends that can be reached, and how many states were seen on the way. */
function explore(
  order: Order,
  wakers: number,
  rounds: number,
  timeouts: number,
): { lost: State[]; seen: number } {
  const start: State = {
    word: 0,
    work: 0,
    owner: 'P1',
    rounds,
    timeouts,
    wakers: Array.from({ length: wakers }, () => ({ step: 0, parked: false })),
  };
  const seen = new Set<string>();
  const lost: State[] = [];
  const stack = [start];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const key = JSON.stringify(state);
    if (seen.has(key)) continue;
    seen.add(key);
    const moves = state.wakers.flatMap((_, i) => wakerSteps(state as State, i, order));
    if (moves.length === 0 && state.owner === 'asleep' && state.work > 0) lost.push(state);
    stack.push(...moves, ...ownerSteps(state, order));
  }
  return { lost, seen: seen.size };
}

describe('the protocol', () => {
  it('loses no wake-up in any interleaving, with up to three wakers and three sleeps', () => {
    let states = 0;
    for (const wakers of [1, 2, 3]) {
      for (const timeouts of [0, 1, 2]) {
        const { lost, seen } = explore('right', wakers, 3, timeouts);
        expect(lost).toEqual([]);
        states += seen;
      }
    }
    expect(states).toBeGreaterThan(3000);
  });

  it.each([
    'owner looks before it parks',
    'waker looks before it publishes',
    'waits unconditionally',
  ] as const)('would lose one if it were wrong: %s', (order) => {
    expect(explore(order, 1, 1, 0).lost.length).toBeGreaterThan(0);
  });
});

describe('the code', () => {
  const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

  it('does not sleep when there is work, and leaves the word as if it had been woken', () => {
    const word = words();
    const start = performance.now();
    parkBlocking(word, 1, 5000, () => true);
    expect(parkAsync(word, 1, 5000, () => true)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
    expect(word[1]).toBe(0);
  });

  it('looks for work only after it has said that it sleeps', () => {
    const word = words();
    const seen: number[] = [];
    parkBlocking(word, 1, 5000, () => seen.push(Atomics.load(word, 1)) > 0);
    void parkAsync(word, 1, 5000, () => seen.push(Atomics.load(word, 1)) > 0);
    expect(seen).toEqual([1, 1]);
  });

  it('is woken by what comes between the look and the wait', async () => {
    const word = words();
    const start = performance.now();
    parkBlocking(word, 1, 5000, () => {
      wake(word, 1);
      return false;
    });
    await parkAsync(word, 1, 5000, () => {
      wake(word, 1);
      return false;
    });
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('wakes a sleeper once, and costs nothing while nobody sleeps', async () => {
    const word = words();
    expect(wake(word, 1)).toBe(false);
    const woken = parkAsync(word, 1, undefined, () => false);
    expect(woken).toBeInstanceOf(Promise);
    expect(wake(word, 1)).toBe(true);
    expect(wake(word, 1)).toBe(false);
    await woken;
    expect(word[1]).toBe(0);
  });

  it('ends a sleep by itself after its time', async () => {
    const word = words();
    parkBlocking(word, 1, 1, () => false);
    await parkAsync(word, 1, 1, () => false);
    expect(word[1]).toBe(0);
  });
});
