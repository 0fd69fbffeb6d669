/** ack-output: prints LSNs as they become durable, those of one turn in one write. */
import { once } from 'node:events';
import type { CliIo } from './io.js';

export class AckOutput {
  readonly #io: CliIo;
  readonly #line: (lsn: number) => string;
  #text = '';
  #turn: NodeJS.Immediate | undefined;

  constructor(io: CliIo, isJson: boolean) {
    this.#io = io;
    this.#line = isJson ? (lsn) => `{"lsn":${lsn}}\n` : (lsn) => `${lsn}\n`;
  }

  put(lsn: number): void {
    this.#text += this.#line(lsn);
    this.#turn ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    if (this.#text !== '') this.#io.stdout.write(this.#text);
    this.#text = '';
  }

  /** Resolves when what was printed is being read, or never will be. */
  async ready(): Promise<void> {
    const { stdout, signal } = this.#io;
    if (stdout.writableNeedDrain && !signal.aborted) await once(stdout, 'drain', { signal }).catch(() => {});
  }
}
