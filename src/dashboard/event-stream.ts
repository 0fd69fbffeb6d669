/** event-stream: server-sent events to one page; one that does not keep up misses some, and then gets all anew. */
import type { ServerResponse } from 'node:http';

/** What is needed of a response. */
export type EventOutput = Pick<ServerResponse, 'write' | 'destroy' | 'on'>;

/** A page that takes nothing for so long has gone without a word. */
const PATIENCE_MS = 60_000;

export class EventStream {
  readonly #output: EventOutput;
  readonly #fresh: () => unknown;
  readonly #now: () => number;
  #blockedSince: number | undefined;
  #isBehind = false;

  /** `fresh` gives the contents of the event `history`: what a page must know to begin. */
  constructor(output: EventOutput, fresh: () => unknown, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#fresh = fresh;
    this.#now = now;
    output.on('drain', () => {
      this.#blockedSince = undefined;
    });
    output.write('retry: 1000\n\n');
    this.#send('history', fresh());
  }

  /** At most what the output holds by itself waits to be sent, and one event more. */
  update(update: unknown): void {
    if (this.#blockedSince !== undefined) {
      this.#isBehind = true;
      if (this.#now() - this.#blockedSince >= PATIENCE_MS) this.#output.destroy();
      return;
    }
    if (this.#isBehind) this.#send('history', this.#fresh());
    else this.#send('update', update);
    this.#isBehind = false;
  }

  #send(event: string, data: unknown): void {
    if (!this.#output.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
      this.#blockedSince ??= this.#now();
  }
}
