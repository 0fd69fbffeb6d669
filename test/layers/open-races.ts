/**
 * open-races: 2 to 8 processes open one directory at the same moment, again and again, while its owner is killed: one
 * gets it, the others are refused, and the log holds what the owners were told. Some live in network and PID
 * namespaces of their own, as containers do: all of those have the same PID.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from '../../dist/src/index.js';
import type { Prng } from '../support/prng.js';

const UNSHARE = ['unshare', '-n', '-p', '--fork', '--kill-child'];
const PATIENCE_MS = 30_000;
/** Races for one directory, one after the other. */
export const ROUNDS = 4;

/** Why there are no namespaces for tests here. */
export function lackingNamespaces(): string | undefined {
  try {
    execFileSync('unshare', [...UNSHARE.slice(1), 'true'], { stdio: 'ignore', timeout: 20_000 });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no unshare' : 'not allowed to unshare';
  }
}

interface Message {
  readonly pid?: number;
  readonly opened?: number;
  readonly refused?: string;
  readonly acked?: number;
  readonly text?: string;
  readonly closed?: boolean;
  readonly failed?: string;
}

/** One process, for many races. */
class Racer {
  readonly isApart: boolean;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #pid = 0;
  #isOver = false;
  /** Of the race at hand. */
  acked: [lsn: number, text: string][] = [];
  #messages: Message[] = [];
  #wake: () => void = () => {};

  constructor(isApart: boolean, workerUrl: string | undefined) {
    this.isApart = isApart;
    const program = [process.execPath, join(process.cwd(), 'test/fixtures/racer.mjs')];
    const [command = '', ...args] = isApart ? [...UNSHARE, ...program] : program;
    this.#child = spawn(command, args, {
      // unshare complains of signals that end it; the process inside tells by messages what is wrong.
      stdio: ['ignore', 'inherit', isApart ? 'ignore' : 'inherit', 'ipc'],
      env: { ...process.env, RINGWAL_TEST_WORKER: workerUrl ?? '' },
    });
    this.#exit = once(this.#child, 'exit');
    this.#child.on('message', (message: Message) => {
      if (message.pid !== undefined) this.#pid = message.pid;
      if (message.acked === undefined) this.#messages.push(message);
      else this.acked.push([message.acked, message.text ?? '']);
      this.#wake();
    });
    this.#child.once('exit', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  send(message: object): void {
    this.#child.send(message);
  }

  /** The next message, or the acknowledgement that makes it `acked`. */
  async next(acked = Number.POSITIVE_INFINITY): Promise<Message | undefined> {
    const start = performance.now();
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.acked.length >= acked) return undefined;
      if (this.#isOver) throw new Error('a racer has ended by itself');
      if (performance.now() - start > PATIENCE_MS) throw new Error('a racer does not answer');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async kill(): Promise<void> {
    if (this.#isOver) return;
    if (this.#pid > 0) process.kill(this.#pid, 'SIGKILL');
    else this.#child.kill('SIGKILL');
    await this.#exit; // unshare's comes when the process inside was reaped
  }
}

export interface RaceOptions {
  readonly prng: Prng;
  /** Whether some of the processes are in namespaces. */
  readonly isApart: boolean;
  /** The program of their I/O workers, relative to the fixtures. */
  readonly workerUrl?: string;
}

/** Processes that race, kept from one race to the next. */
export class RaceTrack {
  #idle: Racer[] = [];
  /** All that were started. */
  readonly #all: Racer[] = [];

  /** `ROUNDS` races for one new directory at `directory`. */
  async run(directory: string, { prng, isApart, workerUrl }: RaceOptions): Promise<void> {
    mkdirSync(directory);
    const told = new Map<number, string>();
    const exact: (number | undefined)[] = [];
    const log: string[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const count = prng.between(2, 8);
        const apart = isApart ? prng.between(1, count) : 0;
        const racers = await this.#take(count, apart, workerUrl);
        for (const racer of racers) {
          racer.acked = [];
          racer.send({ directory, label: `round ${round}` });
        }
        const answers = await Promise.all(racers.map((racer) => racer.next()));
        log.push(`${count} (${apart} apart): ${answers.map((answer) => JSON.stringify(answer))}`);
        const winners = racers.filter((_, i) => answers[i]?.opened !== undefined);
        const others = answers.filter((answer) => answer?.opened === undefined);
        if (winners.length !== 1)
          throw new Error(`${winners.length} of ${count} processes opened the directory`);
        for (const other of others)
          if (other?.refused !== 'RINGWAL_LOCKED') throw new Error(`refused with ${JSON.stringify(other)}`);
        const winner = winners[0] as Racer;
        const failed = await winner.next(prng.between(0, 30));
        if (failed !== undefined) throw new Error(`the owner: ${JSON.stringify(failed)}`);
        if (prng.chance(0.7)) {
          log.push('kill -9');
          await winner.kill();
          exact.push(undefined);
          this.#idle.push(...racers.filter((racer) => racer !== winner));
        } else {
          log.push('close');
          winner.send({ close: true });
          const last = await winner.next();
          if (last?.closed !== true) throw new Error(`closing: ${JSON.stringify(last)}`);
          exact.push(winner.acked.length);
          this.#idle.push(...racers);
        }
        for (const [lsn, text] of winner.acked) {
          if (told.has(lsn)) throw new Error(`LSN ${lsn} was told twice: ${told.get(lsn)}, ${text}`);
          told.set(lsn, text);
        }
      }
      await check(directory, told, exact);
      rmSync(directory, { recursive: true });
    } catch (error) {
      throw new Error(`${error}\n--- the races for ${directory}\n${log.join('\n')}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((racer) => racer.kill())); // those too whose race has failed
  }

  async #take(count: number, apart: number, workerUrl: string | undefined): Promise<Racer[]> {
    const taken: Racer[] = [];
    for (let i = 0; i < count; i++) {
      const at = this.#idle.findIndex((racer) => racer.isApart === i < apart);
      const racer = at < 0 ? new Racer(i < apart, workerUrl) : this.#idle.splice(at, 1)[0];
      if (racer === undefined) continue;
      taken.push(racer);
      if (at >= 0) continue;
      this.#all.push(racer);
      await racer.next(); // it has started
    }
    return taken;
  }
}

/** The log holds, in the order of the rounds, what each owner appended from its first on; all of it if it closed. */
async function check(
  directory: string,
  told: ReadonlyMap<number, string>,
  exact: readonly (number | undefined)[],
): Promise<void> {
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 16_384 });
  try {
    const found = new Map<number, string>();
    const counts = exact.map(() => 0);
    let last = 0;
    for await (const { lsn, payload } of log.read()) {
      const text = Buffer.from(payload).toString();
      const [, round, i] = text.split(' ').map(Number);
      if (lsn !== found.size + 1) throw new Error(`LSN ${lsn} comes behind ${found.size}`);
      if (round === undefined || i === undefined || round < last || i !== counts[round])
        throw new Error(`LSN ${lsn} is ${text}, out of order`);
      last = round;
      counts[round] = i + 1;
      found.set(lsn, text);
    }
    for (const [lsn, text] of told)
      if (found.get(lsn) !== text) throw new Error(`LSN ${lsn} was told as ${text} and is ${found.get(lsn)}`);
    for (const [round, count] of exact.entries())
      if (count !== undefined && count !== counts[round])
        throw new Error(`round ${round} has ${counts[round]} records, and told ${count}`);
  } finally {
    await log.close();
  }
}
