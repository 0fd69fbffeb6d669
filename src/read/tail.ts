/** tail: the records of a log as they become durable, without end; for logs that are open here and for readers. */
import type { ReadView } from '../control/contract.js';
import { InvalidArgumentError, OutOfRangeError, TruncatedError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { Follower } from './follower.js';
import { identity } from './look.js';
import { checkReadOptions, ofTypes, type ReadOptions } from './read-options.js';
import type { LogRecord, PayloadDecoder } from './record-assembler.js';

/** What `tail` reads. */
export interface TailOptions extends Pick<ReadOptions, 'types' | 'transactions'> {
  /**
   * First LSN, which may be one that no record has yet; or `checkpoint`: the LSN of the last checkpoint, or the log's
   * first when there is none or it was truncated. Default: the log's first. `from: log.durableLsn + 1` (of a reader:
   * `reader.lastLsn + 1`) leaves out what is there.
   */
  from?: number | 'checkpoint';
  /** Ends the tail, which then throws the signal's reason. */
  signal?: AbortSignal;
}

/** Where a tail gets to know of what is new. */
export interface TailSource {
  /**
   * Resolves with a view that holds LSN `next`, once there is one, or with one whose log may have other records than were
   * read; with undefined when the log has ended. What lies
   * before `reading` is not needed any more. `isAgain`: reading the last view failed, a newer one is wanted.
   */
  next(next: number, reading: number | undefined, isAgain: boolean): Promise<ReadView | undefined>;
  /** The log's first LSN at the moment. */
  firstLsn(): number;
  /** Passes on what is read of `view` as long as it is part of the log; see cut-check. */
  whileThere(groups: AsyncIterable<LogRecord[]>, view: ReadView): AsyncIterable<LogRecord[]>;
  /** Throws when nothing more is to be given, as `next` would then: a view may hold much. */
  check(): void;
}

const tailOptions = ['from', 'types', 'transactions', 'signal'] satisfies (keyof TailOptions)[];

/** Throws InvalidArgumentError; `more` are the names of further options. */
export function checkTailOptions(options: TailOptions, ...more: string[]): void {
  checkReadOptions(options, new Set([...tailOptions, ...more]));
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw new InvalidArgumentError('Option "signal" must be an AbortSignal.');
}

/** Yields the records from `from` on as `source` tells of them, at the pace at which they are taken. */
export async function* tailLog(
  storage: Storage,
  source: TailSource,
  decoder: PayloadDecoder | undefined,
  from: number,
  { types, transactions = 'committed', signal }: TailOptions,
): AsyncGenerator<LogRecord, void, void> {
  const follower = new Follower(storage, { from, transactions, decoder });
  const firstLsn = (): number => source.firstLsn();
  let before: string | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const view = await source.next(follower.next, follower.reading, before !== undefined);
      if (view === undefined) return;
      try {
        for await (const records of source.whileThere(follower.advance(view, firstLsn), view)) {
          before = undefined;
          for (const record of ofTypes(records, types)) {
            yield record;
            signal?.throwIfAborted();
            source.check();
          }
        }
        before = undefined;
      } catch (error) {
        // Its files may have gone or been reused meanwhile: believed only if it is the same with a newer view.
        const failure = identity(error);
        if (
          error instanceof TruncatedError ||
          error instanceof OutOfRangeError ||
          signal?.aborted ||
          failure === before
        )
          throw error;
        before = failure;
      }
    }
  } finally {
    await follower.close();
  }
}
