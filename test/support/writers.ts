/** writers: runs test/fixtures/witnessed-writer.mjs, one life after another in one directory, and checks each. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LogOptions } from '../../dist/src/index.js';
import type { Prng } from './prng.js';
import { BrokenPromise, Witness } from './witness.js';

const FIXTURE = fileURLToPath(new URL('../../test/fixtures/witnessed-writer.mjs', import.meta.url));
/** Longest life of a writer; one that takes longer hangs. */
const LIMIT_MS = 25_000;
/** The same where its end is what is tried. */
const ITSELF_LIMIT_MS = 10_000;

/** When a writer's life ends. */
export interface End {
  /** By its own SIGKILL, by what its listener does, or as any program: when it has closed the log. */
  readonly by: 'kill' | 'listener' | 'itself';
  /** After so many acknowledgements, and a moment more. */
  readonly acks?: number;
  readonly spinMs?: number;
  /** So many milliseconds after it begins to open the log. */
  readonly ms?: number;
  /** After so many operations at the latest; then it closes the log if told so. */
  readonly ops?: number;
  readonly isClosed?: boolean;
  /** How many calls are made at the same time. */
  readonly callers?: number;
  /** A planted bug: what is written only counts as acknowledged. */
  readonly isEarly?: boolean;
  /** Size of records instead of a random one. */
  readonly recordBytes?: number;
}

export interface Life {
  readonly end: End;
  /** Program and arguments that run the writer, such as strace. */
  readonly under?: readonly string[];
  /** When it hangs, if that is told sooner than by other lives. */
  readonly limitMs?: number;
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** File with the number of flushes so far, for the lines' stamps. */
  readonly counter?: string;
  /** Called when an `end` by the listener is due; the writer is killed when it is done. */
  readonly onEnd?: () => Promise<void>;
}

/** Small everything, so that a short life goes through rotation, truncation and fragments. */
export function optionsFrom(
  prng: Prng,
  syncModes: readonly NonNullable<LogOptions['syncMode']>[],
): LogOptions {
  return {
    segmentBytes: prng.pick([65_536, 131_072]),
    ringBytes: prng.pick([32_768, 65_536]),
    syncMode: prng.pick(syncModes),
    recycle: prng.chance(0.7),
    padGroups: prng.chance(0.2),
    recordChecksums: prng.chance(0.3),
  };
}

/** A random end: mostly in the midst of work, at times while the log is opened, at times when it has been closed. */
export function endFrom(prng: Prng, by: End['by']): End {
  const dice = prng.below(100);
  if (dice < 20) return { by, ms: prng.below(40) };
  if (dice < 32) return { by, ops: prng.between(1, 60), isClosed: true };
  return { by, acks: prng.between(1, 60), spinMs: prng.below(1500) / 1000 };
}

/** The lives of writers in one directory. */
export class Writers {
  readonly witness = new Witness();
  readonly #directory: string;
  readonly #witnessFile: string;
  readonly #options: LogOptions;
  readonly #prng: Prng;
  #lives = 0;
  #log: string[] = [];
  #didSystemLive = true;

  /** `lives`: how many there were before the first, of other Writers. */
  constructor(
    directory: string,
    witnessFile: string,
    options: LogOptions,
    prng: Prng,
    where = '',
    lives = 0,
  ) {
    this.#lives = lives;
    this.#log.push(where);
    this.#directory = directory;
    this.#witnessFile = witnessFile;
    this.#options = options;
    this.#prng = prng;
  }

  get lives(): number {
    return this.#lives;
  }

  /** All that is needed to see what happened. */
  get story(): string {
    return `${JSON.stringify(this.#options)} in ${this.#directory}\n${this.#log.join('\n')}`;
  }

  /** One life. Checks what its opening found against all lives before it; throws BrokenPromise with the story. */
  async live(life: Life): Promise<string[]> {
    rmSync(this.#witnessFile, { force: true });
    const seed = this.#prng.next();
    this.#log.push(
      `life ${this.#lives}: seed ${seed}, ${JSON.stringify(life.end)} ${life.under?.join(' ') ?? ''}`,
    );
    const job = {
      directory: this.#directory,
      witness: this.#witnessFile,
      counter: life.counter,
      seed,
      cycle: this.#lives++,
      options: this.#options,
      end: life.end,
    };
    const [program = process.execPath, ...before] = [...(life.under ?? []), process.execPath];
    const child = spawn(program, [...before, FIXTURE, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: life.under !== undefined,
      // strace counts the calls of each thread: so there is to be one that makes them.
      env: { ...process.env, ...(life.under === undefined ? {} : { UV_THREADPOOL_SIZE: '1' }), ...life.env },
    });
    const told = await ended(child, life);
    const lines = linesOf(this.#witnessFile);
    try {
      this.hear(lines, life.counter !== undefined);
      if (told !== '') throw new BrokenPromise(told);
    } catch (error) {
      if (!(error instanceof BrokenPromise)) throw error;
      throw new BrokenPromise(`${error.message}\n${this.story}`);
    }
    this.#didSystemLive = life.end.by === 'kill';
    return lines;
  }

  /** Takes in what a life has written down. */
  hear(lines: readonly string[], isStamped = false): void {
    const { witness } = this;
    // A writer that found less than all before it died has proven nothing; the next one opens the same log again.
    for (const line of lines) {
      const text = isStamped ? line.slice(line.indexOf(' ') + 1) : line;
      witness.hear(text);
      if (!text.startsWith('o ')) continue;
      const opening = witness.takeOpening();
      if (opening === undefined) continue;
      witness.check(opening, this.#didSystemLive);
      witness.begin(opening);
    }
    witness.takeOpening();
    // A disk that fails is no damage, and there is none.
    if (witness.failure?.startsWith('RINGWAL_CORRUPT')) throw new BrokenPromise(witness.failure);
  }
}

/** Waits for the end of a life. Resolves with what was wrong with it. */
async function ended(child: ChildProcess, life: Life): Promise<string> {
  let errors = '';
  let listening: Promise<void> | undefined;
  const kill = (): void => {
    if (child.pid === undefined) return;
    // Under strace it is the writer that must go; both are one process group.
    if (life.under !== undefined) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  };
  const closed = once(child, 'close');
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdout?.on('data', () => {
    listening ??= Promise.resolve(life.onEnd?.()).finally(kill);
  });
  const limitMs = life.limitMs ?? (life.end.by === 'itself' ? ITSELF_LIMIT_MS : LIMIT_MS);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, limitMs);
  const [code, signal] = (await closed) as [number | null, string | null];
  clearTimeout(timer);
  await listening;
  if (isLate) return `the writer was still alive after ${limitMs} ms`;
  // 3: the log could not be opened.
  if (life.end.by === 'itself' && (code === 0 || code === 3)) return '';
  if (code === 3 && life.end.by === 'listener' && listening !== undefined) return '';
  return signal === 'SIGKILL' || code === 137 ? '' : `the writer ended with ${signal ?? code}: ${errors}`;
}

/** Whole lines only: the last one may have been cut off. */
export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
