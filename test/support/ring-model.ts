/**
 * ring-model: the protocol between producers, I/O worker and followers as a state machine, one atomic access a step, and
 * a search through every interleaving of its steps. No wait ends by itself: a time-out must not be what saves a wake-up.
 *
 *   producer  P0 P1-P3   submitter.ts refusal(), producer.ts #hand: store PUBLISHED (R3), then wake (R4)
 *             L1-L6      submitter.ts #listen: parkAsync: store PARKED, look at COMPLETED and STATE, wait (doorbell.ts)
 *             D0-D2      submitter.ts #drain: the state first, then consume(), then rejectAll
 *             X0-X3      producer.ts detach(): store DETACHED, wake the worker
 *   worker    T          consumer.ts detached and peek(), in this order; what a detached ring holds is still taken
 *             C, C1-C5   log-writer: sync; setDurableLsn (N1) and tellNews; consumer.ts complete(): COMPLETED, ring()
 *             S0-S5      commit-loop.ts #sleep: park, look at every ring and at STATE, wait
 *             E0-E4      log-state.ts advance() to CLOSED or POISONED, tellNews; log-engine: ring() every producer
 *   death     the worker takes no further step; later each thread hears of it (thread.ts workerGone)
 *   follower  F1-F4      followers.ts awaitNews, durable-waits.ts
 */
export type WrongOrder =
  | 'parks after looking'
  | 'wakes before publishing'
  | 'sleeps without comparing'
  | 'state after consume'
  | 'no look at the state'
  | 'completes before waking only by chance'
  | 'detached after chunks'
  | 'death is not told'
  | 'follower looks before it announces'
  | 'teller forgets to count'
  | 'state without ring';

export interface ModelSize {
  readonly producers: number;
  readonly appends: number;
  /** Whether there is a follower, which waits for the last record. */
  readonly follower: boolean;
  /** What may happen at any moment, once: the worker dies, the log is closed, a sync fails; producers leave early. */
  readonly dies?: boolean;
  readonly closes?: boolean;
  readonly fails?: boolean;
  readonly deserts?: boolean;
}

const OPEN = 0;
const CLOSING = 1;
const CLOSED = 2;
const POISONED = 3;
const DEAD = 4;

interface Producer {
  pc: string;
  published: number;
  completed: number;
  bell: number;
  detached: number;
  left: number;
  seen: number;
  rejected: number;
  refused: number;
  /** 0: no wait; 1: waiting; 2: woken and not yet heard. */
  wait: number;
  immediate: number;
  noted: number;
  told: number;
  taken: number;
  forgotten: number;
}

interface Model {
  producers: Producer[];
  state: number;
  bell: number;
  durable: number;
  followed: number;
  news: number;
  worker: string;
  at: number;
  isAsleep: number;
  sawDetached: number;
  sawEmpty: number;
  mayDie: number;
  mayClose: number;
  mayFail: number;
  follower: string;
  noted: number;
  followerTold: number;
}

export class BrokenProtocol extends Error {}

/** Explores all interleavings; returns the number of states, or throws BrokenProtocol with the way there. */
export function exploreProtocol(size: ModelSize, wrong?: WrongOrder): { states: number; steps: number } {
  const total = size.producers * size.appends;
  const first: Model = {
    producers: Array.from({ length: size.producers }, () => ({
      ...{ pc: 'idle', published: 0, completed: 0, bell: 0, detached: 0, left: size.appends, seen: 0 },
      ...{ rejected: 0, refused: 0, wait: 0, immediate: 0, noted: 0, told: 0, taken: 0, forgotten: 0 },
    })),
    ...{ state: OPEN, bell: 0, durable: 0, followed: 0, news: 0, worker: 'T', at: 0, isAsleep: 0 },
    ...{ sawDetached: 0, sawEmpty: 0, mayDie: Number(size.dies ?? false) },
    ...{ mayClose: Number(size.closes ?? false), mayFail: Number(size.fails ?? false) },
    ...{ follower: size.follower ? 'F1' : 'done', noted: 0, followerTold: 0 },
  };
  const keyOf = (model: Model): string => {
    let key = '';
    for (const value of Object.values(model)) {
      if (!Array.isArray(value)) key += `${value},`;
      else for (const producer of value) key += `${Object.values(producer).join()};`;
    }
    return key;
  };
  const seen = new Set<string>([keyOf(first)]);
  const stack: { model: Model; trail: Trail | undefined }[] = [{ model: first, trail: undefined }];
  let steps = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { model, trail } = top;
    let moves = 0;
    const move = (name: string, change: (next: Model) => void): void => {
      moves++;
      steps++;
      const next: Model = { ...model, producers: model.producers.map((producer) => ({ ...producer })) };
      const way: Trail = { name, before: trail };
      change(next);
      const broken = brokenInvariant(next);
      if (broken !== undefined) throw new BrokenProtocol(`${broken}: ${textOf(way)}`);
      const key = keyOf(next);
      if (seen.has(key)) return;
      seen.add(key);
      stack.push({ model: next, trail: way });
    };
    for (let i = 0; i < size.producers; i++) producerMoves(model, i, size, wrong, move);
    workerMoves(model, size, wrong, move);
    followerMoves(model, total, wrong, move);
    const broken = moves === 0 ? brokenEnd(model, size, total) : undefined;
    if (broken !== undefined) throw new BrokenProtocol(`${broken}: ${textOf(trail)}`);
  }
  return { states: seen.size, steps };
}

interface Trail {
  readonly name: string;
  readonly before: Trail | undefined;
}
type Move = (name: string, change: (next: Model) => void) => void;

function textOf(trail: Trail | undefined): string {
  const names: string[] = [];
  for (let at = trail; at !== undefined; at = at.before) names.unshift(at.name);
  return names.join(' ');
}

function brokenInvariant({ producers, durable }: Model): string | undefined {
  let resolved = 0;
  for (const { seen, rejected, published, completed, taken, detached } of producers) {
    if (seen + rejected > published) return 'a record was settled twice';
    if (completed > taken || taken > published) return 'R1 does not hold';
    if (rejected > 0 && detached === 0 && completed > seen)
      return 'a record was rejected after its completion';
    resolved += seen;
  }
  return resolved > durable ? 'a record was acknowledged that is not durable' : undefined;
}

/** What is wrong with a state in which nobody can do anything any more. */
function brokenEnd(model: Model, size: ModelSize, total: number): string | undefined {
  for (const [i, producer] of model.producers.entries()) {
    if (producer.seen + producer.rejected + producer.refused < size.appends) return `${i} waits for ever`;
    if (model.state !== OPEN || model.worker === 'dead') continue;
    if (producer.taken !== producer.published) return `a chunk of ${i} was lost`;
    if (producer.detached !== producer.forgotten) return `the ring of ${i} is kept for ever`;
  }
  if (model.follower !== 'done' && (model.durable >= total || model.state >= CLOSED))
    return 'a follower waits';
  return model.mayClose > 0 && model.worker !== 'dead' && model.state === OPEN
    ? 'close is not served'
    : undefined;
}

function get<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`There is no ${index}.`);
  return item;
}

function producerMoves(
  model: Model,
  i: number,
  size: ModelSize,
  wrong: WrongOrder | undefined,
  move: Move,
): void {
  const own = get(model.producers, i);
  const step = (name: string, change: (me: Producer, next: Model) => void): void =>
    move(`p${i}.${name}`, (next) => change(get(next.producers, i), next));
  const go = (name: string, to: string, change?: (me: Producer, next: Model) => void): void =>
    step(name, (me, next) => {
      change?.(me, next);
      me.pc = to;
    });
  const publish = (me: Producer): void => {
    me.published++;
    me.left--;
  };
  const pending = own.published - own.seen - own.rejected;
  const leaves = (): string => (size.deserts && own.left === 0 ? 'X0' : 'L1');
  switch (own.pc) {
    case 'idle':
      if (own.left > 0) go('append', 'P0');
      if (own.immediate)
        go('immediate', 'D0', (me) => {
          me.immediate = 0;
        });
      if (own.wait === 2)
        go('awake', 'D0', (me) => {
          me.wait = 0;
          me.bell = 0;
        });
      if (model.worker === 'dead' && own.told === 0) {
        go('gone', wrong === 'death is not told' ? 'idle' : 'D0', (me, next) => {
          me.told = 1;
          die(next, wrong);
        });
      }
      if (own.left === 0 && pending === 0 && own.detached === 0) go('leave', 'X0');
      break;
    case 'P0':
      if (model.state !== OPEN)
        go('refused', 'idle', (me) => {
          me.left--;
          me.refused++;
        });
      else go('open', wrong === 'wakes before publishing' ? 'P1' : 'P');
      break;
    case 'P':
      go('publish', wrong === 'wakes before publishing' ? leaves() : 'P1', publish);
      break;
    case 'P1': {
      const to = wrong === 'wakes before publishing' ? 'P' : leaves();
      go('load', model.bell === 1 ? 'P2' : to);
      break;
    }
    case 'P2':
    case 'X2': {
      const to = own.pc === 'X2' ? 'done' : wrong === 'wakes before publishing' ? 'P' : leaves();
      go('swap', model.bell === 1 ? `${own.pc[0]}3` : to, (_, next) => {
        next.bell = 0;
      });
      break;
    }
    case 'P3':
    case 'X3': {
      const to = own.pc === 'X3' ? 'done' : wrong === 'wakes before publishing' ? 'P' : leaves();
      go('notify', to, (_, next) => {
        next.isAsleep = 0;
      });
      break;
    }
    case 'L1':
      if (pending === 0 || own.wait > 0) go('nothing', 'idle');
      else if (wrong === 'parks after looking') go('look', own.completed !== own.seen ? 'L5' : 'L0');
      else
        go('park', 'L2', (me) => {
          me.bell = 1;
        });
      break;
    case 'L0':
      go('park', 'L4', (me) => {
        me.bell = 1;
      });
      break;
    case 'L2':
      go('look', own.completed !== own.seen ? 'L5' : 'L3');
      break;
    case 'L3':
      go('state', model.state >= CLOSED && wrong !== 'no look at the state' ? 'L5' : 'L4');
      break;
    case 'L4':
      if (own.bell === 1 || wrong === 'sleeps without comparing')
        go('wait', 'idle', (me) => {
          me.wait = 1;
        });
      else go('differs', 'L5');
      break;
    case 'L5':
      go('unpark', 'idle', (me) => {
        me.bell = 0;
        me.immediate = 1;
      });
      break;
    case 'D0':
      if (wrong === 'state after consume')
        go('consume', 'D1', (me) => {
          me.seen = me.completed;
        });
      else
        go('state', 'D1', (me, next) => {
          me.noted = next.state;
        });
      break;
    case 'D1':
      if (wrong === 'state after consume')
        go('state', 'D2', (me, next) => {
          me.noted = next.state;
        });
      else
        go('consume', 'D2', (me) => {
          me.seen = me.completed;
        });
      break;
    case 'D2':
      go('settle', 'L1', (me) => {
        if (me.noted >= CLOSED) me.rejected = me.published - me.seen;
        me.noted = 0;
      });
      break;
    case 'X0':
      go('detach', 'X1', (me) => {
        me.detached = 1;
        me.rejected = me.published - me.seen;
      });
      break;
    case 'X1':
      go('load', model.bell === 1 ? 'X2' : 'done');
      break;
  }
}

/** thread.ts workerGone: advance(DEAD), which tells the followers whatever FOLLOWED says. */
function die(next: Model, wrong: WrongOrder | undefined): void {
  if (next.state >= CLOSED) return;
  next.state = DEAD;
  next.followed = 0;
  if (wrong !== 'teller forgets to count') next.news++;
  if (next.follower === 'asleep') next.follower = 'F1';
}

function workerMoves(model: Model, size: ModelSize, wrong: WrongOrder | undefined, move: Move): void {
  const { worker, at } = model;
  if (worker === 'dead' || worker === 'done') return;
  const go = (name: string, to: string, change?: (next: Model) => void): void =>
    move(`w.${name}`, (next) => {
      change?.(next);
      next.worker = to;
    });
  if (model.mayDie)
    go('dies', 'dead', (next) => {
      next.mayDie = 0;
    });
  const ring = at < size.producers ? get(model.producers, at) : undefined;
  const me = (next: Model): Producer => get(next.producers, at);
  const onward = (next: Model): void => {
    next.at++;
  };
  const restart = (next: Model): void => {
    next.at = 0;
  };
  const hasTaken = model.producers.some(({ taken, completed }) => taken !== completed);
  const isEnding = worker.startsWith('E');
  const tell = worker[0];
  switch (worker) {
    case 'T': {
      if (ring === undefined) {
        if (hasTaken) go('group', 'C', restart);
        else go('idle', model.state === CLOSING ? 'E0' : 'S0', restart);
      } else if (ring.forgotten) go('none', 'T', onward);
      else if (wrong === 'detached after chunks')
        go('chunks', 'T2', (next) => {
          next.sawEmpty = Number(ring.published === ring.taken);
          me(next).taken = ring.published;
        });
      else
        go('detached', 'T2', (next) => {
          next.sawDetached = ring.detached;
        });
      break;
    }
    case 'T2':
      go(wrong === 'detached after chunks' ? 'detached' : 'chunks', 'T', (next) => {
        const own = me(next);
        if (wrong === 'detached after chunks') own.forgotten = next.sawEmpty & own.detached;
        else {
          own.forgotten = Number(next.sawDetached && own.published === own.taken);
          own.taken = own.published;
        }
        next.sawDetached = 0;
        next.sawEmpty = 0;
        next.at++;
      });
      break;
    case 'C':
      if (model.mayFail)
        go('fails', 'E1', (next) => {
          next.state = POISONED;
          next.mayFail = 0;
        });
      go('sync', 'C1', (next) => {
        next.durable = next.producers.reduce((sum, { taken }) => sum + taken, 0);
      });
      break;
    case 'E0':
      go('closed', 'E1', (next) => {
        next.state = CLOSED;
      });
      break;
    case 'C1':
      go('N2', model.followed ? 'C2' : 'C4');
      break;
    case 'E1':
      go('always', 'E2');
      break;
    case 'C2':
    case 'E2':
      go('N3', `${tell}3`, (next) => {
        next.followed = 0;
      });
      break;
    case 'C3':
    case 'E3':
      if (wrong === 'teller forgets to count') go('N5', `${tell}4`, wakeFollower);
      else
        go('N4', `${tell}3b`, (next) => {
          next.news++;
        });
      break;
    case 'C3b':
    case 'E3b':
      go('N5', `${tell}4`, wakeFollower);
      break;
    case 'C4':
    case 'E4':
      if (ring === undefined) go('told', isEnding ? 'done' : 'T', restart);
      else if (isEnding && wrong === 'state without ring') go('silent', 'E4', onward);
      else if (!isEnding && ring.taken === ring.completed) go('none', 'C4', onward);
      else if (isEnding) go('bell', ring.bell === 1 ? 'E5' : 'E4', ring.bell === 1 ? undefined : onward);
      else if (wrong === 'completes before waking only by chance')
        go('bell', ring.bell === 1 ? 'C4c' : 'C4d');
      else
        go('complete', 'C4b', (next) => {
          me(next).completed = ring.taken;
        });
      break;
    case 'C4c':
    case 'C4d':
      go('complete', worker === 'C4c' ? 'C5' : 'C4', (next) => {
        me(next).completed = get(next.producers, at).taken;
        if (worker === 'C4d') next.at++;
      });
      break;
    case 'C4b':
      go('bell', ring?.bell === 1 ? 'C5' : 'C4', ring?.bell === 1 ? undefined : onward);
      break;
    case 'C5':
    case 'E5':
      if (ring?.bell === 1)
        go('swap', `${tell}6`, (next) => {
          me(next).bell = 0;
        });
      else go('lost', `${tell}4`, onward);
      break;
    case 'C6':
    case 'E6':
      go('notify', `${tell}4`, (next) => {
        if (me(next).wait === 1) me(next).wait = 2;
        next.at++;
      });
      break;
    case 'S0':
      if (model.mayClose)
        go('close', 'T', (next) => {
          next.state = CLOSING;
          next.mayClose = 0;
        });
      go('park', 'S1', (next) => {
        next.bell = 1;
      });
      break;
    case 'S1': {
      if (ring === undefined) go('state', model.state !== OPEN ? 'S5' : 'S4', restart);
      else {
        const has = !ring.forgotten && ring.published !== ring.taken;
        // A ring that was left and is empty is dropped by the control port's close, which turns the event loop.
        const isLeft = !ring.forgotten && ring.detached === 1;
        go('look', has || isLeft ? 'S5' : 'S1', has || isLeft ? restart : onward);
      }
      break;
    }
    case 'S4':
      if (model.bell === 1)
        go('wait', 'asleep', (next) => {
          next.isAsleep = 1;
        });
      else go('differs', 'S5');
      break;
    case 'asleep':
      if (model.mayClose)
        go('close', 'S5', (next) => {
          next.state = CLOSING;
          next.mayClose = 0;
          next.isAsleep = 0;
        });
      if (!model.isAsleep) go('woken', 'S5');
      break;
    case 'S5':
      go('awake', 'T', (next) => {
        next.bell = 0;
        next.at = 0;
      });
      break;
  }
}

function wakeFollower(next: Model): void {
  if (next.follower === 'asleep') next.follower = 'F1';
}

function followerMoves(model: Model, total: number, wrong: WrongOrder | undefined, move: Move): void {
  const go = (name: string, to: string, change?: (next: Model) => void): void =>
    move(`f.${name}`, (next) => {
      change?.(next);
      next.follower = to;
    });
  const isOver = model.durable >= total || model.state >= CLOSED;
  const looksFirst = wrong === 'follower looks before it announces';
  switch (model.follower) {
    case 'F1':
      go('F1', looksFirst ? 'F3' : 'F2', (next) => {
        next.noted = next.news;
      });
      break;
    case 'F2':
      go('F2', looksFirst ? 'F4' : 'F3', (next) => {
        next.followed = 1;
      });
      break;
    case 'F3':
      go('F3', isOver ? 'done' : looksFirst ? 'F2' : 'F4');
      break;
    case 'F4':
      go('F4', model.news === model.noted ? 'asleep' : 'F1');
      break;
  }
  if (model.worker === 'dead' && model.followerTold === 0 && model.follower === 'asleep') {
    go('gone', wrong === 'death is not told' ? 'asleep' : 'F1', (next) => {
      next.followerTold = 1;
      die(next, wrong);
      if (wrong === 'death is not told') next.follower = 'asleep';
    });
  }
}
