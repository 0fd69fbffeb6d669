/** event-sourcing: the example bank: its rules hold over threads, crashes, snapshots and truncations; none counts twice. */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Log, openLog } from 'ringwal';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deposit, open, withdraw } from '../../dist-examples/event-sourcing/account.js';
import { decodeEvent } from '../../dist-examples/event-sourcing/codec.js';
import { EventStore } from '../../dist-examples/event-sourcing/event-store.js';
import { killAfter, type Witness } from '../../dist-examples/event-sourcing/killed.js';
import { Ledger } from '../../dist-examples/event-sourcing/ledger.js';
import { takeSnapshot } from '../../dist-examples/event-sourcing/snapshot.js';
import { runTellers } from '../../dist-examples/event-sourcing/tellers.js';
import { Turnover } from '../../dist-examples/event-sourcing/turnover.js';
import { crashImage } from '../support/crash-image.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const LOG = { segmentBytes: 65_536, ringBytes: 65_536, syncMode: 'none' } as const;
const ACCOUNTS = ['a', 'b', 'c'];
const REFUSED = { code: 'BANK_REFUSED' };

async function opened(directory: string): Promise<Log> {
  const log = await openLog(directory, LOG);
  onTestFinished(() => log.close());
  return log;
}

/** The state and the turnover that all events from the first on make; no balance is negative at any of them. */
async function replayed(log: Log) {
  const ledger = new Ledger();
  const balances = new Map<string, number>();
  const turnover = new Map<string, number>();
  const lsns: number[] = [];
  for await (const { lsn, payload } of log.read({ from: 1, types: ['record'] })) {
    const event = decodeEvent(lsn, payload);
    ledger.apply(lsn, event);
    lsns.push(lsn);
    const { balance } = ledger.get(event.account);
    expect(balance, `LSN ${lsn}`).toBeGreaterThanOrEqual(0);
    balances.set(`${event.account} ${event.version}`, balance);
    if (event.type !== 'opened')
      turnover.set(event.account, (turnover.get(event.account) ?? 0) + event.amount);
  }
  return { accounts: ledger.all(), balances, turnover, lsns };
}

/** Counts up to `lsn` and stops there; returns what it counted. */
async function project(turnover: Turnover, lsn: number): Promise<number[]> {
  const stop = new AbortController();
  const counted: number[] = [];
  turnover.onEvent = (at) => {
    counted.push(at);
    if (at >= lsn) stop.abort();
  };
  await turnover.run(stop.signal);
  return counted;
}

describe('an account', () => {
  it('is never overdrawn by writers on two threads that decide on the same state', {
    timeout: 60_000,
  }, async () => {
    const log = await opened(tempDir());
    const store = await EventStore.open(log);
    for (const id of ACCOUNTS) await store.execute(id, open(20));
    const job = { accounts: ACCOUNTS, commands: 600, inFlight: 4 };
    const report = await runTellers(log, 2, job);
    await store.refresh();
    const { accounts } = await replayed(log);
    expect(store.ledger.all()).toEqual(accounts);
    const total = accounts.reduce((sum, { balance }) => sum + balance, 0);
    expect(total).toBe(20 * ACCOUNTS.length + report.deposited - report.withdrawn);
    expect(report.refused).toBeGreaterThan(0);
    expect(report.conflicts).toBeGreaterThan(0);
  });

  it('gives its last money to one of two who ask at once; the other decides anew, and is refused', async () => {
    const log = await opened(tempDir());
    const [one, other] = [await EventStore.open(log), await EventStore.open(log)];
    await one.execute('a', open(100));
    await other.refresh();
    const answers = await Promise.allSettled([
      one.execute('a', withdraw(80)),
      other.execute('a', withdraw(80)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(answers[1]).toMatchObject({ reason: REFUSED });
    expect(one.conflicts + other.conflicts).toBe(1);
    expect((await replayed(log)).accounts).toEqual([{ id: 'a', version: 3, balance: 20 }]);
  });

  it('serves commands that wait together one after the other, each on what those before it did', async () => {
    const store = await EventStore.open(await opened(tempDir()));
    const answers = await Promise.allSettled([
      store.execute('a', open(0)),
      store.execute('a', withdraw(1)),
      store.execute('a', deposit(50)),
      store.execute('a', withdraw(30)),
      store.execute('a', withdraw(30)),
      store.execute('a', open(0)),
    ]);
    expect(answers.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(store.ledger.get('a')).toEqual({ id: 'a', version: 3, balance: 20 });
  });

  it('refuses a caller who decided on another version, and what makes no sense', async () => {
    const store = await EventStore.open(await opened(tempDir()));
    const { account } = await store.execute('a', open(10));
    expect(account.version).toBe(2);
    await store.execute('a', deposit(1), { expectedVersion: 2 });
    await expect(store.execute('a', deposit(1), { expectedVersion: 2 })).rejects.toMatchObject({
      code: 'BANK_VERSION_CONFLICT',
    });
    await expect(store.execute('nobody', deposit(1))).rejects.toMatchObject(REFUSED);
    expect(() => withdraw(0.5)).toThrow(/whole cents/);
    expect(store.ledger.get('a').balance).toBe(11);
  });

  it('takes more commands at once than a group has room for', async () => {
    const store = await EventStore.open(await opened(tempDir()));
    const id = 'x'.repeat(200);
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.execute(`${id}${i}`, open(1))));
    expect(store.ledger.all()).toHaveLength(300);
  });
});

describe('recovery', () => {
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.constantFrom('deposit', 'withdraw'), fc.nat(2), fc.integer({ min: 1, max: 50 })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('snapshot', 'crash', 'close'), fc.constant(0), fc.constant(0)),
    },
  );

  it.each([false, true])('gives the state from before; snapshots truncate: %s', async (truncates) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100, size: 'max' }), async (steps) => {
        let directory = tempDir();
        let log = await openLog(directory, LOG);
        try {
          let store = await EventStore.open(log);
          for (const id of ACCOUNTS)
            if (store.ledger.get(id).version === 0) await store.execute(id, open(30));
          for (const [what, number, amount] of [...steps, ['crash', 0, 0] as const]) {
            if (what === 'deposit') await store.execute(`${ACCOUNTS[number]}`, deposit(amount));
            else if (what === 'withdraw')
              await store.execute(`${ACCOUNTS[number]}`, withdraw(amount)).catch((error: unknown) => {
                expect(error).toMatchObject(REFUSED);
              });
            else if (what === 'snapshot') await takeSnapshot(log, store, truncates);
            else {
              const before = store.ledger.all();
              if (what === 'crash') directory = crashImage(directory);
              await log.close();
              log = await openLog(directory, LOG);
              store = await EventStore.open(log);
              expect(store.ledger.all()).toEqual(before);
              if (!truncates) expect((await replayed(log)).accounts).toEqual(before);
            }
          }
        } finally {
          await log.close();
        }
      }),
      { numRuns: 6, seed: testSeed(1) },
    );
  });

  it('has the events that another thread appended between a snapshot and its checkpoint', async () => {
    const directory = tempDir();
    const log = await opened(directory);
    const [one, other] = [await EventStore.open(log), await EventStore.open(log)];
    await one.execute('a', open(5));
    const interrupted = {
      checkpoint: async (payload: string) => {
        await other.execute('a', deposit(7));
        return log.checkpoint(payload);
      },
      truncateBefore: (lsn: number) => log.truncateBefore(lsn),
    } as unknown as Log;
    expect(await takeSnapshot(interrupted, one)).toBe(2);
    expect(log.firstLsn).toBe(3);
    await log.close();
    const { ledger } = await EventStore.open(await opened(directory));
    expect(ledger.get('a')).toEqual({ id: 'a', version: 3, balance: 12 });
  });

  it('is what a thread does that was overtaken by a truncation', async () => {
    const log = await opened(tempDir());
    const [one, late] = [await EventStore.open(log), await EventStore.open(log)];
    await one.execute('a', open(5));
    await one.execute('a', deposit(5));
    await takeSnapshot(log, one);
    expect(log.firstLsn).toBeGreaterThan(1);
    expect((await late.execute('a', withdraw(10))).account.balance).toBe(0);
  });

  it('refuses a log that begins in the middle without a snapshot, and one that is not its own', async () => {
    const log = await opened(tempDir());
    const store = await EventStore.open(log);
    await store.execute('a', open(5));
    await log.truncateBefore(2);
    const damaged = { code: 'BANK_HISTORY_DAMAGED' };
    await expect(EventStore.open(log)).rejects.toMatchObject(damaged);
    const other = await opened(tempDir());
    await other.append('no event');
    await expect(EventStore.open(other)).rejects.toMatchObject(damaged);
  });
});

describe('a projection', () => {
  it('counts each event once, over stops with and without saving, and snapshots that would free the log', async () => {
    const prng = new Prng(testSeed(1));
    const log = await opened(tempDir());
    const file = join(tempDir(), 'turnover.json');
    const store = await EventStore.open(log);
    await Turnover.open(log, file); // its cursor holds the log from now on
    const expected = new Map<string, number>();
    const saved: number[] = [];
    let position = 0;
    for (const id of ACCOUNTS) await store.execute(id, open(0));
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 20; i++) {
        const [id, amount] = [prng.pick(ACCOUNTS), prng.between(1, 9)];
        await store.execute(id, deposit(amount));
        expected.set(id, (expected.get(id) ?? 0) + amount);
      }
      const { upTo } = store.ledger;
      if (prng.chance(0.5)) await takeSnapshot(log, store);
      expect(log.firstLsn).toBeLessThanOrEqual(position + 1);
      const turnover = await Turnover.open(log, file, { saveEvery: 1000 });
      expect(turnover.position).toBe(position);
      const isLast = round === 19;
      const counted = await project(turnover, isLast ? upTo : prng.between(position + 1, upTo));
      if (!isLast && prng.chance(0.4)) continue; // a crash: nothing was saved
      await turnover.save();
      saved.push(...counted);
      position = turnover.position;
      if (isLast) expect(new Map(turnover.turnover)).toEqual(expected);
    }
    expect(saved).toEqual([...new Set(saved)].sort((a, b) => a - b));
    expect(saved).toHaveLength(ACCOUNTS.length + 400);
  });

  it('goes on behind what its file has, when a crash came before the cursor was moved', async () => {
    const directory = tempDir();
    const log = await opened(directory);
    const file = join(tempDir(), 'turnover.json');
    const store = await EventStore.open(log);
    await store.execute('a', open(5));
    const turnover = await Turnover.open(log, file);
    await project(turnover, 2);
    const image = crashImage(directory); // the cursor as it was
    await turnover.save();
    const after = await opened(image);
    expect((await after.cursor('turnover')).position).toBe(0);
    const again = await Turnover.open(after, file);
    await (await EventStore.open(after)).execute('a', deposit(1));
    expect(await project(again, 3)).toEqual([3]);
    expect(again.turnover.get('a')).toBe(6);
  });

  it('refuses to go on when events are gone that it has not counted', async () => {
    const log = await opened(tempDir());
    const store = await EventStore.open(log);
    await store.execute('a', open(5));
    await takeSnapshot(log, store);
    await expect(Turnover.open(log, join(tempDir(), 'turnover.json'))).rejects.toMatchObject({
      code: 'BANK_HISTORY_DAMAGED',
    });
  });
});

describe('killed with SIGKILL under load', () => {
  it('has all that was answered, with the same balances, and a projection that misses and doubles nothing', {
    timeout: 60_000,
  }, async () => {
    const seed = testSeed(1);
    const prng = new Prng(seed);
    const directory = tempDir();
    const witness: Witness = new Map();
    for (let life = 0; life < 4; life++) {
      await killAfter(directory, prng.between(1, 1500), false, witness);
      const where = `life ${life}, seed ${seed}`;
      const log = await openLog(join(directory, 'log'), LOG);
      const { accounts, balances, turnover, lsns } = await replayed(log);
      for (const [key, balance] of witness) expect(balances.get(key), `${where}: ${key}`).toBe(balance);
      expect((await EventStore.open(log)).ledger.all(), where).toEqual(accounts);
      const file = join(tempDir(), 'turnover.json');

      const own = join(directory, 'turnover.json');
      if (existsSync(own)) copyFileSync(own, file); // the child's own goes on from where it was
      const projection = await Turnover.open(log, file, {
        cursor: 'looking',
        saveEvery: Number.MAX_SAFE_INTEGER,
      });
      const last = lsns.at(-1) ?? 0;
      if (projection.position < last) await project(projection, last);
      expect(new Map(projection.turnover), where).toEqual(turnover);
      await log.close();
    }
  });

  it('has it too when snapshots free the log meanwhile', { timeout: 60_000 }, async () => {
    const directory = tempDir();
    const witness: Witness = new Map();
    for (let life = 0; life < 3; life++) {
      await killAfter(directory, 1000, true, witness);
      const log = await openLog(join(directory, 'log'), LOG);
      const { ledger } = await EventStore.open(log);
      for (const [key, balance] of witness) {
        const [id = '', version] = key.split(' ');
        const account = ledger.get(id);
        expect(account.version, `life ${life}: ${key}`).toBeGreaterThanOrEqual(Number(version));
        if (account.version === Number(version)) expect(account.balance).toBe(balance);
      }
      expect(log.firstLsn).toBeGreaterThan(1);
      await Turnover.open(log, join(directory, 'turnover.json'));
      await log.close();
    }
  });
});
