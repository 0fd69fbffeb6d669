/**
 * commit-loop: what the I/O worker does all day: look for published chunks, commit them as groups, sleep.
 *
 * `step` is one round without waiting; `run` repeats it and waits in between. Behind a group the worker first
 * takes a nap (nap.ts), and does so at once: a wake-up from `Atomics.wait` takes 10 us less than one through the event
 * loop. Then it sleeps in `Atomics.waitAsync`, and the event loop serves control calls and maintenance. Who makes
 * a control call rings, and the event loop turns then, also under load. Without a call it turns there every eight
 * milliseconds, or every one while maintenance is under way.
 */
import type { Environment } from '../environment.js';
import { ClosedError, RingwalError, WorkerDiedError } from '../errors.js';
import { parkAsync, parkBlocking, wake } from '../ring/doorbell.js';
import { CLOSING, DEAD, type LogState, OPEN, WORKER_DOORBELL } from '../ring/log-state.js';
import { CommitWindow } from './commit-window.js';
import type { GroupBuilder, GroupLimits } from './group-builder.js';
import type { LogWriter } from './log-writer.js';
import { Nap } from './nap.js';

/** How long the event loop may be kept from turning: while maintenance is under way, and else. */
const BUSY_TURN_US = 1000;
const TURN_US = 8000;
/** Idle time after which a MARK says that the last group was durable. */
const IDLE_MARK_US = 50_000;
/** No sleep is longer than this, so that a lost wake-up could delay, but never hang. */
const LONGEST_SLEEP_MS = 1000;

/** A control operation between two groups. It is tried again, once there is a spare, when it returns undefined. */
interface Request {
  readonly attempt: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How a round ended: a group was committed, nothing is to do, no segment has room, a window is open, or the loop is
 * to stand still.
 */
export type StepOutcome =
  | 'committed'
  | 'idle'
  | 'no-segment'
  | 'failed'
  | 'paused'
  | { readonly windowUs: number };

export interface CommitLoopOptions {
  readonly windowUs: number;
  readonly limits: GroupLimits;
  readonly environment: Environment;
  /** Called whenever the event loop has turned; returns whether there is more for it to do soon. */
  readonly onTurn: () => boolean;
  /** Whether a segment that is waited for is not to be expected soon: the disk is full. */
  readonly isStuck: () => boolean;
  /** Called once, when a write or sync failed. The loop has ended then. */
  readonly onFailure: (error: unknown) => void;
}

export class CommitLoop {
  readonly #writer: LogWriter;
  readonly #group: GroupBuilder;
  readonly #state: LogState;
  readonly #options: CommitLoopOptions;
  readonly #window: CommitWindow;
  readonly #nap: Nap;
  #requests: Request[] = [];
  #paused = false;
  /** Whether the last group found no segment with room, and not a request alone. */
  #lacksRoom = false;
  /** Ends the wait for a segment. */
  #resume: () => void = () => {};
  /** Last LSN that a MARK covers, or that was durable at open. */
  #markedLsn: number;
  /** When a mark was last tried. */
  #markTriedUs = Number.NEGATIVE_INFINITY;
  #turnedUs: number;
  /** Whether maintenance is under way, as of the last turn. */
  #isBusy = true;
  /** Why requests are refused, once the loop has ended. */
  #ended: { readonly error: unknown } | undefined;

  constructor(writer: LogWriter, group: GroupBuilder, state: LogState, options: CommitLoopOptions) {
    this.#writer = writer;
    this.#group = group;
    this.#state = state;
    this.#options = options;
    this.#window = new CommitWindow(options.windowUs, options.limits);
    this.#nap = new Nap(state.words, WORKER_DOORBELL, options.environment.monotonicUs);
    this.#markedLsn = writer.lastLsn;
    this.#turnedUs = options.environment.monotonicUs();
  }

  /**
   * Runs `attempt` between two groups and resolves with what it returns. A RingwalError that it throws
   * rejects the call; any other failed a write or sync, and ends the loop.
   */
  request<T>(attempt: () => T | undefined): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended.error);
    return new Promise<T>((resolve, reject) => {
      this.#requests.push({ attempt, resolve: resolve as (value: unknown) => void, reject });
      this.wake();
    });
  }

  /** Resolves between two groups; none is committed, and no request runs, until `resume`. */
  async pause(): Promise<void> {
    await this.request(() => {
      this.#paused = true;
      return 'paused';
    });
  }

  /** Goes on, or, with the error of a write or sync that failed meanwhile, ends. */
  resume(error?: unknown): void {
    this.#paused = false;
    this.#markedLsn = -1; // the end of the log may be another one, and is proven by no MARK yet
    if (error !== undefined) this.#fail(error);
    this.wake();
  }

  /** Ends a sleep of the loop, which must be in its event loop, as the caller is on the same thread. */
  wake(): void {
    this.#resume();
    wake(this.#state.words, WORKER_DOORBELL);
  }

  /**
   * Runs until the log is closing and everything published is durable (or, without a segment to write it to,
   * given up), or until a write or sync fails.
   */
  async run(): Promise<void> {
    for (;;) {
      const outcome = this.step();
      if (outcome === 'failed') return;
      const isStuck = outcome === 'no-segment' && this.#options.isStuck();
      this.#state.setStalled(isStuck && this.#lacksRoom);
      const { state } = this.#state;
      // Declared dead by a thread whose port closed: all are told so, and nobody is left to commit for.
      if (state === DEAD) return this.#end(new WorkerDiedError());
      if (state === CLOSING && (outcome === 'idle' || isStuck)) return this.#end(new ClosedError());
      if (outcome === 'no-segment' && !this.#lacksRoom) await this.#chunksOrSegment();
      else if (outcome === 'no-segment' || outcome === 'paused') await this.#nextSegment();
      else if (outcome === 'idle') await this.#sleep();
      else if (outcome !== 'committed') this.#sleepInWindow(outcome.windowUs);
      const turnAfterUs = this.#isBusy ? BUSY_TURN_US : TURN_US;
      if (this.#state.isCalled) await this.#hear();
      else if (this.#options.environment.monotonicUs() - this.#turnedUs > turnAfterUs) await this.#turn();
      else if (outcome === 'committed') this.#nap.take(this.#hasWork);
    }
  }

  /** Resolves at the next `wake`. The caller has not given way to the event loop since it found no segment. */
  #nextSegment(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /**
   * While requests alone wait for a segment: resolves at the next `wake`, and when there are chunks, for which the active
   * segment may have room. Not for another state: who closes the log wakes, and until there is a segment this must not spin.
   */
  async #chunksOrSegment(): Promise<void> {
    await parkAsync(this.#state.words, WORKER_DOORBELL, LONGEST_SLEEP_MS, () => this.#group.hasChunks()); // R4
  }

  /** One round: the requests that wait, and one group. */
  step(): StepOutcome {
    if (this.#ended) return 'failed';
    if (this.#paused) return 'paused';
    try {
      if (this.#requests.length > 0)
        this.#requests = this.#requests.filter((request) => this.#paused || !this.#settle(request));
      if (this.#paused) return 'paused';
      const outcome = this.#commit();
      this.#lacksRoom = outcome === 'no-segment';
      return outcome === 'idle' && this.#requests.length > 0 ? 'no-segment' : outcome;
    } catch (error) {
      this.#fail(error);
      return 'failed';
    }
  }

  #fail(error: unknown): void {
    this.#end(error);
    this.#options.onFailure(error);
  }

  #end(error: unknown): void {
    this.#ended = { error };
    for (const request of this.#requests) request.reject(error);
    this.#requests = [];
  }

  /** Tries a request; returns whether it is done with. */
  #settle(request: Request): boolean {
    try {
      const value = request.attempt();
      if (value === undefined) return false;
      request.resolve(value);
      return true;
    } catch (error) {
      if (!(error instanceof RingwalError)) throw error;
      request.reject(error);
      return true;
    }
  }

  #commit(): StepOutcome {
    const { windowUs, environment } = this.#options;
    if (windowUs > 0) {
      if (!this.#group.hasChunks()) return 'idle';
      const hurried = this.#state.isHurried || this.#state.state !== OPEN;
      const remainingUs = this.#window.remainingUs(environment.monotonicUs(), this.#group.pending(), hurried);
      if (remainingUs > 0) return { windowUs: remainingUs };
      // Cleared before the chunks are taken: a `hurry` that comes later may be for chunks that are not seen here.
      this.#state.takeHurry();
    }
    const outcome = this.#writer.commit(this.#group);
    if (outcome === 'committed' && windowUs > 0) {
      this.#window.close();
      if (this.#group.leftOver) this.#state.hurry(); // the rest has waited long enough
    }
    return outcome;
  }

  readonly #hasWork = (): boolean =>
    this.#group.hasChunks() ||
    this.#requests.length > 0 ||
    this.#state.isCalled ||
    this.#state.state !== OPEN;

  async #sleep(): Promise<void> {
    const { environment } = this.#options;
    const { words } = this.#state;
    const sinceUs = environment.monotonicUs();
    while (!this.#hasWork()) {
      let sleepMs = LONGEST_SLEEP_MS;
      if (this.#writer.lastLsn !== this.#markedLsn) {
        const nowUs = environment.monotonicUs();
        const markInUs = Math.max(sinceUs, this.#markTriedUs) + IDLE_MARK_US - nowUs;
        if (markInUs <= 0) {
          this.#markTriedUs = nowUs;
          this.#requests.push({ attempt: this.idleMark, resolve: () => {}, reject: () => {} });
          return;
        }
        sleepMs = Math.min(sleepMs, Math.ceil(markInUs / 1000));
      }
      await parkAsync(words, WORKER_DOORBELL, sleepMs, this.#hasWork);
      await this.#turn();
    }
  }

  /** Proves the last group durable, now or, when that needs a segment that is not there, after another while. */
  readonly idleMark = (): true => {
    if (this.#writer.idleMark(this.#group.openLsn)) this.#markedLsn = this.#writer.lastLsn;
    return true;
  };

  #sleepInWindow(windowUs: number): void {
    const seen = this.#group.pending().bytes;
    parkBlocking(this.#state.words, WORKER_DOORBELL, windowUs / 1000, () => {
      const { isHurried, isCalled, state } = this.#state;
      return isHurried || isCalled || state !== OPEN || this.#group.pending().bytes !== seen;
    });
  }

  /** Hears the ports. A turn that is asked for while they are heard ends before they are heard again, so it takes two. */
  async #hear(): Promise<void> {
    this.#state.takeCall();
    await this.#turn();
    await this.#turn();
  }

  /** Lets the event loop turn: control calls, finished file operations, closed ports. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#turnedUs = this.#options.environment.monotonicUs();
        this.#writer.tally();
        this.#isBusy = this.#options.onTurn();
        resolve();
      });
    });
  }
}
