/** append-input: appends a stream of records, many in flight, and keeps account of what was acknowledged. */
import type { Log } from '../index.js';
import { failureOf } from './failure.js';

/** What may be in flight: enough for the largest groups, and far less than the log would hold for us. */
const MOST_RECORDS = 65_536;
const MOST_BYTES = 8 * 1024 * 1024;

/** Errors that say that the record was never written. */
const NEVER_WRITTEN = new Set([
  'RINGWAL_TOO_LARGE',
  'RINGWAL_OVERLOADED',
  'RINGWAL_INVALID_ARGUMENT',
  'RINGWAL_CLOSED',
]);

/** Numbers of records count from 1, in the order of the input. */
export interface AppendAccount {
  /** Records that were read of the input. */
  read: number;
  acknowledged: number;
  firstLsn: number | undefined;
  lastLsn: number | undefined;
  /** The first record that was rejected, the last one, and how many were. */
  firstRejected: number | undefined;
  lastRejected: number;
  rejected: number;
  /** Whether one of them may be in the log nevertheless. */
  isInDoubt: boolean;
  /** Why the first one was rejected, or the input could not be read to its end. */
  failure: unknown;
}

export interface AppendHooks {
  /** Called with each LSN as it is durable. */
  readonly onAck: (lsn: number) => void;
  /** Awaited before more is read: who prints LSNs says with it that they are being read. */
  readonly ready: () => Promise<void>;
  /** Nothing more is read or appended once it is aborted. */
  readonly signal: AbortSignal;
  /** Called when an append is rejected, to abort the signal: the input may have a pause just then. */
  readonly stop: () => void;
}

/** Resolves when all that was read is acknowledged or rejected; never rejects. */
export async function appendInput(
  log: Pick<Log, 'append'>,
  records: AsyncGenerator<Uint8Array, void, void>,
  { onAck, ready, signal, stop }: AppendHooks,
): Promise<AppendAccount> {
  const account: AppendAccount = {
    read: 0,
    acknowledged: 0,
    firstLsn: undefined,
    lastLsn: undefined,
    firstRejected: undefined,
    lastRejected: 0,
    rejected: 0,
    isInDoubt: false,
    failure: undefined,
  };
  let inFlight = 0;
  let bytesInFlight = 0;
  let wake: (() => void) | undefined;
  const append = async (payload: Uint8Array, number: number): Promise<void> => {
    inFlight++;
    bytesInFlight += payload.length;
    try {
      const lsn = await log.append(payload);
      account.acknowledged++;
      account.firstLsn ??= lsn;
      account.lastLsn = Math.max(lsn, account.lastLsn ?? 0);
      onAck(lsn);
    } catch (error) {
      account.failure ??= error;
      account.rejected++;
      account.isInDoubt ||= !NEVER_WRITTEN.has(failureOf(error).code ?? '');
      account.firstRejected = Math.min(number, account.firstRejected ?? number);
      account.lastRejected = Math.max(number, account.lastRejected);
      stop();
    }
    inFlight--;
    bytesInFlight -= payload.length;
    wake?.();
  };
  const below = async (records: number, bytes: number): Promise<void> => {
    while (inFlight > records || bytesInFlight > bytes) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  try {
    for await (const payload of records) {
      if (signal.aborted) break;
      void append(payload, ++account.read);
      await below(MOST_RECORDS - 1, MOST_BYTES);
      await ready();
    }
  } catch (error) {
    if (!signal.aborted) account.failure ??= error;
  }
  await below(0, 0);
  return account;
}
