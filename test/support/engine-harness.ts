/**
 * engine-harness: drives the real engine and the real rings over a simulated storage, in one thread and step by
 * step, and tells the oracle what was submitted and what was acknowledged.
 */
import { crc32 } from 'node:zlib';
import type { Frame, SubmissionTerms } from '../../dist/src/append/submission.js';
import { type EngineDependencies, LogEngine } from '../../dist/src/engine/log-engine.js';
import type { Environment } from '../../dist/src/environment.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { readGroups } from '../../dist/src/read/read-log.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingTransaction, type Transaction } from '../../dist/src/transaction/transaction.js';
import { identity, readFrames, type SeenRecord, seenFrom } from './frames.js';
import { HarnessProducer } from './harness-producer.js';
import { Oracle, type RecoveredRecord } from './oracle.js';
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
  busyPollUs: 0,
  recycle: true,
  padGroups: false,
  recordChecksums: false,
  compression: undefined,
  isEncrypted: false,
  plainBefore: Number.POSITIVE_INFINITY,
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

export class EngineHarness {
  readonly engine: LogEngine;
  readonly state: LogState;
  readonly #storage: SimStorage;
  readonly #oracle: Oracle | undefined;
  readonly #options: ResolvedOptions;
  readonly #told: Oracle;
  /** Made when they are first asked for: most openings of a sweep only read. */
  readonly #producers: (HarnessProducer | undefined)[] = [];

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
      oracle.reopened(await storage.spared(() => harness.frames()), engine.summary.lastLsn + 1);
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
    this.#options = options;
    this.#told = oracle ?? new Oracle();
  }

  /** Puts a record, or a batch, into a producer's ring and publishes it. */
  submit(payload: Uint8Array | readonly Uint8Array[], producer = 0, terms: SubmissionTerms = {}): void {
    const payloads = payload instanceof Uint8Array ? [payload] : payload;
    void this.producer(producer).submit(payloads.map(plainFrame), terms);
  }

  /** The same for a record that is larger than a group, which may have to wait for room. */
  submitLarge(payload: Uint8Array, producer = 0): void {
    void this.producer(producer).submitLarge(plainFrame(payload), {});
  }

  /** Begins a transaction; it takes part as what it appends is committed by `commit` of the harness. */
  begin(producer = 0): Transaction {
    return new RingTransaction(
      this.producer(producer),
      this.state,
      { ...this.#options, refusesLate: false },
      new Set(),
    );
  }

  producer(n: number): HarnessProducer {
    const { engine, state } = this;
    this.#producers[n] ??= new HarnessProducer(engine, state, this.#options, this.#told, n);
    return this.#producers[n];
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

  /** What callers see, from `from` on. */
  async readAll(from = this.engine.view().firstLsn): Promise<SeenRecord[]> {
    const records: SeenRecord[] = [];
    const view = this.engine.view();
    const range = { from, to: view.durableLsn, transactions: 'committed' as const, decoder: undefined };
    const groups = readGroups(this.#storage, view, range, () => this.state.firstLsn);
    for await (const group of groups) records.push(...group);
    return records;
  }

  /** What lies on the disk, frame by frame: every LSN has one. */
  async frames(): Promise<RecoveredRecord[]> {
    const view = this.engine.view();
    const frames = await readFrames(this.#storage, view);
    return frames
      .filter(({ lsn }) => lsn >= view.firstLsn)
      .map(({ lsn, type, flags, content }) => ({ lsn, payload: identity(type, flags, content) }));
  }

  /** What is wrong with what callers see from these LSNs on, by what lies on the disk. */
  async checkReading(lsns: readonly number[] = []): Promise<string[]> {
    const view = this.engine.view();
    const frames = await readFrames(this.#storage, view);
    const problems: string[] = [];
    for (const from of [view.firstLsn, ...lsns]) {
      const expected = listed(seenFrom(frames, from));
      const seen = listed(await this.readAll(from));
      if (seen !== expected) problems.push(`reading from LSN ${from}:\n${seen}\nshould be\n${expected}`);
    }
    return problems;
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
    for (const producer of this.#producers) producer?.drain();
  }

  #fail(): void {
    for (const producer of this.#producers) producer?.fail();
  }
}

function plainFrame(payload: Uint8Array): Frame {
  return { type: RECORD_FULL, flags: 0, payload };
}

/** Payloads by id and length: a sweep runs its workload anew for each crash point, and makes the same ones each time. */
const made = new Map<string, Uint8Array>();

/** A payload of `bytes` bytes that no other call with another `id` makes. */
export function payloadOf(id: number, bytes: number): Uint8Array {
  const key = `${id} ${bytes}`;
  let payload = made.get(key);
  if (payload === undefined) {
    const prng = new Prng(id + 1);
    payload = Uint8Array.from({ length: bytes }, () => prng.below(256));
    new DataView(payload.buffer).setUint32(0, id, true);
    made.set(key, payload);
  }
  return payload.slice();
}

function listed(records: readonly SeenRecord[]): string {
  const line = ({ lsn, commitLsn, payload }: SeenRecord): string =>
    `${lsn} ${commitLsn} ${payload.length} ${crc32(payload)}`;
  return records.map(line).join('\n');
}

/** Opens the log on a disk image and reads all of it, as it lies there. */
export async function recoverAll(
  storage: SimStorage,
  overrides: Partial<ResolvedOptions> = {},
): Promise<{ records: RecoveredRecord[]; nextLsn: number; log: EngineHarness }> {
  const log = await EngineHarness.open(storage, undefined, overrides, 99);
  return { records: await log.frames(), nextLsn: log.engine.summary.lastLsn + 1, log };
}
