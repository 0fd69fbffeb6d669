/**
 * records: what the queue writes into its log, and how it is read back. Little-endian.
 *
 *   job     u8 1, u8 is dead, u32 attempts, f64 id (0: this record's own LSN), f64 not before (ms), payload
 *   taken   u8 2, u8 0,       u32 attempts, f64 id
 *   done    u8 3, u8 0,       u32 0,        f64 id
 *   buried  u8 4, u8 0,       u32 attempts, f64 id
 *
 * A `job` says all there is to say, so that the newest one makes what was logged of the job before superfluous. The
 * others change one that must be known: what is said of a job that is not there is about one that was done.
 */
import { QueueError } from './errors.js';

const JOB = 1;
const TAKEN = 2;
const DONE = 3;
const BURIED = 4;
const CHANGE_BYTES = 14;
/** Bytes of a `job` record around its payload. */
export const JOB_HEADER_BYTES = 22;

export interface JobFacts {
  /** LSN of the record that added the job; 0 in that record itself. */
  readonly id: number;
  readonly attempts: number;
  readonly isDead: boolean;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly payload: Uint8Array;
}

export type QueueRecord =
  | ({ readonly kind: 'job' } & JobFacts)
  | { readonly kind: 'taken' | 'buried'; readonly id: number; readonly attempts: number }
  | { readonly kind: 'done'; readonly id: number };

export function encodeJob({ id, attempts, isDead, notBeforeMs, payload }: JobFacts): Uint8Array {
  const bytes = Buffer.alloc(JOB_HEADER_BYTES + payload.length);
  writeHead(bytes, JOB, isDead, attempts, id);
  bytes.writeDoubleLE(notBeforeMs, CHANGE_BYTES);
  bytes.set(payload, JOB_HEADER_BYTES);
  return bytes;
}

export function encodeChange(kind: 'taken' | 'done' | 'buried', id: number, attempts = 0): Uint8Array {
  const code = kind === 'taken' ? TAKEN : kind === 'done' ? DONE : BURIED;
  return writeHead(Buffer.alloc(CHANGE_BYTES), code, false, attempts, id);
}

/** Throws QueueError: the record is of another version, or the log is not a queue's. */
export function decodeRecord(lsn: number, bytes: Uint8Array): QueueRecord {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view[0];
  if (view.length >= CHANGE_BYTES) {
    const attempts = view.readUInt32LE(2);
    const id = view.readDoubleLE(6);
    if (kind === JOB && view.length >= JOB_HEADER_BYTES) {
      const payload = new Uint8Array(view.subarray(JOB_HEADER_BYTES));
      const notBeforeMs = view.readDoubleLE(CHANGE_BYTES);
      return { kind: 'job', id: id === 0 ? lsn : id, attempts, isDead: view[1] === 1, notBeforeMs, payload };
    }
    if (kind === TAKEN) return { kind: 'taken', id, attempts };
    if (kind === DONE) return { kind: 'done', id };
    if (kind === BURIED) return { kind: 'buried', id, attempts };
  }
  throw new QueueError(
    'QUEUE_UNKNOWN_RECORD',
    `LSN ${lsn} is no record of this queue (kind ${kind}); give the queue a log of its own.`,
  );
}

function writeHead(bytes: Buffer, kind: number, isDead: boolean, attempts: number, id: number): Buffer {
  bytes[0] = kind;
  bytes[1] = isDead ? 1 : 0;
  bytes.writeUInt32LE(attempts, 2);
  bytes.writeDoubleLE(id, 6);
  return bytes;
}
