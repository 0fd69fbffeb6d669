/** cut-crashes: truncateAfter stopped before every change: the log is then cut or as it was, and goes on. */
import { expect, it } from 'vitest';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { crashStates } from '../support/crash-states.js';
import { EngineHarness } from '../support/engine-harness.js';
import { crashAtMutation } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';

/** Images tried at one crash point when there are too many to try all. */
const SAMPLES = 48;
const options: Partial<ResolvedOptions> = { recycle: true };

/** What the log may hold after a crash: the records before the operation under way, or those after it. */
class Model {
  readonly #storage: SimStorage;
  first = 1;
  records: string[] = [];
  /** The alternatives, each the first LSN and the records from it on. */
  allowed: { first: number; records: string[] }[] = [{ first: 1, records: [] }];

  constructor(storage: SimStorage) {
    this.#storage = storage;
  }

  async step(next: { first?: number; records?: string[] }, run: () => Promise<unknown>): Promise<void> {
    const before = { first: this.first, records: this.records };
    const after = { ...before, ...next };
    this.allowed = [before, after];
    await run();
    if (this.#storage.isCrashed) throw new Error('the machine has stopped'); // maybe where nobody is told
    this.first = after.first;
    this.records = after.records;
    this.allowed = [after];
  }
}

class Workload {
  readonly model: Model;
  readonly #log: EngineHarness;
  #count = 0;

  constructor(log: EngineHarness, storage: SimStorage) {
    this.#log = log;
    this.model = new Model(storage);
  }

  /** A group of `count` records of `bytes` bytes. */
  async append(count: number, bytes = 8): Promise<void> {
    const added = Array.from({ length: count }, () => `${++this.#count}`.padEnd(bytes, '.'));
    const { model } = this;
    await model.step({ records: [...model.records, ...added] }, () =>
      this.#log.append(added.map((value) => Buffer.from(value))),
    );
  }

  rotate(): Promise<number> {
    return this.#log.rotate();
  }

  async truncateBefore(lsn: number): Promise<void> {
    const { model } = this;
    const records = model.records.slice(lsn - model.first);
    await model.step({ first: lsn, records }, () => this.#log.truncateBefore(lsn));
  }

  async cut(lsn: number): Promise<void> {
    const { model } = this;
    await model.step({ records: model.records.slice(0, lsn + 1 - model.first) }, async () => {
      await this.#log.drive(this.#log.engine.truncateAfter(lsn));
      await this.#log.engine.maintenanceIdle();
    });
  }
}

async function contents(storage: SimStorage, seed: number) {
  const log = await EngineHarness.open(storage, undefined, options, seed);
  const records = (await log.readAll()).map(({ payload }) => Buffer.from(payload).toString());
  const { firstLsn, lastLsn } = log.engine.summary;
  expect(lastLsn).toBe(firstLsn + records.length - 1);
  return { log, found: { first: firstLsn, records } };
}

const workloads: [string, (log: Workload) => Promise<void>][] = [
  [
    'inside the last group',
    async (log) => {
      await log.append(2);
      await log.append(3);
      await log.cut(3);
      await log.append(1);
    },
  ],
  [
    'between two groups, twice',
    async (log) => {
      for (let i = 0; i < 3; i++) await log.append(2);
      await log.cut(4);
      await log.cut(2);
      await log.append(2);
    },
  ],
  [
    'segments back, with what is cut off used again',
    async (log) => {
      for (let i = 0; i < 5; i++) {
        await log.append(2, 1500);
        await log.rotate();
      }
      await log.cut(3);
      for (let i = 0; i < 4; i++) {
        await log.append(2, 1500);
        await log.rotate();
      }
    },
  ],
  [
    'exactly at the end of a segment',
    async (log) => {
      await log.append(2);
      await log.rotate();
      await log.append(2);
      await log.cut(2);
      await log.append(1);
      await log.rotate();
      await log.cut(3);
    },
  ],
  [
    'to an empty log, and behind a truncation',
    async (log) => {
      await log.append(3);
      await log.cut(0);
      await log.append(2);
      await log.rotate();
      await log.append(2);
      await log.truncateBefore(2);
      await log.cut(1);
      await log.append(1);
    },
  ],
  [
    'and cut again right behind it, then truncated',
    async (log) => {
      await log.append(4);
      await log.cut(3);
      await log.append(2);
      await log.cut(3);
      await log.append(1);
      await log.rotate();
      await log.truncateBefore(4);
      await log.cut(3);
    },
  ],
];

it.each(workloads)(
  'a log that is cut %s is after a crash as before it or as after it',
  { timeout: 60_000 },
  async (_, run) => {
    let states = 0;
    let cutStates = 0;
    for (let point = 1; ; point++) {
      const storage = new SimStorage({ plan: crashAtMutation(point) });
      let workload: Workload | undefined;
      try {
        workload = new Workload(await EngineHarness.open(storage, undefined, options), storage);
        await run(workload);
      } catch (error) {
        if (!storage.isCrashed) throw error;
      }
      const isLast = !storage.isCrashed;
      storage.crash();
      expect(storage.violations).toEqual([]);
      const { allowed } = workload?.model ?? new Model(storage);
      for (const state of crashStates(storage, { samples: SAMPLES, exhaustiveUpTo: SAMPLES })) {
        states++;
        const booted = SimStorage.boot(state.image);
        const { log, found } = await contents(booted, 1000 + point).catch((error: unknown) => {
          throw new Error(`crash before change ${point}\n${state.describe()}\n${storage.log()}`, {
            cause: error,
          });
        });
        expect(allowed, `crash before change ${point}\n${state.describe()}\n${storage.log()}`).toContainEqual(
          found,
        );
        if (allowed.length > 1 && found.records.length === allowed[1]?.records.length) cutStates++;
        if (states % 7 > 0) continue;
        // It goes on, is cut once more, and is all the same when it is opened again.
        await log.append(Buffer.from('behind'));
        expect((await contents(SimStorage.boot(booted.durableImage()), 2000).catch((e) => e)).found).toEqual({
          ...found,
          records: [...found.records, 'behind'],
        });
        await log.drive(log.engine.truncateAfter(found.first + found.records.length - 1));
        expect((await contents(SimStorage.boot(booted.durableImage()), 3000)).found).toEqual(found);
        expect(booted.violations).toEqual([]);
      }
      if (isLast) break;
    }
    expect(states).toBeGreaterThan(80);
    expect(cutStates).toBeGreaterThan(5);
  },
);
