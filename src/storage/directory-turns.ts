/**
 * directory-turns: has changes to a directory's names, each with the sync that makes them durable, happen one after
 * the other, whoever makes them.
 *
 * A sync that fails may leave the names that were changed before it neither on the disk nor waiting for the next sync,
 * which then succeeds without them. Those are the names of the one who is told only if nobody else's are among them.
 */
import type { Storage } from './storage.js';

const last = new WeakMap<Storage, Promise<unknown>>();

/** Runs `change` when all before it have ended. It must not ask for a turn itself. */
export function inTurn<T>(storage: Storage, change: () => Promise<T>): Promise<T> {
  const before = last.get(storage) ?? Promise.resolve();
  const changed = before.then(change);
  last.set(
    storage,
    changed.catch(() => {}),
  );
  return changed;
}
