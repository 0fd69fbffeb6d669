/** open-for-writing: opens a log for the commands that change one. */
import { type Log, type LogOptions, listSegments, liveStats, openLog, RingwalError } from '../index.js';
import { CliError } from './failure.js';
import { type CliIo, note } from './io.js';
import { counted } from './quantities.js';

/**
 * Opens the log. What opening had to do about its end is said on stderr. Rejects as `openLog` does; when another
 * process has it open, with a CliError that names that process.
 */
export async function openForWriting(io: CliIo, directory: string, options: LogOptions): Promise<Log> {
  try {
    const log = await openLog(directory, { ...(await sizeOfSegments(directory)), ...options });
    const { tornTail, tornBytes } = log.recovery;
    if (tornTail !== undefined)
      note(
        io,
        `A write that was never acknowledged was cut off: ${counted(tornBytes, 'byte')} of ${tornTail.file}.`,
      );
    return log;
  } catch (error) {
    if (!(error instanceof RingwalError) || error.code !== 'RINGWAL_LOCKED') throw error;
    const pid = await liveStats(directory).then(
      (stats) => stats?.pid,
      () => undefined,
    );
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    throw new CliError(
      error.code,
      `The log in ${directory} is open in ${who}, and only one at a time can write to it.`,
      'Stop that process, or have it done there: log.append, log.truncateBefore, log.gcBefore and so on. ' +
        'Reading (info, cat, tail, top) works meanwhile.',
    );
  }
}

/** A log goes on with the size of segments that it has, not with the default of who only appends to it now and then. */
async function sizeOfSegments(directory: string): Promise<LogOptions> {
  const segments = await listSegments(directory).catch(() => []); // there is none yet, or opening says what is wrong
  const segmentBytes = segments.at(-1)?.segmentBytes;
  return segmentBytes === undefined ? {} : { segmentBytes };
}
