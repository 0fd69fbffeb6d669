/** record-output: writes records to stdout, many in one write, at the pace at which they are read. */
import type { LogRecord } from '../index.js';
import { type CliIo, print } from './io.js';

/** Bytes that are collected for one write, unless there is a pause before. */
const CHUNK_BYTES = 64 * 1024;

export class RecordOutput {
  readonly #io: CliIo;
  readonly #format: (record: LogRecord) => Uint8Array;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #pause: NodeJS.Immediate | undefined;

  constructor(io: CliIo, format: (record: LogRecord) => Uint8Array) {
    this.#io = io;
    this.#format = format;
  }

  /** Throws the signal's reason when it is aborted. */
  async put(record: LogRecord): Promise<void> {
    this.#io.signal.throwIfAborted();
    const bytes = this.#format(record);
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= CHUNK_BYTES) await this.flush();
    // What follows at once goes into the same write; a record of a tail is not held back.
    else this.#pause ??= setImmediate(() => void this.flush().catch(() => {})); // its error comes with the next
  }

  async flush(): Promise<void> {
    clearImmediate(this.#pause);
    this.#pause = undefined;
    if (this.#bytes === 0) return;
    const chunk = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    await print(this.#io, chunk);
  }
}
