/** ledger: all accounts as the log up to one LSN has made them, and how that is read from the log. */
import type { Log, LogAppender, LogReader } from 'ringwal';
import { type Account, after, type BankEvent } from './account.js';
import { decodeEvent, decodeSnapshot, type Snapshot } from './codec.js';
import { BankError } from './errors.js';

type Source = Pick<LogAppender | Log | LogReader, 'read' | 'firstLsn' | 'checkpointLsn'>;

export class Ledger {
  readonly #accounts = new Map<string, Account>();
  #upTo: number;

  constructor({ upTo, accounts }: Snapshot = { upTo: 0, accounts: [] }) {
    this.#upTo = upTo;
    for (const account of accounts) this.#accounts.set(account.id, account);
  }

  /** The last LSN that is taken into account. */
  get upTo(): number {
    return this.#upTo;
  }

  /** As it is now; later events do not change what was returned. */
  get(id: string): Account {
    return this.#accounts.get(id) ?? { id, version: 0, balance: 0 };
  }

  all(): Account[] {
    return [...this.#accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  snapshot(): Snapshot {
    return { upTo: this.#upTo, accounts: this.all() };
  }

  /** Throws BankError when the event is not the next one of its account: then one is missing, or came twice. */
  apply(lsn: number, event: BankEvent): void {
    const account = this.get(event.account);
    if (lsn <= this.#upTo || event.version !== account.version + 1)
      throw new BankError(
        'BANK_HISTORY_DAMAGED',
        `LSN ${lsn} is event ${event.version} of account ${account.id}, which has ${account.version}.`,
      );
    this.#accounts.set(account.id, after(account, event));
    this.#upTo = lsn;
  }

  /** Takes the log's events up to `lsn` into account. Rejects with RINGWAL_TRUNCATED when they are gone. */
  async readOn(log: Source, lsn: number): Promise<void> {
    if (lsn <= this.#upTo) return;
    for await (const record of log.read({ from: this.#upTo + 1, to: lsn, types: ['record'] }))
      this.apply(record.lsn, decodeEvent(record.lsn, record.payload));
    this.#upTo = lsn; // snapshots have LSNs too
  }
}

/** The newest snapshot, or an empty ledger when there is none. Throws BankError when there must be one. */
export async function newestSnapshot(log: Source): Promise<Ledger> {
  if (log.checkpointLsn >= log.firstLsn) {
    for await (const { lsn, payload } of log.read({ from: 'checkpoint', types: ['checkpoint'] })) {
      const snapshot = decodeSnapshot(lsn, payload);
      return new Ledger(snapshot);
    }
  }
  if (log.firstLsn > 1)
    throw new BankError(
      'BANK_HISTORY_DAMAGED',
      `The log begins with LSN ${log.firstLsn}, without a snapshot.`,
    );
  return new Ledger();
}
