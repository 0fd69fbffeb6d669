/** teller: a thread that moves money of the accounts that others move money of at the same time. */
import { once } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { attachLog, type LogHandle } from 'ringwal';
import { deposit, withdraw } from './account.js';
import { BankError } from './errors.js';
import { EventStore } from './event-store.js';

export interface TellerJob {
  readonly handle: LogHandle;
  readonly accounts: readonly string[];
  readonly commands: number;
  /** How many customers it serves at a time. */
  readonly inFlight: number;
}

export interface TellerReport {
  readonly deposited: number;
  readonly withdrawn: number;
  readonly refused: number;
  readonly conflicts: number;
}

const { handle, accounts, commands, inFlight } = workerData as TellerJob;
const log = await attachLog(handle);
const store = await EventStore.open(log);
let next = 0;
let deposited = 0;
let withdrawn = 0;
let refused = 0;

async function customer(): Promise<void> {
  while (next < commands) {
    const number = next++;
    const account = accounts[Math.floor(number / 3) % accounts.length] as string;
    const amount = 1 + (number % 7);
    try {
      // More is wanted than is brought in, so that the rule is tried all the time.
      const brings = number % 3 === 0;
      await store.execute(account, brings ? deposit(amount) : withdraw(amount));
      if (brings) deposited += amount;
      else withdrawn += amount;
    } catch (error) {
      if (!(error instanceof BankError) || error.code !== 'BANK_REFUSED') throw error;
      refused++;
    }
  }
}

const port = parentPort as MessagePort;
port.postMessage('ready');
await once(port, 'message'); // all tellers begin together
await Promise.all(Array.from({ length: inFlight }, customer));
const report: TellerReport = { deposited, withdrawn, refused, conflicts: store.conflicts };
await log.close();
port.postMessage(report);
