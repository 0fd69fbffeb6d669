/** errors: what the queue refuses, each with a stable `code`; errors of the log come through as they are. */

export type QueueErrorCode =
  /** An option or argument is of the wrong type or out of range. Nothing was done. */
  | 'QUEUE_INVALID_ARGUMENT'
  /** The job is done, or was given to somebody else since. Stop working on it. */
  | 'QUEUE_LEASE_LOST'
  /** No dead job has this id. */
  | 'QUEUE_NOT_DEAD'
  /** The log holds a record that this version of the queue does not know. */
  | 'QUEUE_UNKNOWN_RECORD';

export class QueueError extends Error {
  readonly code: QueueErrorCode;

  constructor(code: QueueErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  override get name(): string {
    return 'QueueError';
  }
}

export class LeaseLostError extends QueueError {
  constructor(id: number) {
    super('QUEUE_LEASE_LOST', `Job ${id} is done, or was given to another consumer; stop working on it.`);
  }
}

/** Throws QueueError unless `value` is an integer from `least` on. */
export function checkInteger(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new QueueError(
      'QUEUE_INVALID_ARGUMENT',
      `${what} must be an integer from ${least}, not ${String(value)}.`,
    );
}
