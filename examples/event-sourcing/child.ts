/** child: a process that is a bank under load until it is killed, and tells each answer that it gets. */
import { join } from 'node:path';
import { openLog } from 'ringwal';
import { deposit, open, withdraw } from './account.js';
import { BankError } from './errors.js';
import { EventStore } from './event-store.js';
import { takeSnapshot } from './snapshot.js';
import { Turnover } from './turnover.js';

const ACCOUNTS = 10;
const IN_FLIGHT = 32;
const SNAPSHOT_EVERY = 200;

const [directory, truncates] = process.argv.slice(2) as [string, string];
const log = await openLog(join(directory, 'log'), { segmentBytes: 64 * 1024, ringBytes: 64 * 1024 });
const store = await EventStore.open(log);
const turnover = await Turnover.open(log, join(directory, 'turnover.json'), { saveEvery: 100 });
const projecting = turnover.run(new AbortController().signal);
const first = store.ledger.all().reduce((sum, { version }) => sum + version, 0);
let next = first;

async function customer(): Promise<void> {
  for (;;) {
    const number = next++;
    const id = `account-${number % ACCOUNTS}`;
    const decide =
      store.ledger.get(id).version === 0
        ? open(100)
        : number % 3 === 0
          ? deposit(5 + (number % 20))
          : withdraw(1 + (number % 30));
    try {
      const { account } = await store.execute(id, decide);
      process.stdout.write(`${account.id} ${account.version} ${account.balance}\n`); // the parent is the witness
    } catch (error) {
      if (!(error instanceof BankError) || error.code !== 'BANK_REFUSED') throw error;
    }
  }
}

async function snapshots(): Promise<void> {
  for (;;) {
    await log.waitForDurable(store.ledger.upTo + SNAPSHOT_EVERY);
    await takeSnapshot(log, store, truncates === 'truncate');
  }
}

await Promise.all([projecting, snapshots(), ...Array.from({ length: IN_FLIGHT }, customer)]);
