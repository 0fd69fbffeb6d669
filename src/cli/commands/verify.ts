/** verify: the command that verifies every checksum, length and LSN of a log, on all cores. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CorruptError, liveStats, type VerifyReport, verifyLog } from '../../index.js';
import { unlessAborted } from '../aborted.js';
import { paint } from '../colours.js';
import { EXIT_BAD_NEWS } from '../failure.js';
import { type CliIo, note, print, printJson } from '../io.js';
import { segmentsOf } from '../log-directory.js';
import { DIRECTORY, examples, integer, jsonOption } from '../options.js';
import { progressBar } from '../progress-bar.js';
import { counted, inBytes, inTime } from '../quantities.js';

const MOST_THREADS = 64;

/** What was found: of a log whose files do not even hang together, the first damage alone. */
type Outcome = Pick<VerifyReport, 'damage'> & Partial<Omit<VerifyReport, 'damage'>>;

export function addVerify(program: Command, io: CliIo): void {
  program
    .command('verify')
    .description(
      'Verify every checksum, length and LSN of a log, its segments side by side; changes nothing.',
    )
    .argument(...DIRECTORY)
    .option(
      '--threads <n>',
      'threads to verify with (default: as many as there are cores)',
      integer(1, MOST_THREADS),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `${examples(
        ['ringwal verify ./data/wal', 'all cores, a bar on stderr'],
        ['ringwal verify /backup/wal --json && echo sound', 'in a script: the exit code says it'],
      )}\nExit codes: 0 the log is sound; 1 it is damaged; 2 it could not be looked at.\n`,
    )
    .action((directory: string, options: { threads?: number; json?: true }) =>
      verify(io, directory, options),
    );
}

async function verify(
  io: CliIo,
  directory: string,
  { threads, json }: { threads?: number; json?: true },
): Promise<void> {
  const startedMs = performance.now();
  const outcome = await look(io, directory, threads);
  const ms = performance.now() - startedMs;
  const isSound = outcome.damage.length === 0;
  if (!isSound) io.exitCode = EXIT_BAD_NEWS;
  const isOpen = (await liveStats(directory).catch(() => undefined)) !== undefined;
  if (json) {
    const damage = outcome.damage.map(({ code, message, details }) => ({ code, message, ...details }));
    await printJson(io, {
      directory: resolve(directory),
      isSound,
      ...outcome,
      damage,
      isOpen,
      durationMs: Math.round(ms),
    });
  } else {
    await print(io, describeOutcome(io, outcome, ms));
  }
  if (isOpen)
    note(
      io,
      'The log is open: what was proven durable when this began is verified, and nothing that came since.',
    );
}

/** Throws what says that it could not be looked at. */
async function look(io: CliIo, directory: string, threads: number | undefined): Promise<Outcome> {
  const bar = progressBar(io, 'verifying');
  try {
    const segments = await segmentsOf(directory);
    io.signal.throwIfAborted();
    bar.update(
      0,
      segments.reduce((sum, { bytes, fileBytes }) => sum + (bytes ?? fileBytes), 0),
    );
    const verified = verifyLog(directory, {
      ...(threads !== undefined && { threads }),
      onProgress: ({ bytes, totalBytes }) => bar.update(bytes, totalBytes),
    });
    return await unlessAborted(io.signal, verified);
  } catch (error) {
    if (error instanceof CorruptError) return { damage: [error] };
    throw error;
  } finally {
    bar.stop();
  }
}

function describeOutcome(
  io: CliIo,
  { damage, segments, records, bytes = 0, firstLsn, lastLsn }: Outcome,
  ms: number,
): string {
  const lines: string[] = [];
  for (const { message, details } of damage) {
    const place = details.file === undefined || message.includes(details.file) ? '' : `${details.file}: `;
    lines.push(`${paint(io, 'red', 'damaged')}  ${place}${message}`);
  }
  if (segments !== undefined) {
    lines.push(
      `${counted(segments, 'segment')}, ${counted(records ?? 0, 'record')}, LSN ${firstLsn} to ${lastLsn}: ` +
        `${inBytes(bytes)} verified in ${inTime(ms)}, ${inBytes((bytes / ms) * 1000)}/s`,
    );
  }
  lines.push(
    damage.length === 0
      ? paint(io, 'green', 'The log is sound.')
      : 'Nothing was changed. `ringwal repair DIR` saves what is good into a new directory.',
  );
  return `${lines.join('\n')}\n`;
}
