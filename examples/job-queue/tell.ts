/**
 * tell: says a line to who listens on stdout, and returns when the kernel has it.
 *
 * Not `process.stdout`: behind a listener that is slow it queues, and what it has queued dies with the process. An
 * acknowledgement that was under way then looked like a job that was lost.
 */
import { writeSync } from 'node:fs';

const pause = new Int32Array(new SharedArrayBuffer(4));

export function tell(line: string): void {
  for (let bytes = Buffer.from(`${line}\n`); bytes.length > 0; ) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}
