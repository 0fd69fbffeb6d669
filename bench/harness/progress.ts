/** progress: a bar on stderr, with the time that is left; nothing where that is no terminal. */
import { SingleBar } from 'cli-progress';

export class Progress {
  readonly #bar: SingleBar;

  /** `totalMs`: how long all that is measured will take. */
  constructor(totalMs: number) {
    this.#bar = new SingleBar({
      format: '{bar} {percentage}% | {eta_formatted} left | {what}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 30,
      noTTYOutput: false,
    });
    this.#bar.start(totalMs, 0, { what: 'starting' });
  }

  say(what: string): void {
    this.#bar.update({ what: what.slice(0, 60) });
  }

  advance(ms: number): void {
    this.#bar.increment(ms);
  }

  stop(): void {
    this.#bar.stop();
  }
}
