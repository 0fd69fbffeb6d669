/** view: how a log is doing, as the lines of a screen, as one line of a table, and as an object. */
import type { LiveStats } from '../../index.js';
import { paint } from '../colours.js';
import type { CliIo } from '../io.js';
import { counted, inBytes, inTime, inWords, wallMs } from '../quantities.js';
import type { Interval } from './interval.js';
import { bar, sparkline } from './sparkline.js';

export interface View {
  readonly directory: string;
  readonly stats: LiveStats;
  /** The last interval; undefined before the first one, and when the log was opened anew in it. */
  readonly interval: Interval | undefined;
  /** Oldest first. */
  readonly history: readonly (Interval | undefined)[];
  readonly intervalMs: number;
  /** What else is to be said; in red. */
  readonly warning: string | undefined;
}

export interface Look {
  readonly hasColour: CliIo['hasColour'];
  readonly columns: number;
  readonly isAscii: boolean;
  /** What keys there are; undefined: none. */
  readonly keys: string | undefined;
}

const LABEL = 10;
const FIGURE = 16;
const LEAST_COLUMNS = 40;
const MOST_BAR = 32;

/** At most 14 lines, none of them wider than the terminal. */
export function screen(view: View, look: Look): string[] {
  const { stats, interval, history } = view;
  const columns = Math.max(LEAST_COLUMNS, look.columns);
  const room = columns - LABEL;
  const chart = (of: (one: Interval) => number | undefined): string =>
    history.length < 2 // one column is as high as itself: it says nothing
      ? ''
      : sparkline(
          history.map((one) => one && of(one)),
          room - FIGURE,
          look.isAscii,
        );
  const line = (label: string, text: string, mark: (text: string) => string = (as) => as): string =>
    paint(look, 'dim', label.padEnd(LABEL)) + mark(plain(text).slice(0, room).trimEnd());
  const figures = (first: string, rest: string): string => first.padEnd(FIGURE) + rest;
  const isSick = stats.ioErrors > 0 || stats.maintenanceError !== undefined;
  return [
    ...heading(view, look, columns),
    '',
    line(
      'appends',
      figures(
        rate(interval?.appendsPerSecond),
        chart((one) => one.appendsPerSecond),
      ),
    ),
    line('data', interval === undefined ? '-' : `${inBytes(interval.bytesPerSecond)}/s`),
    line('groups', figures(rate(interval?.groupsPerSecond), groupOf(interval))),
    line(
      'sync p50',
      figures(
        time(interval?.syncP50Us),
        chart((one) => one.syncP50Us),
      ),
    ),
    line('     p99', figures(time(interval?.syncP99Us), `by ${stats.syncMode}`)),
    line('rings', ringsOf(stats, room, look.isAscii)),
    '',
    line('durable', `LSN ${inWords(stats.durableLsn)}`),
    line('first', figures(`LSN ${inWords(stats.firstLsn)}`, checkpointOf(stats))),
    line('segments', `${inWords(stats.segments.length)}, ${inBytes(segmentBytes(stats))}`),
    ...(isSick ? [line('errors', errorsOf(stats), (text) => paint(look, 'red', text))] : []),
    ...(view.warning === undefined ? [] : [paint(look, 'red', view.warning.slice(0, columns))]),
  ];
}

function heading({ directory, stats, intervalMs }: View, look: Look, columns: number): string[] {
  const keys = look.keys === undefined ? '' : `   ${look.keys}`;
  const right = `pid ${stats.pid}   every ${inTime(intervalMs)}${keys}`;
  const room = columns - right.length - 2;
  const shown = plain(directory);
  const path = shown.length > room ? `...${shown.slice(3 - room)}` : shown;
  return [`${paint(look, 'bold', path.padEnd(room))}  ${paint(look, 'dim', right)}`];
}

/** What comes from elsewhere, as an error of several lines, neither breaks a line nor commands the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  return `${perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : inWords(perSecond)} /s`;
}

/** Estimates, and said to be. */
function time(us: number | undefined): string {
  return us === undefined ? '-' : `~${inTime(us / 1000)}`;
}

function groupOf(interval: Interval | undefined): string {
  if (interval?.recordsPerGroup === undefined || interval.bytesPerGroup === undefined) return '';
  const records = interval.recordsPerGroup;
  return `${records < 9.95 ? records.toFixed(1) : inWords(records)} records each, ${inBytes(interval.bytesPerGroup)}`;
}

function ringsOf(
  { ringsUsedBytes, ringsCapacityBytes, producers }: LiveStats,
  room: number,
  isAscii: boolean,
): string {
  if (ringsCapacityBytes === 0) return 'none: no thread appends';
  const part = ringsUsedBytes / ringsCapacityBytes;
  const text = `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`.padStart(6);
  const sizes = `${inBytes(ringsUsedBytes)} of ${inBytes(ringsCapacityBytes)}, ${counted(producers, 'thread')}`;
  const width = Math.min(MOST_BAR, room - text.length - sizes.length - 4);
  return `${width < 5 ? '' : `${bar(part, width, isAscii)} `}${text}  ${sizes}`;
}

function checkpointOf({ checkpointLsn }: LiveStats): string {
  return checkpointLsn === 0 ? 'no checkpoint' : `checkpoint ${inWords(checkpointLsn)}`;
}

function segmentBytes({ segments }: LiveStats): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}

function errorsOf({ ioErrors, maintenanceErrors, maintenanceError }: LiveStats): string {
  if (ioErrors > 0) return 'a write or sync failed: it takes nothing more; close and reopen it';
  return `maintenance failed ${maintenanceErrors} times: ${maintenanceError}`;
}

const COLUMNS: readonly (readonly [title: string, width: number])[] = [
  ['appends/s', 11],
  ['data/s', 10],
  ['groups/s', 9],
  ['rec/group', 10],
  ['sync p50', 9],
  ['p99', 9],
  ['rings', 6],
  ['durable LSN', 16],
];

/** Titles over what `row` gives; 80 columns wide. */
export function rowTitles(): string {
  return COLUMNS.map(([title, width]) => title.padStart(width)).join('');
}

export function row({ stats, interval }: View): string {
  const fill = stats.ringsCapacityBytes === 0 ? 0 : stats.ringsUsedBytes / stats.ringsCapacityBytes;
  const cells = [
    interval === undefined ? '-' : inWords(interval.appendsPerSecond),
    interval === undefined ? '-' : inBytes(interval.bytesPerSecond),
    interval === undefined ? '-' : inWords(interval.groupsPerSecond),
    interval?.recordsPerGroup === undefined ? '-' : interval.recordsPerGroup.toFixed(1),
    time(interval?.syncP50Us),
    time(interval?.syncP99Us),
    `${(100 * fill).toFixed(0)}%`,
    inWords(stats.durableLsn),
  ];
  return cells.map((cell, i) => cell.padStart(COLUMNS[i]?.[1] ?? 0)).join('');
}

/**
 * One interval for a program that reads it. Rates are null in an interval in which the log was opened anew, or did not
 * answer: then `warning` says so, and the other figures are the last ones.
 */
export function asObject({ directory, stats, interval, warning }: View): object {
  const { pid, firstLsn, durableLsn, checkpointLsn, syncMode, producers } = stats;
  const { ringsUsedBytes, ringsCapacityBytes, ioErrors, maintenanceErrors } = stats;
  return {
    ...{ timeMs: Math.round(wallMs()), directory, pid, interval: interval ?? null },
    warning: warning ?? null,
    ...{ firstLsn, durableLsn, checkpointLsn, syncMode, producers, ringsUsedBytes, ringsCapacityBytes },
    ...{ segments: stats.segments.length, segmentBytes: segmentBytes(stats), ioErrors, maintenanceErrors },
    sinceOpen: { records: stats.records, bytes: stats.bytes, groups: stats.groups, syncs: stats.syncs },
  };
}
