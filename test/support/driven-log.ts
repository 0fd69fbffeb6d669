/**
 * driven-log: the engine without threads: one ring, and rounds of the commit loop only when the test says so.
 */
import { createRing } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { LogEngine } from '../../dist/src/engine/log-engine.js';
import { frameBytes } from '../../dist/src/format/record-frame.js';
import { type LogOptions, resolveOptions } from '../../dist/src/options.js';
import { readGroups } from '../../dist/src/read/read-log.js';
import type { Storage } from '../../dist/src/storage/storage.js';

/** A clock that goes on by a microsecond each time it is read. */
export class TestClock {
  us = 1_700_000_000_000_000;
  wallUs(): number {
    return ++this.us;
  }
  monotonicUs(): number {
    return ++this.us;
  }
}

export const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 65_536, maxGroupBytes: 16_384 };

export interface ReadRecord {
  readonly lsn: number;
  readonly text: string;
}

export class DrivenLog {
  readonly engine: LogEngine;
  readonly state: LogState;
  readonly storage: Storage;
  readonly #producer: RingProducer;
  /** First LSN and number of records of every completion, in order. */
  readonly completions: { firstLsn: number; records: number }[] = [];
  /** Ends of the waits that the engine has asked for before trying something again. */
  readonly #pauses: (() => void)[];

  static async open(storage: Storage, options: LogOptions = SMALL): Promise<DrivenLog> {
    const resolved = resolveOptions(options);
    const state = new LogState();
    const pauses: (() => void)[] = [];
    const pause = (): Promise<void> => new Promise((resolve) => pauses.push(resolve));
    const engine = await LogEngine.open(resolved, { storage, state, clock: new TestClock(), pause });
    const ring = createRing(resolved.ringBytes);
    const limits = { bytes: resolved.maxGroupBytes, records: resolved.maxGroupRecords };
    const producer = new RingProducer(ring, state, limits);
    engine.attach(ring.buffer);
    await engine.maintenanceIdle();
    return new DrivenLog(engine, state, storage, producer, pauses);
  }

  private constructor(
    engine: LogEngine,
    state: LogState,
    storage: Storage,
    producer: RingProducer,
    pauses: (() => void)[],
  ) {
    this.engine = engine;
    this.state = state;
    this.storage = storage;
    this.#producer = producer;
    this.#pauses = pauses;
  }

  /** Publishes the records as one chunk and commits it, as one group; returns the first record's LSN. */
  async append(...payloads: (string | Uint8Array)[]): Promise<number> {
    this.publish(...payloads);
    await this.commit();
    const last = this.completions.at(-1);
    if (last === undefined) throw new Error('nothing was committed');
    return last.firstLsn + last.records - payloads.length;
  }

  publish(...payloads: (string | Uint8Array)[]): void {
    const all = payloads.map((payload) => Buffer.from(payload));
    const bytes = all.reduce((sum, payload) => sum + frameBytes(payload.length), 0);
    if (!this.#producer.reserve(bytes, all.length)) throw new Error('the ring is full');
    for (const payload of all) this.#producer.data.set(payload, this.#producer.frame(1, payload.length));
    if (!this.#producer.publish()) throw new Error('no slot is free');
  }

  /** Runs rounds until nothing is left to do; waits for a segment when there is none. */
  async commit(): Promise<void> {
    for (let round = 0; round < 1000; round++) {
      const outcome = this.engine.step();
      this.#producer.consume((firstLsn, records) => this.completions.push({ firstLsn, records }));
      if (outcome === 'idle') return;
      if (outcome === 'failed') throw new Error('the log is poisoned');
      if (outcome !== 'committed') await this.engine.maintenanceIdle();
    }
    throw new Error('the engine does not come to rest');
  }

  /** Runs a control call, which the engine serves between two rounds. */
  async call<T>(start: (engine: LogEngine) => Promise<T>): Promise<T> {
    const answer = start(this.engine);
    await this.commit();
    const value = await answer;
    await this.engine.maintenanceIdle();
    return value;
  }

  rotate(): Promise<number> {
    return this.call((engine) => engine.rotate());
  }

  truncateBefore(lsn: number): Promise<void> {
    return this.call((engine) => engine.truncateBefore(lsn));
  }

  /** Has the engine try again what it had put off, and waits for the end of that. */
  async retry(): Promise<void> {
    for (const resume of this.#pauses.splice(0)) resume();
    await new Promise((resolve) => setImmediate(resolve));
    await this.engine.maintenanceIdle();
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  /** All records of the log as it is now. */
  async records(): Promise<ReadRecord[]> {
    const { state } = this;
    const view = this.engine.view();
    const records: ReadRecord[] = [];
    for await (const some of readGroups(this.storage, view, view.firstLsn, view.durableLsn, () => state.firstLsn)) {
      for (const { lsn, payload } of some) records.push({ lsn, text: Buffer.from(payload).toString('latin1') });
    }
    return records;
  }
}
