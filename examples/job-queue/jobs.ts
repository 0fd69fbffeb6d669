/** jobs: the jobs that are not done, in memory: what the log says of them, and who has them in hand. */
import { encodeJob, JOB_HEADER_BYTES, type QueueRecord } from './records.js';
import { Schedule } from './schedule.js';

/** What the log stores around a record, roughly. */
const FRAME_BYTES = 16;
/** Outdated entries of the schedule are cleared away when there are so many more than jobs. */
const SLACK = 1024;

export interface Job {
  readonly id: number;
  readonly payload: Uint8Array;
  notBeforeMs: number;
  attempts: number;
  isDead: boolean;
  /** LSN of its newest `job` record, or a lower one: the log must not be truncated behind it. */
  lsn: number;
  /** When it may be taken: `notBeforeMs`, or when the visibility timeout of who has it ends. */
  dueMs: number;
  /** Which delivery has it in hand; 0: none since the queue was opened. */
  lease: number;
  /** Its end is on its way to the log: it is neither delivered nor carried over any more. */
  isEnding: boolean;
}

export class Jobs {
  readonly #byId = new Map<number, Job>();
  readonly #schedule = new Schedule();
  #bytes = 0;

  get size(): number {
    return this.#byId.size;
  }

  /** Bytes of one `job` record for each: what carrying all of them over costs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the oldest record that is still needed; Infinity when there is no job. */
  get lowestLsn(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { lsn } of this.#byId.values()) lowest = Math.min(lowest, lsn);
    return lowest;
  }

  get(id: number): Job | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<Job> {
    return this.#byId.values();
  }

  /** What recovery reads, in LSN order. */
  replay(lsn: number, record: QueueRecord): void {
    const job = this.#byId.get(record.id);
    if (record.kind === 'job') this.put(lsn, record);
    else if (record.kind === 'done') this.remove(record.id);
    else if (job !== undefined) {
      job.attempts = record.attempts;
      if (record.kind === 'buried') job.isDead = true;
    }
  }

  /** A job as its newest record says it; it replaces what was known of it. */
  put(lsn: number, facts: Pick<Job, 'id' | 'payload' | 'notBeforeMs' | 'attempts' | 'isDead'>): void {
    this.remove(facts.id);
    const { id, payload, notBeforeMs, attempts, isDead } = facts;
    const job = { id, payload, notBeforeMs, attempts, isDead, lsn };
    this.#byId.set(id, { ...job, dueMs: notBeforeMs, lease: 0, isEnding: false });
    this.#bytes += bytesOf(payload);
    if (!isDead) this.#schedule.add({ atMs: notBeforeMs, id });
  }

  remove(id: number): void {
    const job = this.#byId.get(id);
    if (job === undefined) return;
    this.#byId.delete(id);
    this.#bytes -= bytesOf(job.payload);
  }

  reschedule(job: Job, dueMs: number): void {
    job.dueMs = dueMs;
    this.#schedule.add({ atMs: dueMs, id: job.id });
    if (this.#schedule.size <= 2 * this.#byId.size + SLACK) return;
    this.#schedule.clear();
    for (const { id, dueMs: atMs, isDead } of this.#byId.values())
      if (!isDead) this.#schedule.add({ atMs, id });
  }

  /** The job that has been due for longest at `nowMs`; it leaves the schedule. */
  takeDue(nowMs: number): Job | undefined {
    for (;;) {
      const first = this.#schedule.first;
      if (first === undefined || first.atMs > nowMs) return undefined;
      this.#schedule.removeFirst();
      const job = this.#byId.get(first.id);
      if (job !== undefined && job.dueMs === first.atMs && !job.isDead && !job.isEnding) return job;
    }
  }
}

function bytesOf(payload: Uint8Array): number {
  return FRAME_BYTES + JOB_HEADER_BYTES + payload.length;
}

/** All that the log has to say of a job, as one record. */
export function recordOf(job: Job): Uint8Array {
  return encodeJob(job);
}
