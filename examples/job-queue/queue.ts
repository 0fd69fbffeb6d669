/**
 * queue: a durable job queue with at-least-once delivery: what was added comes until it is acknowledged.
 *
 *   add   -> log (durable) -> memory                            resolves with the job's id, the LSN of its record
 *   take  -> memory -> log (written: survives kill -9)          who takes a job has it until its time is up
 *   ack   -> log (durable) -> memory                            after this it never comes again
 *   open  -> the log from its first record on
 *
 * One thread appends, so records lie in the log in the order of the calls: what memory knew when a record was made
 * is what the log says before it.
 */
import { type Log, type LogOptions, openLog } from 'ringwal';
import { type CompactionResult, compact } from './compaction.js';
import { checkInteger, LeaseLostError, QueueError } from './errors.js';
import { type Job, Jobs, recordOf } from './jobs.js';
import { decodeRecord, encodeChange, encodeJob } from './records.js';

const DEFAULT_SEGMENT_BYTES = 4 * 1024 * 1024;
const LEASES_PER_EPOCH = 2 ** 32;

export interface QueueOptions {
  /** Deliveries of a job before it is put aside as dead, when none was acknowledged. Default 5, at least 1. */
  maxAttempts?: number;
  /** The time, milliseconds since 1970; it must go on over restarts, as delays do. Default: the system's. */
  now?: () => number;
  /** Of the log. `segmentBytes` is 4 MiB by default: compaction looks at the log each time so much was written. */
  log?: LogOptions;
  /** Is told of compactions that carried jobs over. */
  onCompaction?: (result: CompactionResult) => void;
}

export interface AddOptions {
  /** Milliseconds before which the job is not delivered. Default 0. */
  delayMs?: number;
}

/** A job in the hands of a consumer. */
export interface Delivery {
  readonly id: number;
  /** The queue's own memory: not to be changed. */
  readonly payload: Uint8Array;
  /** 1: the first delivery. */
  readonly attempts: number;
  /** Which delivery it is; `ack` and `extend` refuse an older one. */
  readonly lease: number;
}

export type DeadJob = Pick<Delivery, 'id' | 'payload' | 'attempts'>;

export class JobQueue {
  readonly #log: Log;
  readonly #jobs = new Jobs();
  readonly #maxAttempts: number;
  readonly #now: () => number;
  readonly #segmentBytes: number;
  readonly #onCompaction: (result: CompactionResult) => void;
  /** Lower bounds of the LSNs of what is being added, the lowest first. */
  readonly #adding = new Set<{ readonly from: number }>();
  /** The highest LSN that an append has resolved with: whatever is submitted from now on gets a higher one. */
  #seenLsn: number;
  /** Deliveries are numbered on over the lives of the queue: no late `ack` from before fits one of now. */
  #leases: number;
  #bytesSinceCompaction = 0;
  #compacting: Promise<void> | undefined;
  #failure: unknown;

  /**
   * Opens the queue in `directory`, creating it if need be. All jobs that are not acknowledged can be taken, also
   * those that were in hand: their consumers were in the process that had the queue open. Rejects as `openLog` does,
   * and with QUEUE_UNKNOWN_RECORD.
   */
  static async open(directory: string, options: QueueOptions = {}): Promise<JobQueue> {
    checkInteger('Option "maxAttempts"', options.maxAttempts ?? 1, 1);
    const segmentBytes = options.log?.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    const log = await openLog(directory, { ...options.log, segmentBytes });
    try {
      const queue = new JobQueue(log, segmentBytes, options);
      for await (const { lsn, payload } of log.read()) queue.#jobs.replay(lsn, decodeRecord(lsn, payload));
      return queue;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  private constructor(log: Log, segmentBytes: number, options: QueueOptions) {
    this.#log = log;
    this.#seenLsn = log.durableLsn;
    this.#leases = log.recovery.epoch * LEASES_PER_EPOCH;
    this.#segmentBytes = segmentBytes;
    this.#maxAttempts = options.maxAttempts ?? 5;
    this.#now = options.now ?? Date.now;
    this.#onCompaction = options.onCompaction ?? (() => {});
  }

  /** Jobs that are not done, dead ones included. */
  get size(): number {
    return this.#jobs.size;
  }

  get firstLsn(): number {
    return this.#log.firstLsn;
  }

  /** Adds a job; resolves with its id once it is durable. RINGWAL_TOO_LARGE when it does not fit into a group. */
  async add(payload: Uint8Array | string, options: AddOptions = {}): Promise<number> {
    const [id = 0] = await this.addAll([payload], options);
    return id;
  }

  /** Adds jobs, all or none, also after a crash. */
  async addAll(payloads: readonly (Uint8Array | string)[], options: AddOptions = {}): Promise<number[]> {
    const { delayMs = 0 } = options;
    checkInteger('Option "delayMs"', delayMs, 0);
    const notBeforeMs = this.#now() + delayMs;
    const jobs = payloads.map((payload) => {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
      return { id: 0, attempts: 0, isDead: false, notBeforeMs, payload: new Uint8Array(bytes) };
    });
    const records = jobs.map((job) => encodeJob(job));
    // Until the answer is here only this says that there are jobs which truncation must not reach.
    const adding = { from: this.#seenLsn + 1 };
    this.#adding.add(adding);
    try {
      const { first, last } = await this.#append(records);
      for (const [i, job] of jobs.entries()) this.#jobs.put(first + i, { ...job, id: first + i });
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    } finally {
      this.#adding.delete(adding);
    }
  }

  /**
   * The job that has been due for longest, or undefined. It is not delivered to anybody else for `visibilityMs`; when
   * it was not acknowledged by then, it comes again, `maxAttempts` times in all, after which it is dead.
   */
  async take({ visibilityMs }: { readonly visibilityMs: number }): Promise<Delivery | undefined> {
    checkInteger('Option "visibilityMs"', visibilityMs, 1);
    for (;;) {
      const nowMs = this.#now();
      const job = this.#jobs.takeDue(nowMs);
      if (job === undefined) return undefined;
      if (job.attempts >= this.#maxAttempts) {
        job.isDead = true;
        job.lease = 0;
        await this.#append([encodeChange('buried', job.id, job.attempts)]);
        continue;
      }
      const attempts = ++job.attempts;
      const lease = ++this.#leases;
      job.lease = lease;
      this.#jobs.reschedule(job, nowMs + visibilityMs);
      // Who has a job, and until when, ends with the process; how often it was delivered must not: a job that kills
      // its consumer would come for ever. Written is enough for that: a power cut may cost one count, no job.
      await this.#append([encodeChange('taken', job.id, attempts)], 'os');
      return { id: job.id, payload: job.payload, attempts, lease };
    }
  }

  /** The job is done; resolves once that is durable. QUEUE_LEASE_LOST when somebody else has it, or it is done. */
  async ack(delivery: Pick<Delivery, 'id' | 'lease'>): Promise<void> {
    await this.#end(this.#held(delivery));
  }

  /**
   * Gives the consumer `visibilityMs` from now on; 0 gives the job back. In memory only, like all leases: after a
   * crash the job comes again anyway. Throws QUEUE_LEASE_LOST.
   */
  extend(delivery: Pick<Delivery, 'id' | 'lease'>, visibilityMs: number): void {
    checkInteger('The visibility timeout', visibilityMs, 0);
    this.#jobs.reschedule(this.#held(delivery), this.#now() + visibilityMs);
  }

  /** Jobs that were delivered `maxAttempts` times in vain. */
  dead(): DeadJob[] {
    return [...this.#jobs.all()]
      .filter(({ isDead, isEnding }) => isDead && !isEnding)
      .map(({ id, payload, attempts }) => ({ id, payload, attempts }));
  }

  /** Removes a dead job; resolves once that is durable. Rejects with QUEUE_NOT_DEAD. */
  async discard(id: number): Promise<void> {
    await this.#end(this.#deadJob(id));
  }

  /** Has a dead job delivered again, with all its attempts; resolves once that is durable. Rejects with QUEUE_NOT_DEAD. */
  async revive(id: number): Promise<void> {
    const job = this.#deadJob(id);
    const { attempts } = job;
    job.isDead = false;
    job.attempts = 0;
    try {
      const { first } = await this.#append([recordOf(job)]);
      job.lsn = Math.max(job.lsn, first);
    } catch (error) {
      job.isDead = true;
      job.attempts = attempts;
      throw error;
    }
    this.#jobs.reschedule(job, this.#now());
  }

  /** Frees what can be freed now. It also runs by itself each time a segment's worth was written. */
  async compact(): Promise<void> {
    await this.idle();
    this.#startCompaction();
    await this.#compacting;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when no compaction is under way. */
  async idle(): Promise<void> {
    while (this.#compacting !== undefined) await this.#compacting;
  }

  /** Waits for what is under way, then closes. Jobs in hand come again after the next opening. */
  async close(): Promise<void> {
    await this.idle();
    await this.#log.close();
  }

  /** The only way into the log, but for compaction. */
  async #append(records: readonly Uint8Array[], durability: 'disk' | 'os' = 'disk') {
    if (this.#failure !== undefined) throw this.#failure;
    const range = await this.#log.appendBatch(records, { durability });
    this.#seenLsn = Math.max(this.#seenLsn, range.last);
    for (const { length } of records) this.#bytesSinceCompaction += length;
    if (this.#bytesSinceCompaction >= this.#segmentBytes && this.#compacting === undefined)
      this.#startCompaction();
    return range;
  }

  async #end(job: Job): Promise<void> {
    job.isEnding = true; // from the call on: nothing may be logged of it behind its end
    try {
      await this.#append([encodeChange('done', job.id)]);
    } catch (error) {
      job.isEnding = false;
      this.#jobs.reschedule(job, job.dueMs); // it may have left the schedule meanwhile
      throw error;
    }
    this.#jobs.remove(job.id);
  }

  #held({ id, lease }: Pick<Delivery, 'id' | 'lease'>): Job {
    const job = this.#jobs.get(id);
    if (job === undefined || job.isEnding || job.lease !== lease || lease === 0) throw new LeaseLostError(id);
    return job;
  }

  #deadJob(id: number): Job {
    const job = this.#jobs.get(id);
    if (job?.isDead && !job.isEnding) return job;
    throw new QueueError('QUEUE_NOT_DEAD', `Job ${id} is not dead; dead() lists those that are.`);
  }

  #startCompaction(): void {
    this.#bytesSinceCompaction = 0;
    const addingFrom = (): number => {
      for (const { from } of this.#adding) return from;
      return this.#seenLsn + 1;
    };
    this.#compacting = compact({ log: this.#log, jobs: this.#jobs, addingFrom })
      .then((result) => {
        if (result.carriedJobs > 0) this.#onCompaction(result);
      })
      .catch((error: unknown) => {
        this.#failure = error; // no job is lost, but the log would grow without end
      })
      .finally(() => {
        this.#compacting = undefined;
      });
  }
}
