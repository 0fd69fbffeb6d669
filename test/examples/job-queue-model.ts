/** job-queue-model: what a job queue must do, in the simplest words: the oracle of job-queue.test.ts. */

export interface ModelJob {
  readonly id: number;
  readonly payload: string;
  readonly notBeforeMs: number;
  dueMs: number;
  attempts: number;
  isDead: boolean;
  lease: number;
}

export class QueueModel {
  readonly jobs = new Map<number, ModelJob>();
  readonly #maxAttempts: number;

  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts;
  }

  add(id: number, payload: string, notBeforeMs: number): void {
    const state = { dueMs: notBeforeMs, attempts: 0, isDead: false, lease: 0 };
    this.jobs.set(id, { id, payload, notBeforeMs, ...state });
  }

  /** The job that `take` must give at `nowMs`; those that were tried often enough are dead then. */
  take(nowMs: number, visibilityMs: number): ModelJob | undefined {
    for (;;) {
      const [job] = [...this.jobs.values()]
        .filter(({ isDead, dueMs }) => !isDead && dueMs <= nowMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.id - b.id);
      if (job === undefined) return undefined;
      if (job.attempts < this.#maxAttempts) {
        job.attempts++;
        job.dueMs = nowMs + visibilityMs;
        return job;
      }
      job.isDead = true;
      job.lease = 0;
    }
  }

  /** Whether a delivery is still the one that counts. */
  holds({ id, lease }: { readonly id: number; readonly lease: number }): boolean {
    return this.jobs.get(id)?.lease === lease;
  }

  dead(): ModelJob[] {
    return [...this.jobs.values()].filter(({ isDead }) => isDead).sort((a, b) => a.id - b.id);
  }

  revive(job: ModelJob, nowMs: number): void {
    job.isDead = false;
    job.attempts = 0;
    job.dueMs = nowMs;
  }

  /** Nobody has anything in hand any more; all else stays. */
  crash(): void {
    for (const job of this.jobs.values()) {
      job.dueMs = job.notBeforeMs;
      job.lease = 0;
    }
  }
}
