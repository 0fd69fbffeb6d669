/** followed-log: what a thread can do with a log to follow its growth: a part of the public face (log.ts). */
import { checkOptions } from './check-options.js';
import { LifecycleLog } from './lifecycle/lifecycle-log.js';
import type { LogRecord } from './read/record-assembler.js';
import type { TailOptions } from './read/tail.js';

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

  /**
   * The durable records from `from` on, and then those that become durable, as they do; each verified, in the order of
   * `read`, at the pace at which they are taken. Ends when the log is closed and all that is durable was given, or at once when
   * this thread's part in it is closed. While a record is waited for it keeps the process running.
   *
   * Throws, as the iteration starts or goes on, RINGWAL_INVALID_ARGUMENT, RINGWAL_TRUNCATED when a record that was to
   * come next is gone, RINGWAL_OUT_OF_RANGE when what was given, or is being read, was cut off (`truncateAfter`),
   * RINGWAL_CORRUPT when it is damaged, RINGWAL_DECRYPTION when its key is not there or is wrong,
   * RINGWAL_UNSUPPORTED_VERSION when this Node can't inflate it, RINGWAL_IO when it can't be read, the signal's reason when aborted, and RINGWAL_POISONED or RINGWAL_WORKER_DIED.
   */
  tail(options?: TailOptions): AsyncGenerator<LogRecord, void, void>;
}

const waitOptions = new Set(['signal']);

export abstract class FollowedLog extends LifecycleLog implements LogFollowing {
  get lastLsn(): number {
    return this.thread.state.lastLsn;
  }

  async waitForDurable(lsn: number, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    checkOptions('waitForDurable', options, waitOptions);
    return this.thread.waitForDurable(lsn, options.signal);
  }

  tail(options?: TailOptions): AsyncGenerator<LogRecord, void, void> {
    return this.thread.tail(options);
  }
}
