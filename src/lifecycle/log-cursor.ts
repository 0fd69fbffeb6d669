/** log-cursor: a named cursor as its consumer sees it: where it stands, and how it is moved. */
import type { UsedCursor } from '../control/contract.js';
import { InvalidArgumentError, shown } from '../errors.js';
import { isCursorName } from '../format/cursor-slot.js';
import type { LogThread } from '../thread.js';

/**
 * A consumer's durable position. The log keeps what lies behind the lowest of its cursors, unless truncation is
 * forced. A consumer reads on with `log.read({ from: cursor.position + 1 })`; what it had read and not acknowledged
 * before it ended, it reads again.
 */
export class LogCursor {
  /** As given to `cursor`. */
  readonly name: string;
  readonly #thread: LogThread;
  readonly #making: number;
  #position: number;
  /** How often the log had been cut when the position was true. */
  #cuts: number;

  /** `cuts` is from before the cursor was asked for. */
  constructor(thread: LogThread, name: string, { position, making }: UsedCursor, cuts: number) {
    this.#thread = thread;
    this.name = name;
    this.#making = making;
    this.#position = position;
    this.#cuts = cuts;
  }

  /** The last LSN that was acknowledged through this object, or before it was made; 0: none. */
  get position(): number {
    const { state } = this.#thread;
    const { cuts } = state;
    this.#position = Math.min(this.#position, state.cutAfter(this.#cuts));
    this.#cuts = cuts; // of many cuts since, the log does not know each
    return this.#position;
  }

  /** Whether records that were not acknowledged are gone: truncation was forced past the cursor. */
  get isOvertaken(): boolean {
    return this.position < this.#thread.state.firstLsn - 1;
  }

  /**
   * Says that the consumer is done with everything up to `lsn`; resolves once that is durable. A cursor only moves
   * forward: a lower LSN changes nothing. Rejects with RINGWAL_OUT_OF_RANGE for an LSN that is not durable in the
   * log, with RINGWAL_TRUNCATED when records behind `lsn` are gone (an overtaken cursor goes on with
   * `ack(log.firstLsn - 1)`), with RINGWAL_INVALID_ARGUMENT when it was deleted, also if there is another of its name by
   * now, and with RINGWAL_IO when it could not be written, after which it takes no more before the log is opened again.
   */
  async ack(lsn: number): Promise<void> {
    if (!Number.isSafeInteger(lsn) || lsn < 0)
      throw new InvalidArgumentError(`A position must be an LSN, or 0, not ${shown(lsn)}.`);
    const { control, state } = this.#thread;
    const { cuts } = state;
    this.#position = await this.#thread.held(() => control.call('ackCursor', this.name, lsn, this.#making));
    this.#cuts = cuts;
  }

  /**
   * Deletes the cursor, unless it was deleted before; it holds nothing back any more. One that was made of its name after
   * that is another, and stays. Rejects with RINGWAL_IO.
   */
  async delete(): Promise<void> {
    await this.#thread.held(() => this.#thread.control.call('deleteCursor', this.name, this.#making));
  }
}

/** Throws InvalidArgumentError. */
export function checkCursorName(name: unknown): void {
  if (isCursorName(name)) return;
  throw new InvalidArgumentError(
    `The name of a cursor is 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-", not ${shown(name)}.`,
  );
}
