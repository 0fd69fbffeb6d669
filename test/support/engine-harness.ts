/**
 * engine-harness: drives the real engine and the real rings over a simulated storage, in one thread and step by
 * step, and tells the oracle what was submitted and what was acknowledged.
 */
import { type EngineDependencies, LogEngine } from '../../dist/src/engine/log-engine.js';
import type { Environment } from '../../dist/src/environment.js';
import { frameBytes, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { readGroups } from '../../dist/src/read/read-log.js';
import { createRing } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import type { Oracle, RecoveredRecord, Ticket } from './oracle.js';
import { Prng } from './prng.js';
import type { SimStorage } from './sim-storage.js';

/** Small enough that a few appends fill a segment and a whole directory can be enumerated. */
export const TINY_OPTIONS: ResolvedOptions = {
  segmentBytes: 24 * 1024,
  ringBytes: 16 * 1024,
  windowUs: 0,
  maxGroupBytes: 4096,
  maxGroupRecords: 64,
  maxWaitingBytes: 0,
  recycle: true,
  padGroups: false,
  recordChecksums: false,
  compression: undefined,
  isEncrypted: false,
  maxInflatedBytes: 2 ** 30,
  syncMode: 'fdatasync',
  mustInclude: 0,
  recovery: 'tolerate-torn-tail',
};

/** Rounds after which a call that has not been answered counts as hung. */
const PATIENCE = 200;

/** Time that stands still unless asked for, and chance that repeats. */
export function simulatedEnvironment(seed: number): Environment {
  const prng = new Prng(seed);
  let wallUs = 1_700_000_000_000_000;
  let us = 0;
  return {
    wallUs: () => wallUs++,
    monotonicUs: () => us++,
    randomBytes: (bytes) => Uint8Array.from({ length: bytes }, () => prng.below(256)),
    pause: () => new Promise(() => {}),
  };
}

interface Pending {
  readonly ticket: Ticket;
  readonly records: number;
}

class Producer {
  readonly ring: RingProducer;
  readonly pending: Pending[] = [];

  constructor(engine: LogEngine, state: LogState, options: ResolvedOptions) {
    const memory = createRing(options.ringBytes);
    this.ring = new RingProducer(memory, state, {
      bytes: options.maxGroupBytes,
      records: options.maxGroupRecords,
    });
    engine.attach(memory.buffer);
  }
}

export class EngineHarness {
  readonly engine: LogEngine;
  readonly state: LogState;
  readonly #storage: SimStorage;
  readonly #oracle: Oracle | undefined;
  readonly #producers: Producer[];

  /** Opens the log. The generation begins for `oracle` with what can be read now. */
  static async open(
    storage: SimStorage,
    oracle?: Oracle,
    overrides: Partial<ResolvedOptions> = {},
    seed = 1,
    dependencies: Partial<EngineDependencies> = {},
  ): Promise<EngineHarness> {
    const options = { ...TINY_OPTIONS, ...overrides };
    const state = new LogState();
    const environment = simulatedEnvironment(seed);
    const engine = await LogEngine.open(options, { storage, state, environment, ...dependencies });
    await engine.maintenanceIdle();
    const harness = new EngineHarness(storage, oracle, engine, state, options);
    if (oracle !== undefined && !engine.summary.created) {
      oracle.reopened(await harness.readAll(), engine.summary.lastLsn + 1);
    }
    return harness;
  }

  private constructor(
    storage: SimStorage,
    oracle: Oracle | undefined,
    engine: LogEngine,
    state: LogState,
    options: ResolvedOptions,
  ) {
    this.#storage = storage;
    this.#oracle = oracle;
    this.engine = engine;
    this.state = state;
    this.#producers = [0, 1, 2].map(() => new Producer(engine, state, options));
  }

  /** Puts a record, or a batch, into a producer's ring and publishes it. */
  submit(payload: Uint8Array | readonly Uint8Array[], producer = 0): void {
    const target = this.#producers[producer] as Producer;
    const payloads = payload instanceof Uint8Array ? [payload] : payload;
    const bytes = payloads.reduce((sum, { length }) => sum + frameBytes(length), 0);
    const ticket = this.#oracle?.submit(payload, producer) ?? 0;
    if (!target.ring.reserve(bytes, payloads.length)) throw new Error('harness: the ring is full');
    for (const own of payloads) target.ring.data.set(own, target.ring.frame(RECORD_FULL, own.length));
    target.pending.push({ ticket, records: payloads.length });
    target.ring.publish();
  }

  /** Commits everything published; ends early when the log fails. */
  async commit(): Promise<void> {
    for (let round = 0; round < PATIENCE; round++) {
      const outcome = this.engine.step();
      this.#acknowledge();
      if (outcome === 'failed') {
        this.#fail();
        return;
      }
      if (outcome === 'idle') return;
      if (outcome === 'no-segment') await this.engine.maintenanceIdle();
      if (this.#storage.isCrashed) return;
    }
    throw new Error('harness: the engine does not come to rest');
  }

  /** Submits and commits. */
  async append(payload: Uint8Array | readonly Uint8Array[], producer = 0): Promise<void> {
    this.submit(payload, producer);
    await this.commit();
  }

  async truncateBefore(lsn: number): Promise<number> {
    this.#oracle?.truncating(lsn);
    const firstLsn = await this.drive(this.engine.truncateBefore(lsn));
    this.#oracle?.truncated(firstLsn);
    await this.engine.maintenanceIdle();
    return firstLsn;
  }

  async rotate(): Promise<number> {
    const closed = await this.drive(this.engine.rotate());
    await this.engine.maintenanceIdle();
    return closed;
  }

  async mark(): Promise<void> {
    await this.drive(this.engine.mark());
  }

  async close(): Promise<void> {
    await this.engine.close();
    this.#acknowledge();
  }

  async readAll(): Promise<RecoveredRecord[]> {
    const records: RecoveredRecord[] = [];
    const view = this.engine.view();
    const range = {
      from: view.firstLsn,
      to: view.durableLsn,
      transactions: 'committed' as const,
      decoder: undefined,
    };
    const groups = readGroups(this.#storage, view, range, () => this.state.firstLsn);
    for await (const group of groups) records.push(...group);
    return records;
  }

  /** Runs rounds until `call` is settled. */
  async drive<T>(call: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    call.then(settled, settled);
    for (let round = 0; round < PATIENCE && !isSettled; round++) {
      if (this.engine.step() === 'failed') this.#fail();
      this.#acknowledge();
      await this.engine.maintenanceIdle();
    }
    if (!isSettled) throw new Error('harness: a call is not answered');
    return call;
  }

  #acknowledge(): void {
    for (const { ring, pending } of this.#producers) {
      ring.consume((firstLsn, records) => {
        let left = records;
        for (let lsn = firstLsn; left > 0; ) {
          const next = pending.shift();
          if (next === undefined || next.records > left)
            throw new Error('harness: a completion splits an append');
          this.#oracle?.acked(next.ticket, lsn);
          lsn += next.records;
          left -= next.records;
        }
      });
    }
  }

  #fail(): void {
    for (const { pending } of this.#producers) {
      for (const { ticket } of pending.splice(0)) this.#oracle?.failed(ticket);
    }
  }
}

/** A payload of `bytes` bytes that no other call with another `id` makes. */
export function payloadOf(id: number, bytes: number): Uint8Array {
  const prng = new Prng(id + 1);
  const payload = Uint8Array.from({ length: bytes }, () => prng.below(256));
  new DataView(payload.buffer).setUint32(0, id, true);
  return payload;
}

/** Opens the log on a disk image and reads all of it. */
export async function recoverAll(
  storage: SimStorage,
  overrides: Partial<ResolvedOptions> = {},
): Promise<{ records: RecoveredRecord[]; nextLsn: number }> {
  const harness = await EngineHarness.open(storage, undefined, overrides, 99);
  return { records: await harness.readAll(), nextLsn: harness.engine.summary.lastLsn + 1 };
}
