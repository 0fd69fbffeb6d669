/** job-queue-pair: a job queue and its model, which do the same, over crashes and compactions; each step is compared. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Delivery, JobQueue } from '../../dist-examples/job-queue/queue.js';
import { crashImage } from '../support/crash-image.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';
import { QueueModel } from './job-queue-model.js';

export const MAX_ATTEMPTS = 3;
export const SEGMENT_BYTES = 65_536;
export const LOG = { segmentBytes: SEGMENT_BYTES, ringBytes: 65_536, syncMode: 'none' } as const;
const START_MS = 1_000_000;

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const index = fc.nat({ max: 50 });
const ms = fc.nat({ max: 200 });
/** One call, or one thing that happens. */
export const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('add' as const), bytes: fc.nat(9000), delayMs: ms }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('take' as const), ms }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ack' as const), index }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('extend' as const), index, ms }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('revive' as const, 'discard' as const), index }),
  },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A queue and its model, which do the same. */
export class Pair {
  readonly model = new QueueModel(MAX_ATTEMPTS);
  readonly deliveries: Delivery[] = [];
  nowMs = START_MS;
  carried = 0;
  #directory = tempDir();
  #queue: JobQueue | undefined;

  get queue(): JobQueue {
    return must(this.#queue, 'an open queue');
  }

  async open(): Promise<void> {
    this.#queue = await JobQueue.open(this.#directory, {
      maxAttempts: MAX_ATTEMPTS,
      now: () => this.nowMs,
      log: LOG,
      onCompaction: ({ carriedJobs }) => {
        this.carried += carriedJobs;
      },
    });
  }

  async close(): Promise<void> {
    await this.#queue?.close();
  }

  async do(step: Step): Promise<void> {
    const { model, queue, nowMs } = this;
    if (step.kind === 'add') {
      const payload = `${model.jobs.size} `.padEnd(step.bytes, 'x');
      model.add(await queue.add(payload, { delayMs: step.delayMs }), payload, nowMs + step.delayMs);
    } else if (step.kind === 'take') await this.take(step.ms + 1);
    else if (step.kind === 'ack' || step.kind === 'extend') await this.#settle(step);
    else if (step.kind === 'wait') this.nowMs += step.ms;
    else if (step.kind === 'compact') await queue.compact();
    else if (step.kind === 'revive' || step.kind === 'discard') await this.#judge(step.kind, step.index);
    else {
      await queue.idle();
      if (step.kind === 'crash') this.#directory = crashImage(this.#directory);
      await queue.close();
      await this.open();
      model.crash();
    }
    expect(this.queue.size).toBe(model.jobs.size);
  }

  async take(visibilityMs: number): Promise<Delivery | undefined> {
    const expected = this.model.take(this.nowMs, visibilityMs);
    const delivery = await this.queue.take({ visibilityMs });
    expect(
      delivery && { id: delivery.id, payload: text(delivery.payload), attempts: delivery.attempts },
    ).toEqual(expected && { id: expected.id, payload: expected.payload, attempts: expected.attempts });
    if (delivery !== undefined && expected !== undefined) {
      expected.lease = delivery.lease;
      this.deliveries.push(delivery);
    }
    return delivery;
  }

  async #settle(step: Extract<Step, { kind: 'ack' | 'extend' }>): Promise<void> {
    const { model, queue, deliveries } = this;
    const delivery = deliveries[step.index % Math.max(1, deliveries.length)];
    if (delivery === undefined) return;
    const call = async (): Promise<void> =>
      step.kind === 'ack' ? queue.ack(delivery) : queue.extend(delivery, step.ms);
    if (!model.holds(delivery)) {
      await expect(call()).rejects.toMatchObject({ code: 'QUEUE_LEASE_LOST' });
      return;
    }
    await call();
    if (step.kind === 'ack') model.jobs.delete(delivery.id);
    else must(model.jobs.get(delivery.id)).dueMs = this.nowMs + step.ms;
  }

  async #judge(verdict: 'revive' | 'discard', index: number): Promise<void> {
    const dead = this.model.dead();
    expect(
      this.queue
        .dead()
        .map(({ id }) => id)
        .sort((a, b) => a - b),
    ).toEqual(dead.map(({ id }) => id));
    const job = dead[index % Math.max(1, dead.length)];
    if (job === undefined) {
      await expect(this.queue[verdict](1_000_000)).rejects.toMatchObject({ code: 'QUEUE_NOT_DEAD' });
      return;
    }
    await this.queue[verdict](job.id);
    if (verdict === 'revive') this.model.revive(job, this.nowMs);
    else this.model.jobs.delete(job.id);
  }

  /** Every job that is neither done nor dead comes in the end, and nothing else. */
  async drain(): Promise<void> {
    this.nowMs += 1_000_000;
    for (;;) {
      const delivery = await this.take(1_000_000);
      if (delivery === undefined) break;
      await this.queue.ack(delivery);
      this.model.jobs.delete(delivery.id);
    }
    expect(this.queue.dead().length).toBe(this.model.jobs.size);
  }
}
