/** event-sourcing: the example bank: its rules hold over threads, and its projection counts each event once. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deposit, open, withdraw } from '../../dist-examples/event-sourcing/account.js';
import { EventStore } from '../../dist-examples/event-sourcing/event-store.js';
import { takeSnapshot } from '../../dist-examples/event-sourcing/snapshot.js';
import { runTellers } from '../../dist-examples/event-sourcing/tellers.js';
import { Turnover } from '../../dist-examples/event-sourcing/turnover.js';
import { crashImage } from '../support/crash-image.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';
import { ACCOUNTS, opened, project, REFUSED, replayed } from './bank.js';

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
