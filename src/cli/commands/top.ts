/** top: the command that shows how a log is doing that another process has open, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { IoError } from '../../errors.js';
import { type LiveStats, liveStats } from '../../index.js';
import { unlessAborted } from '../aborted.js';
import { CliError } from '../failure.js';
import { type CliIo, Interrupted, note, print, printJson } from '../io.js';
import { checkDirectory } from '../log-directory.js';
import { DIRECTORY, examples, jsonOption } from '../options.js';
import { type Interval, intervalBetween, type Sample } from '../top/interval.js';
import { needsAscii } from '../top/sparkline.js';
import { Terminal } from '../top/terminal.js';
import { asObject, type Look, row, rowTitles, screen, type View } from '../top/view.js';

interface TopOptions {
  /** Seconds. */
  readonly interval: number;
  readonly once?: true;
  readonly json?: true;
}

/** More than the widest terminal shows. */
const MOST_HISTORY = 500;
const LEAST_SECONDS = 0.05;
const MOST_SECONDS = 3600;

export function addTop(program: Command, io: CliIo): void {
  program
    .command('top')
    .description('Watch a log that another process has open: rates, groups, sync times, rings.')
    .argument(...DIRECTORY)
    .option('--interval <seconds>', 'seconds from one look to the next', seconds, 1)
    .option('--once', 'one interval, then end')
    .addOption(jsonOption('one JSON object for each interval, a line each'))
    .addHelpText(
      'after',
      `
On a terminal it is redrawn in place; q or Ctrl-C ends it. Elsewhere it prints a
line for each interval. Times are estimates (~), from counters of doubling
steps. It asks the process that has the log open, which costs that some
microseconds, and reads no file.

Exit codes: 0 it was ended, or the log was closed; 2 nobody has the log open.
${examples(
  ['ringwal top ./data/wal', 'until q is pressed'],
  ['ringwal top ./data/wal --once', 'how it is doing now'],
  ['ringwal top ./data/wal --interval 10 --json >> log.jsonl', 'to keep'],
)}`,
    )
    .action((directory: string, options: TopOptions) => top(io, directory, options));
}

async function top(io: CliIo, directory: string, options: TopOptions): Promise<void> {
  await checkDirectory(directory);
  const first = await liveStats(directory);
  if (first === undefined)
    throw new CliError(
      'NOT_OPEN',
      `Nobody has the log in ${directory} open.`,
      'Start the process that uses it; `ringwal info` shows what the files hold.',
    );
  try {
    const isClosed = await show(io, directory, first, options);
    if (isClosed) note(io, `The log in ${directory} was closed.`);
  } catch (error) {
    if (options.once || !(error instanceof Interrupted)) throw error; // it is how watching is ended
  }
}

/** As is asked for, and as the output can show it. True: until the log was closed. */
async function show(io: CliIo, directory: string, first: LiveStats, options: TopOptions): Promise<boolean> {
  const { hasColour, columns, signal } = io;
  const look = { hasColour, columns, isAscii: needsAscii(process.env), keys: undefined };
  if (options.json) return watch(directory, first, options, signal, (view) => printJson(io, asObject(view)));
  if (options.once)
    return watch(directory, first, options, signal, (view) =>
      print(io, `${screen(view, look).join('\n')}\n`),
    );
  if (io.isStdoutTty) return onTerminal(io, directory, first, options, look);
  await print(io, `${rowTitles()}\n`);
  return watch(directory, first, options, signal, (view) => {
    if (view.warning !== undefined) note(io, view.warning);
    return print(io, `${row(view)}\n`);
  });
}

async function onTerminal(
  io: CliIo,
  directory: string,
  first: LiveStats,
  options: TopOptions,
  look: Look,
): Promise<boolean> {
  const quit = new AbortController();
  let last: View | undefined;
  const draw = (view = last): void => {
    last = view;
    if (view !== undefined)
      terminal.draw(screen(view, { ...look, columns: terminal.columns, keys: 'q: quit' }));
  };
  const terminal = new Terminal(
    io,
    () => quit.abort(new Interrupted('A key was pressed.')),
    draw.bind(undefined, undefined),
  );
  terminal.enter();
  try {
    const intervalMs = options.interval * 1000;
    draw({ directory, stats: first, interval: undefined, history: [], intervalMs, warning: undefined });
    return await watch(directory, first, options, AbortSignal.any([io.signal, quit.signal]), draw);
  } finally {
    terminal.leave();
  }
}

/** Calls `show` with each interval, until the log is closed: true then. Throws the signal's reason. */
async function watch(
  directory: string,
  first: LiveStats,
  { interval: secondsEach, once }: TopOptions,
  signal: AbortSignal,
  show: (view: View) => Promise<void> | void,
): Promise<boolean> {
  const intervalMs = secondsEach * 1000;
  const history: (Interval | undefined)[] = [];
  let last: Sample = { atMs: performance.now(), stats: first };
  for (let dueMs = last.atMs + intervalMs; ; dueMs = Math.max(dueMs + intervalMs, performance.now())) {
    await sleep(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(() => {
      throw signal.reason;
    });
    const stats = await unlessAborted(signal, ask(directory));
    if (stats === undefined) return true;
    const isSilent = stats === 'silent';
    const now = isSilent ? last : { atMs: performance.now(), stats };
    const interval = isSilent ? undefined : intervalBetween(last, now);
    last = now;
    history.push(interval);
    if (history.length > MOST_HISTORY) history.shift();
    const warning = isSilent
      ? 'It does not answer: its thread hangs in a write or sync, or is stopped.'
      : undefined;
    await show({ directory, stats: now.stats, interval, history, intervalMs, warning });
    if (once) return false;
  }
}

/** A worker whose disk hangs does not answer: that is to be seen, not the end. */
async function ask(directory: string): Promise<LiveStats | 'silent' | undefined> {
  try {
    return await liveStats(directory);
  } catch (error) {
    if (error instanceof IoError && /no answer/.test(error.message)) return 'silent';
    throw error;
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= LEAST_SECONDS && value <= MOST_SECONDS))
    throw new InvalidArgumentError(`It must be a number of seconds, ${LEAST_SECONDS} to ${MOST_SECONDS}.`);
  return value;
}
