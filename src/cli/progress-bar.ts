/** progress-bar: how far a piece of work is, its rate and the time left, on stderr when that is a terminal. */
import { SingleBar } from 'cli-progress';
import type { CliIo } from './io.js';
import { inBytes, inTime } from './quantities.js';

const BAR = 30;

export interface ProgressBar {
  update(bytes: number, totalBytes: number): void;
  /** Takes the bar away. */
  stop(): void;
}

/** A bar that counts bytes; one that does nothing where stderr is no terminal. */
export function progressBar(io: CliIo, title: string): ProgressBar {
  if (!io.isStderrTty) return { update: () => {}, stop: () => {} };
  const startedMs = performance.now();
  const bar = new SingleBar({
    stream: io.stderr as NodeJS.WritableStream,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false, // signals are the program's own matter
    format: (_options, { value, total, progress }) =>
      line(title, value, total, progress, performance.now() - startedMs),
  });
  let isStarted = false;
  return {
    update(bytes, totalBytes) {
      if (!isStarted) bar.start(totalBytes, bytes);
      else {
        bar.setTotal(totalBytes);
        bar.update(bytes);
      }
      isStarted = true;
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}

/** `verifying  [======      ]  42 %  1.2 GiB of 2.9 GiB  850 MiB/s  2 s left`. */
export function line(
  title: string,
  bytes: number,
  totalBytes: number,
  part: number,
  elapsedMs: number,
): string {
  const done = Math.round(BAR * part);
  const rate = elapsedMs > 0 ? bytes / elapsedMs : 0;
  const left = rate > 0 ? `${inBytes(rate * 1000)}/s  ${inTime((totalBytes - bytes) / rate)} left` : '';
  const drawn = `[${'='.repeat(done)}${' '.repeat(BAR - done)}]`;
  return `${title}  ${drawn}  ${Math.floor(100 * part)} %  ${inBytes(bytes)} of ${inBytes(totalBytes)}  ${left}`;
}
