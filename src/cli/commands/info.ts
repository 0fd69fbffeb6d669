/** info: the command that shows what a log directory holds: segments, LSNs, sizes, its writer, what could be freed. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type CursorInfo,
  type LiveStats,
  type LogReader,
  liveStats,
  openReader,
  type SegmentListing,
} from '../../index.js';
import { paint } from '../colours.js';
import { type DiskUse, diskUse } from '../disk-use.js';
import { EXIT_BAD_NEWS, failureOf } from '../failure.js';
import { cursorsOf, heldFrom } from '../held-back.js';
import { type CliIo, print, printJson } from '../io.js';
import { segmentsOf } from '../log-directory.js';
import { DIRECTORY, examples, jsonOption } from '../options.js';
import { counted, inBytes, inTime, inWords, wallMs } from '../quantities.js';
import { table } from '../table.js';

interface SegmentRow {
  readonly number: number;
  readonly file: string;
  readonly epoch: number;
  readonly firstLsn: number;
  /** Undefined when only opening the log could tell, and that is not possible. */
  readonly lastLsn: number | undefined;
  readonly bytes: number | undefined;
  readonly fileBytes: number;
  readonly isClosed: boolean;
  readonly isSealed: boolean;
  readonly createdUs: number;
  /** Whether all its records were truncated away: its file is about to go. */
  readonly isFreed: boolean;
}

interface Freeable {
  /** Behind the truncation mark already: they go when the log is next opened, or any moment. */
  readonly freed: { readonly segments: number; readonly bytes: number };
  /** What `ringwal gc` would free: closed segments that end before the last checkpoint and what cursors need. */
  readonly beforeCheckpoint: { readonly segments: number; readonly bytes: number };
  /** Closed segments before the last checkpoint that `gc` leaves, as cursors need them. */
  readonly heldByCursors: { readonly segments: number; readonly bytes: number };
  /** What truncating all but the newest segment would free. */
  readonly closed: { readonly segments: number; readonly bytes: number };
}

interface Info {
  readonly directory: string;
  readonly firstLsn: number | undefined;
  readonly lastLsn: number | undefined;
  readonly checkpointLsn: number | undefined;
  readonly isOpen: boolean;
  /** Of the process that has it open; undefined: nobody, or it does not answer. */
  readonly pid: number | undefined;
  readonly options: LiveStats['options'] | undefined;
  readonly segments: readonly SegmentRow[];
  /** As their files tell; those without a position are damaged. */
  readonly cursors: readonly CursorInfo[];
  readonly disk: readonly DiskUse[];
  readonly freeable: Freeable;
  readonly damage: { readonly code: string | undefined; readonly message: string } | undefined;
}

export function addInfo(program: Command, io: CliIo): void {
  program
    .command('info')
    .description('Show what a log holds: segments, LSNs, sizes, who has it open, what could be freed.')
    .argument(...DIRECTORY)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        ['ringwal info ./data/wal', 'a table of segments and a summary'],
        ['ringwal info ./data/wal --json | jq .lastLsn', 'one value for a script'],
      ),
    )
    .action(async (directory: string, { json }: { json?: true }) => {
      const info = await gather(directory);
      if (info.damage !== undefined) io.exitCode = EXIT_BAD_NEWS;
      await (json ? printJson(io, info) : print(io, describeInfo(io, info)));
    });
}

async function gather(directory: string): Promise<Info> {
  // Of a log of which not even the newest segment can be told there are the files.
  const listing = await segmentsOf(directory).catch((error: unknown) => {
    if (failureOf(error).code !== 'RINGWAL_CORRUPT') throw error;
    return [];
  });
  const [reader, live] = await Promise.all([open(directory), liveStats(directory).catch(() => undefined)]);
  const isReadable = 'lastLsn' in reader;
  const segments = listing.map((segment) => rowOf(segment, isReadable ? reader : undefined));
  const isOpen = live !== undefined || (isReadable && reader.isLive);
  // What is acknowledged while a writer is at work may lie behind what the reader has seen.
  const lastLsn = isReadable && !isOpen ? reader.lastLsn : undefined;
  const cursors = await cursorsOf(directory, lastLsn);
  const info: Info = {
    directory: isReadable ? reader.directory : resolve(directory),
    firstLsn: isReadable ? reader.firstLsn : undefined,
    lastLsn: isReadable ? reader.lastLsn : undefined,
    checkpointLsn: isReadable ? reader.checkpointLsn : undefined,
    isOpen,
    pid: live?.pid,
    options: live?.options,
    segments,
    cursors,
    disk: await diskUse(directory, new Set(segments.map(({ file }) => file))),
    freeable: freeableOf(segments, isReadable ? reader.checkpointLsn : 0, heldFrom(cursors)),
    damage: isReadable ? undefined : reader,
  };
  if (isReadable) await reader.close();
  return info;
}

/** A reader, or what is wrong with the log. */
async function open(directory: string): Promise<LogReader | { code: string | undefined; message: string }> {
  try {
    return await openReader(directory);
  } catch (error) {
    const { code, message } = failureOf(error);
    if (code !== 'RINGWAL_CORRUPT') throw error;
    return { code, message };
  }
}

function rowOf(segment: SegmentListing, reader: LogReader | undefined): SegmentRow {
  // The end of the newest segment is known to the reader alone; of one without records not even to that.
  const shown = segment.isClosed
    ? undefined
    : reader?.segments().find(({ number }) => number === segment.number);
  const { number, file, epoch, firstLsn, fileBytes, isClosed, isSealed, createdUs } = segment;
  const lastLsn = segment.lastLsn ?? shown?.lastLsn ?? (reader && firstLsn - 1);
  const isFreed = isClosed && reader !== undefined && (lastLsn ?? 0) < reader.firstLsn;
  const bytes = segment.bytes ?? shown?.bytes;
  return { number, file, epoch, firstLsn, lastLsn, bytes, fileBytes, isClosed, isSealed, createdUs, isFreed };
}

function freeableOf(segments: readonly SegmentRow[], checkpointLsn: number, neededLsn: number): Freeable {
  const sum = (isMeant: (segment: SegmentRow) => boolean): { segments: number; bytes: number } => {
    const meant = segments.filter((segment) => segment.isClosed && isMeant(segment));
    return { segments: meant.length, bytes: meant.reduce((bytes, { fileBytes }) => bytes + fileBytes, 0) };
  };
  const isSpent = ({ isFreed, lastLsn = Number.POSITIVE_INFINITY }: SegmentRow): boolean =>
    !isFreed && lastLsn < checkpointLsn;
  const isNeeded = ({ lastLsn = Number.POSITIVE_INFINITY }: SegmentRow): boolean => lastLsn >= neededLsn;
  return {
    freed: sum(({ isFreed }) => isFreed),
    beforeCheckpoint: sum((segment) => isSpent(segment) && !isNeeded(segment)),
    heldByCursors: sum((segment) => isSpent(segment) && isNeeded(segment)),
    closed: sum(({ isFreed }) => !isFreed),
  };
}

function describeInfo(io: CliIo, info: Info): string {
  const now = wallMs();
  const rows = info.segments.map((segment) => [
    String(segment.number),
    lsnsOf(segment),
    segment.bytes === undefined ? '-' : inBytes(segment.bytes),
    inBytes(segment.fileBytes),
    stateOf(io, segment, info.isOpen),
    inTime(now - segment.createdUs / 1000),
    segment.file,
  ]);
  const columns = [
    { title: 'segment', align: 'right' },
    { title: 'LSNs' },
    { title: 'used', align: 'right' },
    { title: 'file size', align: 'right' },
    { title: 'state' },
    { title: 'age', align: 'right' },
    { title: 'file' },
  ] as const;
  const disk = info.disk.map(({ kind, files, bytes, diskBytes }) => [
    kind,
    inWords(files),
    inBytes(bytes),
    inBytes(diskBytes),
  ]);
  return `${[
    ...summary(io, info),
    '',
    ...(rows.length === 0 ? [] : [table(io, columns, rows)]),
    table(
      io,
      [
        { title: 'files' },
        { title: 'count', align: 'right' },
        { title: 'size', align: 'right' },
        { title: 'on disk', align: 'right' },
      ],
      disk,
    ),
    ...(rows.length === 0 ? [] : freeableLines(info)),
  ].join('\n')}\n`;
}

function summary(io: CliIo, { directory, firstLsn, lastLsn, checkpointLsn, ...info }: Info): string[] {
  const lines = [`${paint(io, 'bold', directory)}`];
  const say = (what: string, value: string): number => lines.push(`  ${what.padEnd(12)}${value}`);
  if (info.damage !== undefined) {
    say('damage', paint(io, 'red', info.damage.message));
    say('', '`ringwal verify` lists all damage; `ringwal repair` saves what is good into a new directory.');
  } else if (firstLsn !== undefined && lastLsn !== undefined) {
    const lsns = lastLsn - firstLsn + 1;
    say(
      'records',
      lsns === 0
        ? `none; the next LSN is ${firstLsn}`
        : `LSN ${firstLsn} to ${lastLsn}, ${counted(lsns, 'LSN')}`,
    );
    say('checkpoint', checkpointLsn === 0 ? 'none' : `LSN ${checkpointLsn}`);
  }
  const pid = info.pid === undefined ? 'by a process that does not tell its pid' : `by process ${info.pid}`;
  say('open', info.isOpen ? paint(io, 'green', pid) : 'no');
  if (info.options?.isEncrypted) say('encrypted', 'yes');
  for (const [i, { name, position }] of info.cursors.entries()) {
    const where =
      position === undefined ? paint(io, 'red', 'damaged: it holds back all GC') : `at LSN ${position}`;
    const isOvertaken = position !== undefined && firstLsn !== undefined && position < firstLsn - 1;
    const behind = lastLsn !== undefined && position !== undefined ? Math.max(0, lastLsn - position) : 0;
    const note = isOvertaken ? ', overtaken by truncation' : behind > 0 ? `, ${inWords(behind)} behind` : '';
    say(i === 0 ? 'cursors' : '', `${name} ${where}${note}`);
  }
  return lines;
}

function lsnsOf({ firstLsn, lastLsn }: SegmentRow): string {
  if (lastLsn === undefined) return `${firstLsn} to ?`;
  return lastLsn < firstLsn ? 'none' : `${firstLsn} to ${lastLsn}`;
}

function stateOf(io: CliIo, { isClosed, isSealed, isFreed }: SegmentRow, isOpen: boolean): string {
  if (isFreed) return paint(io, 'dim', 'freed');
  if (!isClosed) return isOpen ? paint(io, 'green', 'active') : 'newest';
  return isSealed ? 'sealed' : 'closed';
}

function freeableLines({ freeable, checkpointLsn = 0 }: Info): string[] {
  const { freed, beforeCheckpoint, heldByCursors, closed } = freeable;
  const lines: string[] = [];
  if (freed.segments > 0)
    lines.push(
      `Truncated, and to be removed or used again by the process that opens the log: ${counted(freed.segments, 'segment')}, ${inBytes(freed.bytes)}.`,
    );
  if (checkpointLsn > 0)
    lines.push(
      beforeCheckpoint.segments === 0
        ? 'GC has nothing to free: no closed segment lies before the last checkpoint.'
        : `GC could free ${counted(beforeCheckpoint.segments, 'segment')}, ${inBytes(beforeCheckpoint.bytes)}, before the last checkpoint.`,
    );
  if (heldByCursors.segments > 0)
    lines.push(
      `Cursors hold back ${counted(heldByCursors.segments, 'segment')} before it, ${inBytes(heldByCursors.bytes)}.`,
    );
  lines.push(
    closed.segments === 0
      ? 'No segment that holds records is closed.'
      : `Closed: ${counted(closed.segments, 'segment')}, ${inBytes(closed.bytes)}, which \`ringwal gc --before-segment N\` can free.`,
  );
  return lines;
}
