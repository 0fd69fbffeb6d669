/**
 * compaction: gives the space of finished jobs back, also behind a job that is never finished.
 *
 * The log is truncated before the oldest job that is not done. When what is left is still more than twice what the
 * jobs need, those in closed segments are written again, at the end ("carried over"), and the log is truncated
 * behind their old records. A pass writes at most `jobs.bytes` and is due only when the log has twice that, so all
 * passes together write no more than the callers do: write amplification stays below two.
 *
 * A pass may be cut off anywhere. What was carried over is twice in the log, and the later record says the same or
 * more; the truncation comes when the new records are durable.
 */
import type { Log } from 'ringwal';
import { type Job, type Jobs, recordOf } from './jobs.js';

/** Bytes that are carried over at a time: appends of others get in between. */
const STEP_BYTES = 256 * 1024;

export interface CompactionParts {
  readonly log: Log;
  readonly jobs: Jobs;
  /** Lower bound of the LSNs of jobs that are being added and not yet known. */
  readonly addingFrom: () => number;
}

export interface CompactionResult {
  readonly carriedJobs: number;
  readonly carriedBytes: number;
  readonly firstLsn: number;
}

export async function compact(parts: CompactionParts): Promise<CompactionResult> {
  const { log, jobs } = parts;
  await truncate(parts);
  const segments = await log.segments();
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const active = segments.at(-1);
  if (active === undefined || segments.length < 2 || bytes < 2 * jobs.bytes)
    return { carriedJobs: 0, carriedBytes: 0, firstLsn: log.firstLsn };
  let carriedJobs = 0;
  let carriedBytes = 0;
  for (const step of steps(jobs, active.firstLsn)) {
    const carried = await carry(parts, step);
    carriedBytes += carried.bytes;
    carriedJobs += carried.jobs;
  }
  await truncate(parts);
  return { carriedJobs, carriedBytes, firstLsn: log.firstLsn };
}

/** The jobs whose records lie before `lsn`, a few at a time. */
function* steps(jobs: Jobs, lsn: number): Generator<Job[]> {
  let step: Job[] = [];
  let bytes = 0;
  for (const job of [...jobs.all()]) {
    if (job.lsn >= lsn) continue;
    step.push(job);
    bytes += job.payload.length;
    if (bytes < STEP_BYTES) continue;
    yield step;
    step = [];
    bytes = 0;
  }
  if (step.length > 0) yield step;
}

/** One record a job, each whole by itself: they share writes and syncs like all that is under way. */
async function carry({ log, jobs }: CompactionParts, step: readonly Job[]) {
  // Where the end of a job was submitted, a record behind it would bring the job back.
  const carried = step.filter((job) => !job.isEnding && jobs.get(job.id) === job);
  const appended = carried.map(async (job) => {
    const record = recordOf(job);
    const { first } = await log.appendBatch([record]); // not `append`: the LSNs of fragments would be more than one
    job.lsn = Math.max(job.lsn, first);
    return record.length;
  });
  const bytes = await Promise.all(appended);
  return { jobs: carried.length, bytes: bytes.reduce((sum, more) => sum + more, 0) };
}

async function truncate({ log, jobs, addingFrom }: CompactionParts): Promise<void> {
  // What is being added and not yet among the jobs has an LSN from `addingFrom` on.
  await log.truncateBefore(Math.min(addingFrom(), jobs.lowestLsn, log.durableLsn + 1));
}
