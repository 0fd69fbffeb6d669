/** begin-log-at: drops the records before an LSN, or says what that would do; what `truncate --before` and `gc` share. */
import type { CursorInfo } from '../index.js';
import { cursorsOf, heldFrom } from './held-back.js';
import { type CliIo, note, print, printJson } from './io.js';
import { openForWriting } from './open-for-writing.js';
import { counted, inBytes } from './quantities.js';
import {
  checkBefore,
  freedBefore,
  freedSince,
  type LogEnds,
  type Segments,
  whenRemoved,
} from './truncation-plan.js';

export interface ChangeOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** What a truncation did, or would do. */
export interface Change {
  readonly directory: string;
  readonly isDryRun: boolean;
  /** LSNs of the log then; none when `lastLsn` is less. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** LSNs that are no longer in the log. */
  readonly droppedLsns: number;
  readonly freed: Segments;
}

export async function beginLogAt(
  io: CliIo,
  ends: LogEnds,
  lsn: number,
  { dryRun = false, json = false, force = false }: ChangeOptions & { readonly force?: boolean },
): Promise<void> {
  checkBefore(ends, lsn);
  const { directory, lastLsn } = ends;
  const { firstLsn, cursors, freed } = await (dryRun
    ? plan(ends, lsn, force)
    : truncate(io, ends, lsn, force));
  const holding = cursors.filter(({ position }) => position === undefined || position + 1 < lsn);
  if (firstLsn < lsn) {
    const names = holding.map(({ name, position }) => `"${name}" at LSN ${position ?? '?'}`).join(', ');
    note(io, `Held back at LSN ${firstLsn} by the cursor ${names}. --force passes cursors.`);
  }
  await tellChange(
    io,
    { directory, isDryRun: dryRun, firstLsn, lastLsn, droppedLsns: firstLsn - ends.firstLsn, freed },
    json,
  );
}

interface Truncation {
  readonly firstLsn: number;
  readonly cursors: readonly CursorInfo[];
  readonly freed: Segments;
}

async function plan(ends: LogEnds, lsn: number, isForced: boolean): Promise<Truncation> {
  const { directory, lastLsn } = ends;
  const cursors = await cursorsOf(directory, lastLsn);
  const firstLsn = Math.max(ends.firstLsn, isForced ? lsn : Math.min(lsn, heldFrom(cursors)));
  return { firstLsn, cursors, freed: freedBefore(ends, firstLsn) };
}

async function truncate(io: CliIo, ends: LogEnds, lsn: number, force: boolean): Promise<Truncation> {
  // Nothing is kept for reuse: who frees space by hand wants to have it.
  const log = await openForWriting(io, ends.directory, { recycle: false });
  try {
    const firstLsn = await log.truncateBefore(lsn, { force });
    const cursors = await log.cursors();
    const planned = freedBefore(ends, firstLsn);
    await whenRemoved(planned);
    await log.close();
    const freed = await freedSince(ends);
    tellKept(io, planned.segments - freed.segments, planned.bytes - freed.bytes);
    return { firstLsn, cursors, freed };
  } finally {
    await log.close();
  }
}

/** Of files that were to go. They hold nothing of the log any more, and yet who frees space has not got it. */
function tellKept(io: CliIo, segments: number, bytes: number): void {
  if (segments <= 0) return;
  note(
    io,
    `${counted(segments, 'segment')} (${inBytes(bytes)}) can not go yet: a transaction or a large record reaches out of them ` +
      'into the segment that the log begins in, or they could not be removed yet. They go with a later truncation.',
  );
}

/** Prints what was done, or would be. */
export function tellChange(io: CliIo, change: Change, isJson: boolean): Promise<void> {
  const { isDryRun, firstLsn, lastLsn, droppedLsns, freed } = change;
  if (isJson) return printJson(io, { ...change, freed: { segments: freed.segments, bytes: freed.bytes } });
  const holds = lastLsn < firstLsn ? `nothing; its next LSN is ${firstLsn}` : `LSN ${firstLsn} to ${lastLsn}`;
  const what = `${counted(droppedLsns, 'LSN')} dropped, ${counted(freed.segments, 'segment')} (${inBytes(freed.bytes)}) freed`;
  return print(
    io,
    isDryRun
      ? `Would be: ${what}. The log would hold ${holds}. Nothing was changed.\n`
      : `${what}. The log holds ${holds}.\n`,
  );
}
