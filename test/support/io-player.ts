/**
 * io-player: plays the steps of a workload on the engine while its storage fails, and holds every answer against what
 * the package promises: typed errors, the first errno as their cause, nothing pending, nothing wedged.
 */
import { RingwalError } from '../../dist/src/errors.js';
import { POISONED } from '../../dist/src/ring/log-state.js';
import type { Transaction } from '../../dist/src/transaction/transaction.js';
import type { IoWorkload, Step } from '../layers/io-error-workloads.js';
import { CursorModel } from './cursor-model.js';
import { EngineHarness, payloadOf, simulatedEnvironment } from './engine-harness.js';
import { expecting, unsynced } from './harness-producer.js';
import { type HealableFault, isGroupOperation } from './io-faults.js';
import type { OracleRelay } from './io-relay.js';
import type { SimStorage } from './sim-storage.js';

/** Rounds after which a call that was not answered is hung; and after which a log that waits for a segment is wedged. */
const PATIENCE = 200;
const STUCK_AFTER = 4;
const PRODUCERS = [0, 1, 2] as const;

export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export class IoPlayer {
  readonly storage: SimStorage;
  readonly fault: HealableFault;
  readonly oracle: OracleRelay;
  readonly cursors: CursorModel;
  readonly #options: IoWorkload['options'];
  #log: EngineHarness | undefined;
  #opened: number;
  #payloads: number;
  #pauses: (() => void)[] = [];
  #skippedUs = 0;
  #transactions: (Transaction | undefined)[] = [];
  #isOpening = false;
  #isCutting = false;
  /** The errno of the first write or sync that may have ended the log. */
  #firstErrno: string | undefined;

  constructor(
    storage: SimStorage,
    fault: HealableFault,
    oracle: OracleRelay,
    cursors = new CursorModel(),
    options: IoWorkload['options'] = {},
    seed = 1,
  ) {
    this.storage = storage;
    this.fault = fault;
    this.oracle = oracle;
    this.cursors = cursors;
    this.#options = options;
    this.#opened = seed * 100;
    this.#payloads = seed * 1000;
    fault.onHit = (operation) => {
      if (this.#isOpening || this.#firstErrno !== undefined) return;
      const isGroup = isGroupOperation(operation);
      if (!isGroup && !this.#isCutting) return;
      this.#firstErrno = fault.hits.at(-1)?.code;
      const durable = this.#log?.state.durableLsn ?? 0;
      if (isGroup) this.oracle.ceiling = { durable, written: this.#log?.state.lastLsn ?? 0 };
    };
  }

  get log(): EngineHarness | undefined {
    return this.#log;
  }

  get isPoisoned(): boolean {
    return this.#log?.state.state === POISONED;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#step(step);
  }

  /** Opens the log; when that fails, it must say so, and the next time without the fault must do. */
  async open(): Promise<void> {
    const before = this.fault.hits.length;
    this.#isOpening = true;
    this.#firstErrno = undefined;
    try {
      this.#pauses = [];
      this.#transactions = [];
      this.#opened++;
      const still = simulatedEnvironment(this.#opened);
      const environment = {
        ...still,
        monotonicUs: () => still.monotonicUs() + this.#skippedUs,
        pause: () => new Promise<void>((resolve) => this.#pauses.push(resolve)),
      };
      const dependencies = { environment };
      this.#log = await EngineHarness.open(
        this.storage,
        this.oracle,
        this.#options,
        this.#opened,
        dependencies,
      );
      this.oracle.ceiling = undefined;
    } catch (error) {
      if (!isError(error, 'RINGWAL_IO') || codeOf(error.cause) !== this.fault.hits[before]?.code)
        throw new BrokenPromise('opening failed, and not with RINGWAL_IO and the first errno', {
          cause: error,
        });
    } finally {
      this.#isOpening = false;
    }
    if (this.#log !== undefined) {
      // A cursor that could not be read is told as such, and holds truncation back.
      if (this.fault.hits.length === before)
        this.#report(this.cursors.check(this.#log.engine.cursors.list()));
      return;
    }
    if (this.fault.isLasting) this.fault.heal();
    await this.open();
  }

  /** Ends the process, with whatever it has under way done. */
  async kill(): Promise<void> {
    await this.#log?.engine.maintenanceIdle();
    this.#log = undefined;
  }

  async close(): Promise<void> {
    const log = this.#log;
    if (log === undefined) return;
    const before = this.fault.hits.length;
    let closing = log.close();
    for (let round = 0; round < STUCK_AFTER && this.#pauses.length > 0; round++) await this.#retry();
    const outcome = await outcomeOf(closing);
    closing = Promise.resolve();
    if ('error' in outcome) this.#closedWith(outcome.error, before);
    for (const n of PRODUCERS) {
      log.producer(n).drain();
      log.producer(n).fail();
    }
    this.#nothingPends();
    this.#log = undefined;
  }

  /** The fault is gone: what was put off is done, and, unless a group failed, the log goes on. */
  async recover(): Promise<void> {
    this.fault.heal();
    if (this.#log === undefined) return;
    if (!this.isPoisoned) {
      for (let round = 0; round < 2; round++) {
        this.#skippedUs += 10_000_000;
        await this.#retry();
        this.#log.engine.nudge();
        await this.#log.engine.maintenanceIdle();
      }
      await this.#step({ do: 'append', bytes: 20 });
      if (this.isPoisoned) throw new BrokenPromise('the log is poisoned, although nothing fails any more');
      await this.#log.engine.maintenanceIdle();
      const left = [...this.storage.directory.live.keys()].filter((name) => /^\d+\.new$/.test(name));
      if (left.length > 0) throw new BrokenPromise(`${left} is left over and not removed later`);
    }
    this.#nothingPends();
  }

  async #step(step: Step): Promise<void> {
    const log = this.#log;
    if (log === undefined) {
      if (step.do === 'restart' || step.do === 'reopen') await this.open();
      return;
    }
    const { engine, state } = log;
    const producer = 'producer' in step ? (step.producer ?? 0) : 0;
    switch (step.do) {
      case 'append':
        log.submit(this.#payload(step.bytes), producer);
        return this.#rest();
      case 'submit':
        return log.submit(this.#payload(step.bytes), producer);
      case 'batch':
        log.submit(
          step.bytes.map((bytes) => this.#payload(bytes)),
          producer,
        );
        return this.#rest();
      case 'unsynced':
        return log.submit(this.#payload(step.bytes), producer, unsynced);
      case 'expecting':
        return log.submit(this.#payload(step.bytes), producer, expecting(state.durableLsn + step.ahead));
      case 'large':
        return log.submitLarge(this.#payload(step.bytes), producer);
      case 'sync':
        return void log
          .producer(producer)
          .sync()
          .catch(() => {});
      case 'begin':
        if (state.refusal() === undefined) this.#transactions[producer] = log.begin(producer);
        return;
      case 'appendTx':
        return void this.#transactions[producer]?.append(this.#payload(step.bytes)).catch(() => {});
      case 'commitTx':
        return void this.#transactions[producer]?.commit().catch(() => {});
      case 'abortTx':
        return void this.#transactions[producer]?.abort().catch(() => {});
      case 'commit':
        return this.#rest();
      case 'rotate':
        return void (await this.#call(engine.rotate()));
      case 'mark':
        return void (await this.#call(engine.mark()));
      case 'truncate': {
        const lsn = state.durableLsn + 1 - step.back;
        this.oracle.truncating(lsn);
        const outcome = await this.#call(engine.truncateBefore(lsn));
        if ('value' in outcome) this.oracle.truncated(outcome.value);
        return;
      }
      case 'cut':
        return this.#cut(step.back);
      case 'cursor':
      case 'ack':
      case 'deleteCursor':
        return this.#cursor(step);
      case 'reopen':
        await this.close();
        return this.open();
      case 'restart':
        await this.kill();
        return this.open();
      case 'close':
        return this.close();
    }
  }

  async #cut(back: number): Promise<void> {
    const log = this.#log as EngineHarness;
    await this.#rest();
    await log.engine.maintenanceIdle();
    if (this.isPoisoned) return;
    const lsn = log.state.durableLsn - back;
    const { firstLsn } = log.engine.view();
    const records = await this.storage.spared(() => log.frames());
    this.#isCutting = true;
    const outcome = await this.#call(log.engine.truncateAfter(lsn), ['RINGWAL_IO']);
    await log.engine.maintenanceIdle();
    this.#isCutting = false;
    const isDone = 'value' in outcome;
    if (!this.isPoisoned) {
      // What failed, if anything, was maintenance, or the segment that was to make the cut: not the log.
      this.#firstErrno = undefined;
      this.oracle.ceiling = undefined;
    }
    if (isDone || this.isPoisoned) this.oracle.mayBeCut(records, firstLsn, lsn, isDone);
    this.cursors.cut(lsn, isDone);
  }

  async #cursor(step: Extract<Step, { readonly name: string }>): Promise<void> {
    const { engine, state } = this.#log as EngineHarness;
    const { name } = step;
    const codes = ['RINGWAL_IO'];
    // What an earlier failure has kept from coming about is not there.
    if (this.fault.hits.length > 0)
      codes.push('RINGWAL_INVALID_ARGUMENT', 'RINGWAL_OUT_OF_RANGE', 'RINGWAL_TRUNCATED');
    if (step.do === 'cursor') {
      this.cursors.making(name);
      const outcome = await this.#call((async () => engine.cursors.position(name))(), codes);
      if ('value' in outcome) this.cursors.found(name, outcome.value);
    } else if (step.do === 'ack') {
      const lsn = state.durableLsn - step.back;
      this.cursors.moving(name, lsn);
      const outcome = await this.#call((async () => engine.cursors.ack(name, lsn))(), codes);
      if ('value' in outcome) this.cursors.moved(name, outcome.value);
    } else {
      this.cursors.deleting(name);
      const outcome = await this.#call((async () => engine.cursors.remove(name))(), codes);
      if ('value' in outcome) this.cursors.deleted(name);
    }
  }

  /** Runs rounds until `call` is settled; it may fail with these codes, or because the log has ended. */
  async #call<T>(call: Promise<T>, codes: readonly string[] = []): Promise<Outcome<T>> {
    let settled: Outcome<T> | undefined;
    void outcomeOf(call).then((outcome) => {
      settled = outcome;
    });
    await this.#rest(() => settled !== undefined);
    const outcome = settled ?? { error: new BrokenPromise('the call is not answered') };
    if ('error' in outcome) {
      const { error } = outcome;
      const isFine = isError(error, 'RINGWAL_POISONED')
        ? codeOf(error.cause) === this.#firstErrno
        : error instanceof RingwalError && codes.includes(error.code) && this.fault.hits.length > 0;
      if (!isFine) throw new BrokenPromise('a call failed in a way that it should not', { cause: error });
    }
    return outcome;
  }

  /** Commits everything published, also over a disk that is full for a while. */
  async #rest(isDone: () => boolean = () => true): Promise<void> {
    const log = this.#log as EngineHarness;
    let stuck = 0;
    for (let round = 0; round < PATIENCE; round++) {
      const outcome = log.engine.step();
      for (const n of PRODUCERS) log.producer(n).drain();
      if (outcome === 'failed') {
        for (const n of PRODUCERS) log.producer(n).fail();
        await log.engine.maintenanceIdle();
        const refusal = log.state.refusal();
        if (!isError(refusal, 'RINGWAL_POISONED') || codeOf(refusal.cause) !== this.#firstErrno)
          throw new BrokenPromise(`the log ended, and not with its first errno ${this.#firstErrno}`, {
            cause: refusal,
          });
        if (isDone()) return;
      } else if (outcome === 'no-segment') {
        stuck++;
        if (stuck === STUCK_AFTER) {
          if (!this.fault.isLasting || this.fault.isHealed)
            throw new BrokenPromise('wedged: no segment comes, and nothing fails any more');
          this.fault.heal();
        }
        await this.#retry();
      } else if (outcome === 'idle') {
        if (isDone()) return;
        await log.engine.maintenanceIdle();
      } else if (outcome === 'paused') await log.engine.maintenanceIdle();
    }
    throw new BrokenPromise('the log does not come to rest');
  }

  async #retry(): Promise<void> {
    await this.#log?.engine.maintenanceIdle();
    for (const resume of this.#pauses.splice(0)) resume();
    await Promise.resolve();
    await Promise.resolve();
    await this.#log?.engine.maintenanceIdle();
  }

  #nothingPends(): void {
    const waiting = PRODUCERS.filter((n) => (this.#log?.producer(n).inFlight ?? 0) > 0);
    if (waiting.length > 0 || this.oracle.unanswered > 0)
      throw new BrokenPromise(`${this.oracle.unanswered} appends are not answered (producers ${waiting})`);
  }

  #closedWith(error: unknown, before: number): void {
    const isFine = isError(error, 'RINGWAL_POISONED')
      ? codeOf(error.cause) === this.#firstErrno
      : this.fault.hits.slice(before).some(({ code }) => code === codeOf(error));
    if (!isFine) throw new BrokenPromise('closing failed in a way that it should not', { cause: error });
  }

  #report(problems: readonly string[]): void {
    if (problems.length > 0) throw new BrokenPromise(problems.join('\n'));
  }

  #payload(bytes: number): Uint8Array {
    return payloadOf(this.#payloads++, bytes);
  }
}

async function outcomeOf<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call };
  } catch (error) {
    return { error };
  }
}

function isError(error: unknown, code: string): error is RingwalError {
  return error instanceof RingwalError && error.code === code;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
