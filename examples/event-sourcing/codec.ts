/** codec: events and snapshots as the bytes of records, and back. JSON: an event is read for years, by eye too. */
import type { Account, BankEvent } from './account.js';
import { BankError } from './errors.js';

export interface Snapshot {
  /** The last LSN that it takes into account. Not its own: events of other threads may come between. */
  readonly upTo: number;
  readonly accounts: readonly Account[];
}

export function encodeEvent(event: BankEvent): string {
  return JSON.stringify(event);
}

/** Throws BankError. */
export function decodeEvent(lsn: number, payload: Uint8Array): BankEvent {
  const event = parse<Partial<BankEvent>>(lsn, payload);
  if (
    typeof event.account === 'string' &&
    typeof event.version === 'number' &&
    typeof event.type === 'string'
  )
    return event as BankEvent;
  throw new BankError('BANK_HISTORY_DAMAGED', `LSN ${lsn} is no event; give the bank a log of its own.`);
}

export function encodeSnapshot(snapshot: Snapshot): string {
  return JSON.stringify(snapshot);
}

/** Throws BankError. */
export function decodeSnapshot(lsn: number, payload: Uint8Array): Snapshot {
  const snapshot = parse<Partial<Snapshot>>(lsn, payload);
  if (typeof snapshot.upTo === 'number' && Array.isArray(snapshot.accounts)) return snapshot as Snapshot;
  throw new BankError('BANK_HISTORY_DAMAGED', `LSN ${lsn} is no snapshot; give the bank a log of its own.`);
}

function parse<T>(lsn: number, payload: Uint8Array): T {
  try {
    return JSON.parse(Buffer.from(payload).toString()) as T;
  } catch {
    throw new BankError('BANK_HISTORY_DAMAGED', `LSN ${lsn} is no JSON; give the bank a log of its own.`);
  }
}
