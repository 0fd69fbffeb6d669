/** cut-check: ends a read with a typed error once the log was cut before what is being read. */
import type { ReadableSegment, ReadView } from '../control/contract.js';
import { OutOfRangeError } from '../errors.js';
import { sameBytes } from '../format/same-bytes.js';
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

/**
 * The same for who can't be told of cuts, but sees the log anew in the middle of a read up to `to`: throws when the log
 * now ends before that, or when what `before` has up to `given` need not be what `now` has. `given` is 0 when nothing
 * was given.
 */
export function checkContinued(before: ReadView, now: ReadView, given: number, to: number): void {
  const isSame = given < now.firstLsn || isSameSegment(holding(before, given), holding(now, given));
  if (isSame && now.durableLsn >= to) return;
  throw new OutOfRangeError(
    `The log was cut while it was read (truncateAfter): what it had up to LSN ${isSame ? to : given} is not all part of it any more.`,
  );
}

/** The segment that has the record with `lsn`. */
export function holding(view: ReadView, lsn: number): ReadableSegment | undefined {
  return view.segments.find(({ firstLsn, lastLsn }) => firstLsn <= lsn && lsn <= lastLsn);
}

/**
 * A cut writes no old file, so a segment that is still part of the log has what it had, up to where it ends now. (A
 * record that the cut has copied into the next segment is the same too, but nothing says so.)
 */
function isSameSegment(a: ReadableSegment | undefined, b: ReadableSegment | undefined): boolean {
  return sameBytes(a?.salt, b?.salt);
}
