/** read-options: what a read can be told, and the check of it; for logs and readers alike. */
import { checkOptions } from '../check-options.js';
import { InvalidArgumentError, OutOfRangeError, shown, TruncatedError } from '../errors.js';
import type { ReadRange } from './read-log.js';
import type { LogRecord, PayloadDecoder, RecordType, TransactionMode } from './record-assembler.js';

/** What `read` reads; both ends are included. */
export interface ReadOptions {
  /**
   * First LSN, or `checkpoint`: the LSN of the last checkpoint, or the log's first when there is none or it was
   * truncated. Default: the log's first.
   */
  from?: number | 'checkpoint';
  /** Last LSN. Default: the last that is durable when `read` is called. */
  to?: number;
  /** Types of records to be read. Default: all. */
  types?: readonly RecordType[];
  /**
   * `committed` (default): the records of a transaction come when it is committed, in the order of the commits, and
   * those of one that was aborted, or is open, do not. `all`: everything as it lies, with the records that begin and
   * end transactions.
   */
  transactions?: TransactionMode;
}

const readOptions: ReadonlySet<string> = new Set([
  'from',
  'to',
  'types',
  'transactions',
] satisfies (keyof ReadOptions)[]);
const recordTypes: readonly RecordType[] = ['record', 'checkpoint', 'begin', 'commit', 'abort'];

/** Throws InvalidArgumentError for an option that is unknown or wrong; `known` are the names of all there are. */
export function checkReadOptions(options: ReadOptions, known = readOptions): void {
  checkOptions('a read or tail', options, known);
  const { from, to, types, transactions } = options;
  if (from !== undefined && from !== 'checkpoint') checkLsn('Option "from"', from);
  if (to !== undefined) checkLsn('Option "to"', to);
  if (types !== undefined && !(Array.isArray(types) && types.every((type) => recordTypes.includes(type))))
    throw new InvalidArgumentError(`Option "types" must be an array of ${recordTypes.join(', ')}.`);
  if (transactions !== undefined && transactions !== 'committed' && transactions !== 'all')
    throw new InvalidArgumentError('Option "transactions" must be "committed" or "all".');
}

/** Where a read begins that was told `from`. Throws TruncatedError. */
export function startOf(from: ReadOptions['from'], firstLsn: number, checkpointLsn: number): number {
  if (from === undefined) return firstLsn;
  if (from === 'checkpoint') return Math.max(checkpointLsn, firstLsn);
  if (from < firstLsn) throw new TruncatedError(from, firstLsn);
  return from;
}

/** The range that `options` ask for in a log that holds so much. Throws TruncatedError and OutOfRangeError. */
export function rangeOf(
  { from, to, transactions = 'committed' }: ReadOptions,
  log: { readonly firstLsn: number; readonly durableLsn: number },
  checkpointLsn: number,
  decoder: PayloadDecoder | undefined,
): ReadRange {
  const start = startOf(from, log.firstLsn, checkpointLsn);
  const end = to ?? log.durableLsn;
  if (end > log.durableLsn || start > log.durableLsn + 1) {
    throw new OutOfRangeError(
      `LSN ${Math.max(start, end)} is not in the log: the last one durable is ${log.durableLsn}.`,
    );
  }
  return { from: start, to: end, transactions, decoder };
}

/** Those of `records` whose type is wanted. */
export function ofTypes(records: LogRecord[], types: readonly RecordType[] | undefined): LogRecord[] {
  return types === undefined ? records : records.filter(({ type }) => types.includes(type));
}

export function checkLsn(what: string, lsn: unknown): void {
  if (!Number.isSafeInteger(lsn) || (lsn as number) < 1) {
    throw new InvalidArgumentError(`${what} must be an LSN, an integer from 1, not ${shown(lsn)}.`);
  }
}
