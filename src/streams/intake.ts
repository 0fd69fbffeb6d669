/**
 * intake: the appends of one stream that are under way, and the first that failed.
 *
 * Bounded in bytes too, whatever the number of chunks: a log with its default options has room for 96 MiB, and more
 * than that, as 256 chunks of half a MiB are, it would refuse as RINGWAL_OVERLOADED, of a source that was never held back.
 */
import type { Payload } from '../index.js';

/** Four of the largest groups that a log makes by default: enough that a sync never waits for the next one. */
const MOST_BYTES = 16 * 1024 * 1024;

interface Appends {
  append(chunk: Payload): Promise<number>;
}

export class Intake {
  readonly #log: Appends;
  readonly #onAppend: ((lsn: number) => void) | undefined;
  readonly #onFailure: (error: unknown) => void;
  #chunks = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  /** Of the one who waits: a stream writes one thing after the other. */
  #changed: () => void = () => {};

  /** `onFailure` is called at once with the first failure. */
  constructor(
    log: Appends,
    onAppend: ((lsn: number) => void) | undefined,
    onFailure: (error: unknown) => void = () => {},
  ) {
    this.#log = log;
    this.#onAppend = onAppend;
    this.#onFailure = onFailure;
  }

  /** Begins to append the chunks, in order, all at once as far as there is room. Throws the first failure. */
  async take(chunks: readonly Payload[]): Promise<void> {
    for (const chunk of chunks) {
      const bytes = bytesOf(chunk);
      const hasRoom = (): boolean => this.#chunks === 0 || this.#bytes + bytes <= MOST_BYTES;
      if (!hasRoom()) await this.#until(hasRoom);
      void this.#append(chunk, bytes);
    }
  }

  /** Resolves once fewer than `chunks` are under way. Throws the first failure, at once. */
  fewerThan(chunks: number): Promise<void> {
    return this.#until(() => this.#chunks < chunks);
  }

  /** Nobody wants more: who waits is told so, at once, and nothing more is appended. */
  stop(error: unknown): void {
    this.#failure ??= { error };
    this.#changed();
  }

  async #append(chunk: Payload, bytes: number): Promise<void> {
    this.#chunks++;
    this.#bytes += bytes;
    try {
      const lsn = await this.#log.append(chunk);
      this.#onAppend?.(lsn);
    } catch (error) {
      if (this.#failure === undefined) this.#onFailure(error); // not with the next chunk only: there may be none
      this.#failure ??= { error };
    }
    this.#chunks--;
    this.#bytes -= bytes;
    this.#changed();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** How long it is; what is no payload, or has lost its memory, is for the log to refuse. */
function bytesOf(chunk: Payload): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk);
  try {
    return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
  } catch {
    return 0;
  }
}
