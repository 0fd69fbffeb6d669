/** failure: the one place that tells of errors: what happened, its code, and what to do. */
import { CommanderError } from 'commander';
import { describe, RingwalError, type RingwalErrorCode } from '../errors.js';
import { paint } from './colours.js';
import { type CliIo, Interrupted, OutputFailed, PipeClosed } from './io.js';

export const EXIT_BAD_NEWS = 1;
const EXIT_FAILED = 2;
export const EXIT_INTERRUPTED = 130;

/** An error of the command line itself. */
export class CliError extends Error {
  readonly code: string;
  /** What to do, a sentence. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** What to do, where the message of the error does not say it already. */
const hints: Partial<Record<RingwalErrorCode, string>> = {
  RINGWAL_LOCKED:
    'Stop the process that has it open, or ask that process to do it. Reading (info, cat, tail, top) needs no lock.',
  RINGWAL_CORRUPT:
    'Nothing was changed. `ringwal verify DIR` lists all damage; `ringwal repair DIR` saves what is good into a new directory.',
  RINGWAL_UNSUPPORTED_VERSION: 'Use the version of ringwal, and of Node, that wrote the log.',
  RINGWAL_DECRYPTION:
    'Give the key with `--key-file FILE`: 32 bytes, or 64 hex digits; and `--plain-before LSN` where records before it are in plain.',
  RINGWAL_TRUNCATED: '`ringwal info DIR` shows which LSNs there are.',
  RINGWAL_OUT_OF_RANGE: '`ringwal info DIR` shows which LSNs there are.',
};

/** Why a file system refuses, in words. */
const errnoHints: Readonly<Record<string, string>> = {
  EACCES: 'Run it as the user who owns the log.',
  EPERM: 'Run it as the user who owns the log.',
  ENOSPC:
    'The disk is full. Opening a log takes some room itself: free some, or copy the directory to another disk; then `ringwal gc DIR`.',
  EROFS: 'The file system is mounted read-only.',
};

/** Tells of `error` on stderr and sets the exit code; help that was asked for and closed pipes are no errors. */
export function tell(io: CliIo, error: unknown, isJson: boolean): void {
  if (error instanceof PipeClosed) return;
  if (error instanceof CommanderError) {
    io.exitCode = error.exitCode === 0 ? 0 : EXIT_FAILED; // commander has said what is wrong
    return;
  }
  if (error instanceof Interrupted) {
    io.exitCode = EXIT_INTERRUPTED;
    return;
  }
  io.exitCode = EXIT_FAILED;
  const { code, message, hint } = failureOf(error);
  if (isJson) {
    io.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
    return;
  }
  const colours = { hasColour: io.hasColour && io.isStderrTty };
  io.stderr.write(`${paint(colours, 'red', 'error:')} ${message}${code === undefined ? '' : ` (${code})`}\n`);
  if (hint !== undefined) io.stderr.write(`${hint}\n`);
}

/** An error as it is told. */
export function failureOf(error: unknown): {
  code: string | undefined;
  message: string;
  hint: string | undefined;
} {
  if (error instanceof CliError) return { code: error.code, message: error.message, hint: error.hint };
  if (error instanceof OutputFailed) return { code: error.code, message: error.message, hint: undefined };
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const message = error instanceof RingwalError ? error.message : describe(error);
  return { code, message, hint: hintOf(error) };
}

function hintOf(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth++) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const hint = hints[code as RingwalErrorCode] ?? errnoHints[code];
    if (hint !== undefined) return hint;
  }
  return undefined;
}
