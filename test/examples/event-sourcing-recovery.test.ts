/** event-sourcing-recovery: the example bank after crashes, truncations and SIGKILL: the state from before. */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Log, openLog } from 'ringwal';
import { describe, expect, it } from 'vitest';
import { deposit, open, withdraw } from '../../dist-examples/event-sourcing/account.js';
import { EventStore } from '../../dist-examples/event-sourcing/event-store.js';
import { killAfter, type Witness } from '../../dist-examples/event-sourcing/killed.js';
import { takeSnapshot } from '../../dist-examples/event-sourcing/snapshot.js';
import { Turnover } from '../../dist-examples/event-sourcing/turnover.js';
import { crashImage } from '../support/crash-image.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';
import { ACCOUNTS, LOG, opened, project, REFUSED, replayed } from './bank.js';

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

  it.each([false, true])('gives the state from before; snapshots truncate: %s', {
    timeout: 60_000,
  }, async (truncates) => {
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
      { numRuns: 3, seed: testSeed(1) },
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
