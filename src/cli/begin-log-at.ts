/** begin-log-at: drops the records before an LSN, or says what that would do; what `truncate --before` and `gc` share. */
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
  let firstLsn = Math.max(lsn, ends.firstLsn);
  let freed: Segments = freedBefore(ends, firstLsn);
  if (!dryRun) {
    // Nothing is kept for reuse: who frees space by hand wants to have it.
    const log = await openForWriting(io, directory, { recycle: false });
    try {
      firstLsn = await log.truncateBefore(lsn, { force });
      if (firstLsn < lsn) {
        const holding = (await log.cursors()).filter(
          ({ position }) => position === undefined || position + 1 < lsn,
        );
        const names = holding.map(({ name, position }) => `"${name}" at LSN ${position ?? '?'}`).join(', ');
        note(io, `Held back at LSN ${firstLsn} by the cursor ${names}. --force passes cursors.`);
      }
      await whenRemoved(freedBefore(ends, firstLsn));
    } finally {
      await log.close();
    }
    freed = await freedSince(ends);
  }
  await tellChange(
    io,
    { directory, isDryRun: dryRun, firstLsn, lastLsn, droppedLsns: firstLsn - ends.firstLsn, freed },
    json,
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
