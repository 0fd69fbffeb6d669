/** cut-check: ends a read with a typed error once the log was cut before what is being read. */
import { OutOfRangeError } from '../errors.js';
import type { LogRecord } from './record-assembler.js';

/**
 * Passes on what `groups` yields as long as it is in the log; `to` is the last LSN that is read. `cutAfter` says what
 * the cuts have left since the view was taken that `groups` reads; it is asked behind each read, as R6 wants it.
 */
export async function* untilCut(
  groups: AsyncIterable<LogRecord[]>,
  to: number,
  cutAfter: () => number,
): AsyncGenerator<LogRecord[], void, void> {
  try {
    for await (const records of groups) {
      const last = cutAfter();
      if (last === Number.POSITIVE_INFINITY) {
        yield records;
        continue;
      }
      const left = records.filter(({ commitLsn }) => commitLsn <= last);
      if (left.length > 0) yield left;
      if (left.length < records.length) throw cutOff(last);
    }
  } catch (error) {
    // What was cut off is gone, or being written over: no damage, but the reason why it can't be read.
    const last = cutAfter();
    throw last < to ? cutOff(last) : error;
  }
  const last = cutAfter();
  if (last < to) throw cutOff(last);
}

export function cutOff(last: number): OutOfRangeError {
  return new OutOfRangeError(
    `The log was cut after LSN ${last} while it was read (truncateAfter): what came behind is no longer part of it.`,
  );
}
