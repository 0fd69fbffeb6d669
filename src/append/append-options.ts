/** append-options: what a single append can ask for, and what it can be told. */
import { checkOptions } from '../check-options.js';
import { InvalidArgumentError, shown } from '../errors.js';
import { CONDITIONAL, UNSYNCED } from '../ring/layout.js';
import type { SubmissionTerms } from './submission.js';

/** Options of one append. */
export interface AppendOptions {
  /** Gives up waiting for room in the ring. Once the record is in the ring, aborting does nothing. */
  readonly signal?: AbortSignal;
  /** Resolve with a receipt instead of the bare LSN. Default false. */
  readonly receipt?: boolean;
  /**
   * The LSN that the record must get (the first one of a batch must). If another record got it, the append rejects
   * with RINGWAL_CONFLICT and nothing is written. Not for records larger than a group.
   */
  readonly expectedLsn?: number;
  /**
   * What the append waits for. `disk` (default): the record is on stable storage. `os`: it is written and survives
   * the death of this process, not a crash of the machine; a later `disk` append or `sync()` makes it durable.
   */
  readonly durability?: 'disk' | 'os';
}

/** What is known of an append beside its LSN. */
export interface Receipt {
  /** LSN of the record. */
  readonly lsn: number;
  /** Bytes of the payload. */
  readonly bytes: number;
  /** Records in its group. */
  readonly groupSize: number;
  /** Whether it shared its group with other records. */
  readonly grouped: boolean;
  /** From the call until its group was written, and until this thread heard of it, together; microseconds. */
  readonly waitUs: number;
  /** Write and sync of its group; microseconds. */
  readonly syncUs: number;
  /** Number of the segment it lies in. */
  readonly segment: number;
}

/** The LSNs of a batch: `first` to `last`, both included, in the order of the payloads. */
export interface LsnRange {
  /** LSN of the first record. */
  readonly first: number;
  /** LSN of the last record. */
  readonly last: number;
}

const known = new Set<string>([
  'signal',
  'receipt',
  'expectedLsn',
  'durability',
] satisfies (keyof AppendOptions)[]);

/** Throws InvalidArgumentError, or the signal's reason when it is aborted already. */
export function checkAppendOptions(options: AppendOptions): void {
  checkOptions('an append', options, known);
  const { signal, receipt, expectedLsn, durability } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('Option "signal" must be an AbortSignal.');
  if (receipt !== undefined && typeof receipt !== 'boolean')
    throw new InvalidArgumentError('Option "receipt" must be true or false.');
  if (expectedLsn !== undefined && (!Number.isSafeInteger(expectedLsn) || expectedLsn < 1))
    throw new InvalidArgumentError(
      `Option "expectedLsn" must be an LSN, an integer from 1, not ${shown(expectedLsn)}.`,
    );
  if (durability !== undefined && durability !== 'disk' && durability !== 'os')
    throw new InvalidArgumentError('Option "durability" must be "disk" or "os".');
  if (signal?.aborted) throw signal.reason;
}

/** The options as the ring says them. */
export function termsOf(options: AppendOptions | undefined, chunkFlags: number): SubmissionTerms {
  if (options === undefined) return { chunkFlags };
  const { signal, expectedLsn, durability } = options;
  let flags = chunkFlags;
  if (durability === 'os') flags |= UNSYNCED;
  if (expectedLsn === undefined) return { chunkFlags: flags, signal };
  return { chunkFlags: flags | CONDITIONAL, signal, expectedLsn };
}
