/** main: `node dist-examples/event-sourcing/main.js`: a bank's life in some seconds, told as it goes. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from 'ringwal';
import { open, withdraw } from './account.js';
import { BankError } from './errors.js';
import { EventStore } from './event-store.js';
import { killAfter, type Witness } from './killed.js';
import { takeSnapshot } from './snapshot.js';
import { runTellers } from './tellers.js';
import { Turnover } from './turnover.js';

const THREADS = 2;
const COMMANDS = 2000;
const KILL_AFTER_ANSWERS = 3000;

const directory = await mkdtemp(join(tmpdir(), 'event-sourcing-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const accounts = ['ann', 'bob', 'eve'];
const options = { segmentBytes: 64 * 1024, ringBytes: 256 * 1024 };

try {
  await showThreads(join(directory, 'threads'));
  await showKill(join(directory, 'killed'));
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function showThreads(path: string): Promise<void> {
  await mkdir(path);
  const log = await openLog(join(path, 'log'), options);
  const store = await EventStore.open(log);
  for (const id of accounts) await store.execute(id, open(100));
  const refusal = await store.execute('ann', withdraw(500)).catch((error: unknown) => error);
  say(`ann wants 500: ${refusal instanceof BankError ? refusal.message : 'got it'}`);
  say(`${THREADS} threads with ${COMMANDS} commands each, on the same ${accounts.length} accounts`);
  const report = await runTellers(log, THREADS, { accounts, commands: COMMANDS, inFlight: 4 });
  await store.refresh();
  const total = store.ledger.all().reduce((sum, { balance }) => sum + balance, 0);
  say(`  refused ${report.refused}; decided anew, as the other thread was first: ${report.conflicts} times`);
  say(`  balances ${store.ledger.all().map(({ id, balance }) => `${id} ${balance}`)}, together ${total}`);
  say(
    `  300 + ${report.deposited} paid in - ${report.withdrawn} taken = ${300 + report.deposited - report.withdrawn}`,
  );

  const turnover = await Turnover.open(log, join(path, 'turnover.json'));
  await takeSnapshot(log, store);
  say(
    `snapshot up to LSN ${store.ledger.upTo}; the projection is at 0, so the log still begins at ${log.firstLsn}`,
  );
  await project(turnover, store.ledger.upTo);
  say(`the projection has counted up to LSN ${turnover.position}`);
  await takeSnapshot(log, store);
  say(`after the next snapshot the log begins at ${log.firstLsn}`);
  const before = JSON.stringify(store.ledger.all());
  await log.close();

  const again = await openLog(join(path, 'log'), options);
  const recovered = await EventStore.open(again);
  const isSame = JSON.stringify(recovered.ledger.all()) === before;
  say(
    `opened again from the checkpoint, LSN ${again.checkpointLsn}: ${isSame ? 'the same accounts' : 'DIFFERENT'}`,
  );
  if (!isSame) process.exitCode = 1;
  await again.close();
}

async function showKill(path: string): Promise<void> {
  await mkdir(path);
  say(`\na process with ${KILL_AFTER_ANSWERS} commands answered, snapshots and a projection; then kill -9`);
  const witness: Witness = new Map();
  await killAfter(path, KILL_AFTER_ANSWERS, true, witness);
  const log = await openLog(join(path, 'log'), options);
  const { ledger } = await EventStore.open(log);
  const versions = new Map(ledger.all().map(({ id, version }) => [id, version]));
  const lost = [...witness.keys()].filter((key) => {
    const [id = '', version] = key.split(' ');
    return (versions.get(id) ?? 0) < Number(version);
  });
  const overdrawn = ledger.all().filter(({ balance }) => balance < 0);
  const turnover = await Turnover.open(log, join(path, 'turnover.json'));
  say(
    `  the log begins at LSN ${log.firstLsn} and ends at ${log.durableLsn}; checkpoint ${log.checkpointLsn}`,
  );
  say(`  ${witness.size} answers were heard; lost ${lost.length}; overdrawn accounts ${overdrawn.length}`);
  say(`  the projection goes on behind LSN ${turnover.position}`);
  if (lost.length + overdrawn.length > 0) process.exitCode = 1;
  await log.close();
}

/** Lets the projection count up to `lsn`, and stops it. */
async function project(turnover: Turnover, lsn: number): Promise<void> {
  const stop = new AbortController();
  turnover.onEvent = (counted) => {
    if (counted >= lsn) stop.abort();
  };
  await turnover.run(stop.signal);
  await turnover.save();
}
