/**
 * diagnostics: what a thread sees of its logs, told on `node:diagnostics_channel`.
 *
 * Channels are a thread's own: each is published on the thread that its message says. Without a subscriber a message is
 * not even made. No message holds a payload.
 */
import { channel } from 'node:diagnostics_channel';
import type { RecoverySummary } from './recovery/summary.js';

/** `ringwal:open`: this thread opened a log. */
export interface OpenMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** What opening found, as `log.recovery`. */
  readonly recovery: RecoverySummary;
}

/** `ringwal:group`: a group is durable that holds records of this thread (or written, for `durability: 'os'`). */
export interface GroupMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** LSN of this thread's first record in it. */
  readonly firstLsn: number;
  /** This thread's records in it: they have consecutive LSNs. */
  readonly records: number;
  /** All its records. */
  readonly groupRecords: number;
  /** Bytes of all its records, with their frames. */
  readonly groupBytes: number;
  /** What its write and sync took, microseconds; 0 when it was not synced. */
  readonly syncUs: number;
  /** Number of the segment that it is in. */
  readonly segment: number;
}

/** `ringwal:rotate`: for the first time this thread sees a record of its own in a newer segment. */
export interface RotateMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** Number of the newer segment. */
  readonly segment: number;
}

/** `ringwal:truncate`: a truncation that this thread asked for is durable. */
export interface TruncateMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** The LSN that the log begins with now. */
  readonly firstLsn: number;
}

/** `ringwal:cut`: this thread has ended the log with an earlier record (`truncateAfter`). */
export interface CutMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** The LSN that the log ends with now. */
  readonly lastLsn: number;
}

/**
 * `ringwal:failure`: the log has failed: POISONED or WORKER_DIED. On a thread that has appends pending, at once; elsewhere
 * when the I/O worker ends.
 */
export interface FailureMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** What appends are rejected with: PoisonedError, with its cause, or WorkerDiedError. */
  readonly error: Error;
}

/** `ringwal:close`: the log, or this thread's part in it, is closed. */
export interface CloseMessage {
  /** Absolute path of the log directory. */
  readonly directory: string;
}

/** A channel, for messages of one shape. */
interface Told<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

export const openChannel: Told<OpenMessage> = channel('ringwal:open');
export const truncateChannel: Told<TruncateMessage> = channel('ringwal:truncate');
export const cutChannel: Told<CutMessage> = channel('ringwal:cut');
export const closeChannel: Told<CloseMessage> = channel('ringwal:close');
const groupChannel: Told<GroupMessage> = channel('ringwal:group');
const rotateChannel: Told<RotateMessage> = channel('ringwal:rotate');
const failureChannel: Told<FailureMessage> = channel('ringwal:failure');

/** Of the group of a completion: what is told of it. */
interface CompletedGroup {
  readonly records: number;
  readonly bytes: number;
  readonly syncUs: number;
  readonly segment: number;
  readonly more: number;
}

/** What one thread sees of one log while its completions come. */
export class CompletionEvents {
  readonly #directory: string;
  #segment = 0;
  /** This thread's records in the group at hand, and the LSN of the first. */
  #firstLsn = 0;
  #records = 0;
  #hasFailed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * `records` of this thread, from `firstLsn` on, are in a group; 0: some were refused instead. Those before and behind such
   * come one after the other, `group.more` to come: of a group is told once.
   */
  completed(firstLsn: number, records: number, group: CompletedGroup): void {
    if (this.#records === 0) this.#firstLsn = firstLsn;
    this.#records += records;
    if (group.more > 0 || this.#records === 0) return;
    const own = this.#records;
    this.#records = 0;
    if (group.segment !== this.#segment) this.#rotated(group.segment);
    if (!groupChannel.hasSubscribers) return; // on the way of every group: nothing is made for nobody
    const { segment, syncUs, records: groupRecords, bytes: groupBytes } = group;
    groupChannel.publish({
      ...{ directory: this.#directory, firstLsn: this.#firstLsn, records: own },
      ...{ groupRecords, groupBytes, syncUs, segment },
    });
  }

  /** Also called with the first record at all, which tells of no rotation. */
  #rotated(segment: number): void {
    const isFirst = this.#segment === 0;
    this.#segment = segment;
    if (!isFirst) rotateChannel.publish({ directory: this.#directory, segment });
  }

  /** The log has failed; told once. */
  failed(error: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    failureChannel.publish({ directory: this.#directory, error });
  }
}
