/**
 * snapshot: keeps recovery short and the log small: all accounts as one checkpoint, then what lies before is truncated.
 *
 * By one thread only, the one that opened the log (hence `Log`). A checkpoint can't be made on a condition; of two that
 * take snapshots, the one with the older state could come last, and name events that the other has truncated.
 */
import type { Log } from 'ringwal';
import { encodeSnapshot } from './codec.js';
import type { EventStore } from './event-store.js';

/** Resolves with the LSN up to which the events are no longer needed, once snapshot and truncation are durable. */
export async function takeSnapshot(log: Log, store: EventStore, truncate = true): Promise<number> {
  await store.refresh();
  const snapshot = store.ledger.snapshot();
  // Events of other threads may get in before the checkpoint: `upTo` says what is in it, not where it lies.
  await log.checkpoint(encodeSnapshot(snapshot));
  // Only now: until the checkpoint is durable, the events are the only place where the state is. Cursors hold this back.
  if (truncate) await log.truncateBefore(snapshot.upTo + 1);
  return snapshot.upTo;
}
