/**
 * event-store: commands become events: decide on what the log says, append on condition that it still says so.
 *
 *   execute -> waiting commands -> decide all of them, one after the other, each on what those before it did
 *           -> one batch with `expectedLsn`: the LSN behind what was decided upon
 *              durable:          apply, answer all
 *              RINGWAL_CONFLICT: another thread was first; read what it did, decide all of them anew
 *
 * `expectedLsn` is about the log, not about one account: what is decided is right whichever accounts it looks at, and
 * versions of accounts need no index on disk. One batch is under way per thread. A second one behind it could get the
 * LSN that it expects although the first was refused, and so be built on events that do not exist.
 */
import type { LogAppender } from 'ringwal';
import { type Account, after, type BankEvent, type Decision, type Fact } from './account.js';
import { encodeEvent } from './codec.js';
import { BankError } from './errors.js';
import { Ledger, newestSnapshot } from './ledger.js';

/** Commands that are decided together at most. */
const MAX_TOGETHER = 256;

export interface Executed {
  /** The account as the command has left it. */
  readonly account: Account;
  /** LSN of the command's last event; of the last one before it when it made none. */
  readonly lsn: number;
}

export interface ExecuteOptions {
  /** Version that the account must have; else BANK_VERSION_CONFLICT. By default it is not checked. */
  expectedVersion?: number;
}

interface Command {
  readonly account: string;
  readonly decide: Decision;
  readonly expectedVersion: number | undefined;
  readonly resolve: (executed: Executed) => void;
  readonly reject: (error: unknown) => void;
}

interface Decided {
  readonly command: Command;
  readonly account: Account;
  /** How many events of the batch come up to and with this command's. */
  readonly until: number;
}

export class EventStore {
  readonly #log: LogAppender;
  #ledger: Ledger;
  #waiting: Command[] = [];
  #isPumping = false;
  #conflicts = 0;

  /** Reads the newest snapshot and what comes behind it. `log` may be one that was attached, on any thread. */
  static async open(log: LogAppender): Promise<EventStore> {
    const store = new EventStore(log, new Ledger());
    await store.#reload();
    return store;
  }

  private constructor(log: LogAppender, ledger: Ledger) {
    this.#log = log;
    this.#ledger = ledger;
  }

  /** The log up to what this thread has seen; durable. `refresh` reads on. */
  get ledger(): Pick<Ledger, 'get' | 'all' | 'upTo' | 'snapshot'> {
    return this.#ledger;
  }

  /** How often another thread was first. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /**
   * Has `decide` say what happens to the account; resolves once that is durable. `decide` may be called more than once,
   * each time on a newer state. Rejects with what it throws, with BANK_VERSION_CONFLICT, and as `append` does.
   */
  execute(account: string, decide: Decision, { expectedVersion }: ExecuteOptions = {}): Promise<Executed> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ account, decide, expectedVersion, resolve, reject });
      if (!this.#isPumping) this.#pump();
    });
  }

  /** Reads what other threads have appended: a command that wants nothing, so that commands and it take turns. */
  async refresh(): Promise<void> {
    await this.execute('', () => []);
  }

  /** Never rejects: each command hears of its own failure. */
  async #pump(): Promise<void> {
    this.#isPumping = true;
    let most = MAX_TOGETHER;
    while (this.#waiting.length > 0) {
      const commands = this.#waiting.splice(0, most);
      try {
        await this.#settle(commands);
      } catch (error) {
        most = Math.ceil(commands.length / 2);
        if (codeOf(error) === 'RINGWAL_TOO_LARGE' && commands.length > 1) this.#waiting.unshift(...commands);
        else for (const { reject } of commands) reject(error);
      }
    }
    this.#isPumping = false;
  }

  async #settle(commands: readonly Command[]): Promise<void> {
    for (;;) {
      await this.#catchUp();
      const { upTo } = this.#ledger;
      const { events, decided, refused } = this.#decideAll(commands);
      const isDone = events.length === 0 || (await this.#appended(events, upTo + 1));
      if (!isDone) continue;
      for (const [i, event] of events.entries()) this.#ledger.apply(upTo + 1 + i, event);
      // Also a refusal is answered only now: it may rest on events of commands before it.
      for (const { command, error } of refused) command.reject(error);
      for (const { command, account, until } of decided) command.resolve({ account, lsn: upTo + until });
      return;
    }
  }

  #decideAll(commands: readonly Command[]) {
    const events: BankEvent[] = [];
    const decided: Decided[] = [];
    const refused: { readonly command: Command; readonly error: unknown }[] = [];
    const touched = new Map<string, Account>();
    for (const command of commands) {
      let account = touched.get(command.account) ?? this.#ledger.get(command.account);
      let facts: readonly Fact[];
      try {
        checkVersion(account, command.expectedVersion);
        facts = command.decide(account);
      } catch (error) {
        refused.push({ command, error });
        continue;
      }
      for (const fact of facts) {
        events.push({ ...fact, account: account.id, version: account.version + 1 });
        account = after(account, fact);
      }
      touched.set(account.id, account);
      decided.push({ command, account, until: events.length });
    }
    return { events, decided, refused };
  }

  /** Whether the events are in the log, from `expectedLsn` on; false: another thread's record is there. */
  async #appended(events: readonly BankEvent[], expectedLsn: number): Promise<boolean> {
    try {
      await this.#log.appendBatch(events.map(encodeEvent), { expectedLsn });
      return true;
    } catch (error) {
      if (codeOf(error) !== 'RINGWAL_CONFLICT') throw error;
      this.#conflicts++;
      // What was first may not be durable yet, and only what is can be read.
      await this.#log.waitForDurable(expectedLsn);
      return false;
    }
  }

  async #catchUp(): Promise<void> {
    try {
      await this.#ledger.readOn(this.#log, this.#log.durableLsn);
    } catch (error) {
      // A snapshot was taken and what is before it truncated since this thread looked last.
      if (codeOf(error) !== 'RINGWAL_TRUNCATED') throw error;
      await this.#reload();
    }
  }

  async #reload(): Promise<void> {
    for (;;) {
      try {
        const ledger = await newestSnapshot(this.#log);
        await ledger.readOn(this.#log, this.#log.durableLsn);
        this.#ledger = ledger;
        return;
      } catch (error) {
        if (codeOf(error) !== 'RINGWAL_TRUNCATED') throw error; // there is a newer snapshot already
      }
    }
  }
}

function checkVersion({ id, version }: Account, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  throw new BankError('BANK_VERSION_CONFLICT', `Account ${id} has version ${version}, not ${expected}.`);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
