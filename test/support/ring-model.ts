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
import { followerMoves } from './ring-model-follower.js';
import { producerMoves } from './ring-model-producer.js';
import { CLOSED, type Model, type ModelSize, OPEN, type WrongOrder } from './ring-model-state.js';
import { workerMoves } from './ring-model-worker.js';

export type { ModelSize, WrongOrder } from './ring-model-state.js';

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
