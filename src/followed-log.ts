/** followed-log: what a thread can do with a log to follow its growth: a part of the public face (log.ts). */
import { LifecycleLog } from './lifecycle/lifecycle-log.js';

/** Following a log as it grows, in any thread that has a part in it. */
export interface LogFollowing {
  /**
   * LSN of the last record that is known to be in the log: `durableLsn`, or more when records were acknowledged that
   * asked for less (`durability: 'os'`); those between are lost when power fails now. Appends under way have no LSN
   * yet and are not counted. When the log has failed, what lies beyond `durableLsn` may be gone. Reads shared memory:
   * cheap.
   */
  readonly lastLsn: number;

  /**
   * Resolves, with `durableLsn`, once that is `lsn` or more: also for LSNs that no record has yet, and whichever thread
   * appends it. It waits only: no commit window is ended and nothing is synced for it. Like every call under way it
   * keeps the process running.
   *
   * Rejects with RINGWAL_INVALID_ARGUMENT, with the signal's reason when aborted, with RINGWAL_CLOSED when the log, or
   * this thread's part in it, is closed before, and with RINGWAL_POISONED or RINGWAL_WORKER_DIED.
   */
  waitForDurable(lsn: number, options?: { readonly signal?: AbortSignal }): Promise<number>;
}

export abstract class FollowedLog extends LifecycleLog implements LogFollowing {
  get lastLsn(): number {
    return this.thread.state.lastLsn;
  }

  waitForDurable(lsn: number, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.thread.waitForDurable(lsn, options.signal);
  }
}
