/** fleet: the primary's part: keeps so many workers running, each with a log directory of its own. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The environment variable by which a worker is told its directory. */
export const directoryVariable = 'LOG_DIRECTORY';

/** What the workers append, as JSON. */
export interface Stamped {
  /** Milliseconds since 1970. LSNs order the records of one log; this orders those of several, as well as clocks do. */
  readonly at: number;
  readonly text: string;
}

export class Fleet {
  /** The log directories: they stay, while workers come and go. */
  readonly directories: readonly string[];
  readonly #workers = new Map<string, Worker>();
  readonly #starting = new Set<Promise<void>>();
  readonly #onError: (error: Error) => void;
  #port = 0;
  #isEnding = false;

  private constructor(directory: string, count: number, onError: (error: Error) => void) {
    this.directories = Array.from({ length: count }, (_, i) => join(directory, `worker-${i}`));
    this.#onError = onError;
  }

  /** Resolves when all workers listen. `onError` hears of one that could not be replaced: the others go on without it. */
  static async start(directory: string, count: number, onError: (error: Error) => void): Promise<Fleet> {
    cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker.js', import.meta.url)), args: [] });
    const fleet = new Fleet(directory, count, onError);
    await Promise.all(fleet.directories.map((own) => fleet.#fork(own)));
    return fleet;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The process that has the log in `directory` open, or is about to open it. */
  workerOf(directory: string): Worker | undefined {
    return this.#workers.get(directory);
  }

  /** A worker for `directory`. Resolves when it listens; when it ends from then on, another one takes over. */
  async #fork(directory: string): Promise<void> {
    const worker = cluster.fork({ [directoryVariable]: directory });
    this.#workers.set(directory, worker);
    const exited = once(worker, 'exit');
    const failed = exited.then(([code, signal]) => {
      throw new Error(`The worker of ${directory} ended with ${signal ?? code} before it listened.`);
    });
    const [{ port }] = (await Promise.race([once(worker, 'message'), failed])) as [{ readonly port: number }];
    this.#port = port;
    failed.catch(() => !this.#isEnding && this.#replace(directory));
  }

  #replace(directory: string): void {
    const starting = this.#fork(directory)
      .catch(this.#onError)
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  /** Lets the workers answer what they have, close their logs and end. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#starting);
    const workers = [...this.#workers.values()].filter((worker) => !worker.isDead());
    await Promise.all(
      workers.map(async (worker) => {
        const exited = once(worker, 'exit');
        worker.disconnect();
        await exited;
      }),
    );
  }
}
