/** truncation-plan: what truncating a log at an LSN drops and frees, told before it is done, from the files alone. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openReader, type SegmentListing } from '../index.js';
import { CliError } from './failure.js';
import { segmentsOf } from './log-directory.js';

export interface Segments {
  readonly segments: number;
  /** Of their files. */
  readonly bytes: number;
  /** Their paths. */
  readonly paths: readonly string[];
}

/** A log as it is before it is truncated; both ends have a segment at least. */
export interface LogEnds {
  readonly directory: string;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly checkpointLsn: number;
  /** Oldest first, each with its last LSN. */
  readonly segments: readonly (SegmentListing & { readonly lastLsn: number })[];
}

/** Takes no lock. Throws CliError, and as `openReader` does. */
export async function endsOf(directory: string): Promise<LogEnds> {
  const listing = await segmentsOf(directory);
  await using reader = await openReader(directory);
  const { firstLsn, lastLsn, checkpointLsn } = reader;
  const segments = listing.map((segment) => ({ ...segment, lastLsn: segment.lastLsn ?? lastLsn }));
  return { directory: reader.directory, firstLsn, lastLsn, checkpointLsn, segments };
}

/** Segments that hold nothing from `lsn` on. The newest can be one of them: opening the log begins another. */
export function freedBefore(ends: LogEnds, lsn: number): Segments {
  return sum(
    ends,
    withRecords(ends).filter(({ lastLsn }) => lastLsn < lsn),
  );
}

/** Segments that hold nothing up to `lsn`. */
export function freedAfter(ends: LogEnds, lsn: number): Segments {
  return sum(
    ends,
    withRecords(ends).filter(({ firstLsn }) => firstLsn > lsn),
  );
}

/** Those of `before` that held records and whose files have gone since. */
export async function freedSince(before: LogEnds): Promise<Segments> {
  const left = new Set(await readdir(before.directory));
  return sum(
    before,
    withRecords(before).filter(({ file }) => !left.has(file)),
  );
}

/** A segment that an open transaction needs stays, whatever its LSNs: then it is waited in vain. */
const PATIENCE_MS = 1000;
const LOOK_MS = 5;

/** The log removes files in the background, and closing it ends that: waits for these, though not for ever. */
export async function whenRemoved({ paths }: Segments): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  while (paths.some((path) => existsSync(path)) && performance.now() < untilMs) await sleep(LOOK_MS);
}

function withRecords({ segments }: LogEnds): LogEnds['segments'] {
  return segments.filter(({ firstLsn, lastLsn }) => lastLsn >= firstLsn);
}

function sum({ directory }: LogEnds, segments: readonly SegmentListing[]): Segments {
  const bytes = segments.reduce((total, { fileBytes }) => total + fileBytes, 0);
  return { segments: segments.length, bytes, paths: segments.map(({ file }) => join(directory, file)) };
}

/** Throws CliError for an LSN at which the log can't be made to begin. */
export function checkBefore({ lastLsn }: LogEnds, lsn: number): void {
  if (lsn > lastLsn + 1)
    throw new CliError(
      'RINGWAL_OUT_OF_RANGE',
      `The log ends with LSN ${lastLsn}; it can be truncated before ${lastLsn + 1} at most, not ${lsn}.`,
    );
}

/** Throws CliError for an LSN at which the log can't be made to end. */
export function checkAfter({ firstLsn, lastLsn }: LogEnds, lsn: number): void {
  if (lsn < firstLsn - 1 || lsn > lastLsn)
    throw new CliError(
      'RINGWAL_OUT_OF_RANGE',
      `The log holds LSN ${firstLsn} to ${lastLsn}; it can be made to end with ${firstLsn - 1} to ${lastLsn}, not ${lsn}.`,
    );
}

/** The LSN with which segment `number`, or the first one behind it, begins. Throws CliError when there is none. */
export function startOfSegment({ segments, lastLsn }: LogEnds, number: number): number {
  const first = segments.find((segment) => segment.number >= number);
  if (first !== undefined) return first.firstLsn;
  const newest = segments.at(-1)?.number ?? 0;
  if (number === newest + 1) return lastLsn + 1;
  throw new CliError(
    'RINGWAL_OUT_OF_RANGE',
    `The newest segment is ${newest}; segments can be freed before ${newest + 1} at most, not ${number}.`,
  );
}
