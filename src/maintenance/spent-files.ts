/**
 * spent-files: the files that the log needs no more: which are kept to be used again, and which are removed, when
 * that can be done.
 */
import type { CommitMetrics } from '../commit/commit-metrics.js';
import type { Environment } from '../environment.js';
import { inTurn } from '../storage/directory-turns.js';
import type { Storage } from '../storage/storage.js';

/** Files kept for reuse at most; more would be disk space held for nothing. */
const MAX_RECYCLABLE = 2;
/** Until removals that failed are tried again. */
const RETRY_MS = 250;
/** Files that can't be removed, after which no others are tried. */
const MOST_FAILURES = 8;

export interface SpentFilesOptions {
  readonly segmentBytes: number;
  readonly recycle: boolean;
  readonly environment: Environment;
}

export class SpentFiles {
  readonly #storage: Storage;
  readonly #metrics: CommitMetrics;
  readonly #options: SpentFilesOptions;
  readonly #kept: ReadonlySet<string>;
  #recyclable: string[] = [];
  #doomed: string[];
  #removeAgainUs = 0;
  /** Why files could not be removed at the last attempt; undefined once all of them are. */
  failure: unknown;

  /** `abandoned` are files to be removed first of all; those `kept` are evidence under a second name, never reused. */
  constructor(
    storage: Storage,
    start: { readonly abandoned: readonly string[]; readonly kept?: ReadonlySet<string> },
    metrics: CommitMetrics,
    options: SpentFilesOptions,
  ) {
    this.#storage = storage;
    this.#doomed = [...start.abandoned];
    this.#kept = start.kept ?? new Set();
    this.#metrics = metrics;
    this.#options = options;
  }

  /** Puts a file to its next use. */
  add(name: string, fileBytes: number): void {
    const { recycle, segmentBytes } = this.#options;
    const mayReuse = recycle && fileBytes === segmentBytes && !this.#kept.has(name);
    if (mayReuse && this.#recyclable.length < MAX_RECYCLABLE) this.#recyclable.push(name);
    else this.#doomed.push(name);
  }

  /** A file that is not for reuse, whatever is left of it. */
  doom(name: string): void {
    this.#doomed.push(name);
  }

  /** A file to be used again; it then belongs to the caller. */
  takeRecyclable(): string | undefined {
    return this.#recyclable.shift();
  }

  /** Whether removals that failed are due again. */
  get isRemovalDue(): boolean {
    return this.#doomed.length > 0 && this.#options.environment.monotonicUs() >= this.#removeAgainUs;
  }

  /**
   * Removes what is to be removed, oldest first. A file that can't be removed does not keep the others; when several
   * can't, the rest is for another time: on a file system that takes no changes there are more with every attempt.
   */
  remove(): Promise<void> {
    return inTurn(this.#storage, () => this.#remove());
  }

  async #remove(): Promise<void> {
    const doomed = this.#doomed;
    const failed: string[] = [];
    let failure: unknown;
    let tried = 0;
    for (const name of doomed) {
      if (failed.length === MOST_FAILURES) break;
      tried++;
      try {
        await this.#storage.unlink(name);
        this.#metrics.segmentsRemoved++;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        failed.push(name);
        failure = error;
      }
    }
    const removed = tried - failed.length;
    // Those that were added meanwhile are behind the ones that were there.
    this.#doomed = [...this.#doomed.slice(tried), ...failed];
    this.failure = failure;
    if (removed > 0) await this.#storage.syncDirectory();
    if (failure === undefined) return;
    this.#removeAgainUs = this.#options.environment.monotonicUs() + RETRY_MS * 1000;
    throw failure;
  }
}
