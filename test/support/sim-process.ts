/**
 * sim-process: one process of a scenario: an engine, three callers, and the calls that are under way; every answer is held
 * against what was promised. It does nothing by itself: see sim-scheduler.
 */
import type { Frame, SubmissionTerms } from '../../dist/src/append/submission.js';
import type { LogEngine } from '../../dist/src/engine/log-engine.js';
import { RingwalError, type RingwalErrorCode } from '../../dist/src/errors.js';
import { frameBytes, RECORD_CHECKPOINT, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { recordFlags } from '../../dist/src/options.js';
import { CHECKPOINT } from '../../dist/src/ring/layout.js';
import { CLOSED, CLOSING, type LogState, POISONED } from '../../dist/src/ring/log-state.js';
import { RingTransaction, type Transaction } from '../../dist/src/transaction/transaction.js';
import { payloadOf } from './engine-harness.js';
import { expecting, HarnessProducer, unsynced } from './harness-producer.js';
import { isGroupOperation } from './io-faults.js';
import type { Action } from './scenario.js';
import { type SimState, type SimWorld, said } from './sim-world.js';

export const PRODUCERS = [0, 1, 2];

export class SimProcess {
  readonly world: SimWorld;
  readonly engine: LogEngine;
  readonly state: LogState;
  readonly producers: readonly HarnessProducer[];
  readonly #transactions: (Transaction | undefined)[] = [];
  /** Calls that were not answered yet; tails and reads are among them. */
  readonly #calls = new Map<symbol, string>();
  readonly #waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];
  readonly #busyCursors = new Set<string>();
  #cutBehind: number | undefined;
  #isOver = false;

  constructor(world: SimWorld, engine: LogEngine, state: SimState) {
    this.world = world;
    this.engine = engine;
    this.state = state;
    state.onCut = (lsn) => this.#wasCut(lsn);
    const { options, oracle, ringCount: count } = world;
    const settings = { count, publishes: false };
    this.producers = PRODUCERS.map((n) => new HarnessProducer(engine, state, options, oracle, n, settings));
    world.machine.onHit = (operation) => {
      if (!isGroupOperation(operation) || this.#isOver) return;
      oracle.ceiling ??= { durable: state.durableLsn, written: state.lastLsn };
    };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What it still says does not count: the machine has stopped under it, or it is over. */
  get hasStopped(): boolean {
    return this.#isOver || this.world.machine.isCrashed;
  }

  get isClosed(): boolean {
    return this.state.state === CLOSED;
  }

  /** A cut is under way. */
  get isBeingCut(): boolean {
    return this.#cutBehind !== undefined;
  }

  /** The machine, or the process, has stopped. */
  end(drains: boolean): void {
    // Of a log that is being cut the oracle must know what was answered: what may be left of it is told by that.
    if (drains || this.isBeingCut) for (const producer of this.producers) producer.drain();
    this.#isOver = true;
    const { history, oracle, cursors } = this.world;
    if (this.#cutBehind !== undefined) {
      history.cut(this.#cutBehind, false);
      oracle.wasBeingCut(this.#cutBehind);
      cursors.cut(this.#cutBehind, false);
    }
  }

  /** Resolves at the first look at which `isDone()` is true. */
  until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isDone, resolve });
    });
  }

  /** Waits for a call's answer without holding anything up; it may fail with these codes, or because the log ended. */
  call<T>(
    what: string,
    call: () => Promise<T>,
    codes: readonly RingwalErrorCode[] = [],
  ): Promise<T | undefined> {
    const key = Symbol(what);
    this.#calls.set(key, what);
    const started = (async () => call())();
    return started.then(
      (value) => {
        this.#calls.delete(key);
        return this.hasStopped ? undefined : value;
      },
      (error: unknown) => {
        this.#calls.delete(key);
        if (!this.hasStopped && !this.#isFine(error, codes))
          this.blame(new Error(`${what} failed as it should not: ${said(error)}`, { cause: error }));
        return undefined;
      },
    );
  }

  blame(error: unknown): void {
    if (!this.hasStopped) this.world.failure ??= error;
  }

  #isFine(error: unknown, codes: readonly RingwalErrorCode[]): boolean {
    if (!(error instanceof RingwalError)) return false;
    const hasFailed = this.world.machine.hits.length > 0;
    if (error.code === 'RINGWAL_POISONED') return hasFailed && this.state.state === POISONED;
    if (error.code === 'RINGWAL_CLOSED') return this.state.state >= CLOSING;
    return codes.includes(error.code) || (error.code === 'RINGWAL_IO' && hasFailed);
  }

  append({ producer, bytes, os, ahead, checkpoint }: Extract<Action, { do: 'append' }>): void {
    const { options } = this.world;
    const type = checkpoint === true ? RECORD_CHECKPOINT : RECORD_FULL;
    const flags = recordFlags(options);
    let room = options.maxGroupBytes;
    const frames: Frame[] = [];
    for (const size of bytes.slice(0, options.maxGroupRecords)) {
      room -= frameBytes(size, flags);
      if (room >= 0) frames.push({ type, flags, payload: this.payload(size) });
    }
    const terms: SubmissionTerms =
      ahead !== undefined
        ? expecting(Math.max(1, this.state.durableLsn + ahead))
        : checkpoint === true
          ? { chunkFlags: CHECKPOINT }
          : os === true
            ? unsynced
            : {};
    this.#ask('append', producer, (ring) => ring.submit(frames, terms), ['RINGWAL_CONFLICT']);
  }

  large(producer: number, bytes: number): void {
    const { options } = this.world;
    const payload = this.payload(Math.max(bytes, options.maxGroupBytes + 1)); // smaller ones are never in fragments
    const frame = { type: RECORD_FULL, flags: recordFlags(options), payload };
    this.#ask('large append', producer, (ring) => ring.submitLarge(frame, {}));
  }

  sync(producer: number): void {
    this.#ask('sync', producer, (ring) => ring.sync());
  }

  #ask(
    what: string,
    producer: number,
    ask: (ring: HarnessProducer) => Promise<unknown>,
    codes?: readonly RingwalErrorCode[],
  ): void {
    if (this.state.refusal() !== undefined) return;
    void this.call(what, () => ask(this.producers[producer] as HarnessProducer), codes);
  }

  transaction(action: 'begin' | 'commitTx' | 'abortTx', producer: number): void {
    const open = this.#transactions[producer];
    if (action === 'begin') {
      if (this.state.refusal() !== undefined) return;
      const ring = this.producers[producer] as HarnessProducer;
      const terms = { ...this.world.options, refusesLate: false };
      this.#transactions[producer] = new RingTransaction(ring, this.state, terms, new Set());
      return;
    }
    this.#transactions[producer] = undefined;
    const codes: RingwalErrorCode[] = ['RINGWAL_TRANSACTION_ABORTED'];
    if (open === undefined) return;
    void this.call(
      action,
      (): Promise<unknown> => (action === 'commitTx' ? open.commit() : open.abort()),
      codes,
    );
  }

  appendTo(producer: number, bytes: number): void {
    const open = this.#transactions[producer];
    if (open === undefined) return;
    void this.call('append to a transaction', () => open.append(this.payload(bytes)), [
      'RINGWAL_TRANSACTION_ABORTED',
    ]);
  }

  rotate(): void {
    void this.call('rotate', () => this.engine.rotate());
  }

  mark(): void {
    void this.call('mark', () => this.engine.mark());
  }

  truncate(lsn: number, how: 'before' | 'force' | { readonly segment: number }): void {
    const { oracle, cursors } = this.world;
    if (this.isBeingCut) return;
    oracle.truncating(lsn);
    if (how === 'force') {
      this.world.forced = Math.max(this.world.forced, lsn);
      cursors.cut(0, false);
    }
    const call =
      typeof how === 'string'
        ? () => this.engine.truncateBefore(lsn, how === 'force')
        : () => this.engine.gcBefore(how.segment);
    void this.call('truncate', call).then((first) => {
      if (first !== undefined) oracle.truncated(first);
    });
  }

  cut(lsn: number): void {
    const { oracle, history, cursors } = this.world;
    if (this.isBeingCut || this.state.refusal() !== undefined) return;
    this.#cutBehind = lsn;
    void this.call('cut', () => this.engine.truncateAfter(lsn), [
      'RINGWAL_OUT_OF_RANGE',
      'RINGWAL_BUSY',
    ]).then(() => {
      if (this.hasStopped) return;
      cursors.cut(lsn, false); // they are set back first
      const isPoisoned = this.state.state === POISONED;
      if (this.isBeingCut && isPoisoned) {
        for (const producer of this.producers) producer.drain(); // answers that were on their way
        oracle.wasBeingCut(lsn);
        history.cut(lsn, false);
      }
      if (!isPoisoned) oracle.ceiling = undefined; // what failed was not the log
      this.#cutBehind = undefined;
    });
  }

  /** The cut is in effect. What was acknowledged before had LSNs that are given anew from now on. */
  #wasCut(lsn: number): void {
    const { oracle, history, cursors } = this.world;
    for (const producer of this.producers) producer.drain();
    oracle.cut(lsn);
    history.cut(lsn, true);
    cursors.cut(lsn, true);
    this.#cutBehind = undefined;
  }

  cursor(action: 'cursor' | 'deleteCursor' | 'ack', name: string, back = 0): void {
    const { cursors } = this.world;
    if (this.#busyCursors.has(name) || this.state.refusal() !== undefined) return;
    this.#busyCursors.add(name);
    const codes: RingwalErrorCode[] = [
      'RINGWAL_INVALID_ARGUMENT',
      'RINGWAL_OUT_OF_RANGE',
      'RINGWAL_TRUNCATED',
    ];
    const done = <T>(call: Promise<T | undefined>, then: (value: T) => void): void => {
      void call.then((value) => {
        this.#busyCursors.delete(name);
        if (value !== undefined && !this.hasStopped) this.attempt(() => then(value));
      });
    };
    if (action === 'cursor') {
      cursors.making(name);
      done(
        this.call('cursor', () => this.engine.cursors.position(name)),
        (at) => {
          cursors.found(name, at);
          // Left by an attempt to make it that was refused: it held nothing back then, and was overtaken.
          if (at + 1 < this.state.firstLsn)
            this.world.forced = Math.max(this.world.forced, this.state.firstLsn);
        },
      );
    } else if (action === 'ack') {
      const lsn = Math.max(0, this.state.durableLsn - back);
      cursors.moving(name, lsn);
      const ack = this.call('ack', () => this.engine.cursors.ack(name, lsn), codes);
      done(ack, (at) => cursors.moved(name, at));
    } else {
      cursors.deleting(name);
      const remove = async (): Promise<true> => {
        await this.engine.cursors.remove(name);
        return true;
      };
      // Of one that is not there nothing is changed; a removal that had failed in an earlier process of the same boot,
      // and is seen in the page cache alone, is not made durable by that. (Known, and not promised.)
      const isThere = this.engine.cursors.list().some((cursor) => cursor.name === name);
      done(this.call('delete cursor', remove), () => {
        if (isThere) cursors.deleted(name);
      });
    }
  }

  attempt(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.blame(error);
    }
  }

  drain(producer: number): void {
    this.producers[producer]?.drain();
    if (this.state.state === POISONED) this.producers[producer]?.fail();
  }

  /** A step of the I/O worker. */
  step(): ReturnType<LogEngine['step']> {
    if (this.state.state > CLOSING) return 'failed';
    return this.engine.step();
  }

  /** Calls that are under way. */
  get pending(): string[] {
    return [...this.#calls.values()];
  }

  /** Appends that are under way. */
  get inFlight(): number {
    return this.producers.reduce((sum, producer) => sum + producer.inFlight, 0);
  }

  /** Looks for what `until` waits for. */
  notify(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.isDone()) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }

  payload(bytes: number): Uint8Array {
    return payloadOf(this.world.payloads++, bytes);
  }
}
