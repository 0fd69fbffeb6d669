/** io: what a command gets of its surroundings: streams, what they can show, and when to stop. */
import type { Readable, Writable } from 'node:stream';

/** The surroundings of one run of the program; tests give streams of their own. */
export interface CliIo {
  readonly stdin: Readable;
  /** Results and nothing else. */
  readonly stdout: Writable;
  /** Progress, notes and errors. */
  readonly stderr: Writable;
  readonly isStderrTty: boolean;
  readonly isStdoutTty: boolean;
  /** Width of the terminal; 80 where there is none. */
  readonly columns: number;
  /** Whether what goes to stdout may be coloured. */
  readonly hasColour: boolean;
  /** Aborted by a signal to the process (reason: Interrupted), and when nobody reads stdout any more (PipeClosed) or it fails. */
  readonly signal: AbortSignal;
  /** 0: as asked; 1: done, and the answer is bad news; 2: could not be done; 130: interrupted. Commands set it. */
  exitCode: number;
}

/** Why a command is to stop: the process got a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Why a command is to stop: nobody reads its output any more, as behind `| head`. */
export class PipeClosed extends Error {
  override readonly name = 'PipeClosed';
}

/** Why a command is to stop: its output can't be written. It is not the disk of the log that is full then. */
export class OutputFailed extends Error {
  override readonly name = 'OutputFailed';
  readonly code: string | undefined;

  constructor({ code, message }: NodeJS.ErrnoException) {
    super(`The output can't be written: ${message}.`);
    this.code = code;
  }
}

export interface CliStreams {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

const COLUMNS = 80;

/** The surroundings made of these streams and environment variables, and the way to interrupt them. */
export function createIo(
  { stdin, stdout, stderr }: CliStreams,
  env: Readonly<Record<string, string | undefined>>,
): { io: CliIo; interrupt: (reason: Interrupted) => void } {
  const controller = new AbortController();
  const isStdoutTty = stdout.isTTY === true;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    controller.abort(outputError(error));
  });
  stderr.on('error', () => {}); // there is no other place to say so
  const io: CliIo = {
    stdin,
    stdout,
    stderr,
    isStdoutTty,
    isStderrTty: stderr.isTTY === true,
    columns: stdout.columns || stderr.columns || COLUMNS, // some terminals say 0
    hasColour: wantsColour(env, isStdoutTty),
    signal: controller.signal,
    exitCode: 0,
  };
  return { io, interrupt: (reason) => controller.abort(reason) };
}

/** NO_COLOR wins over FORCE_COLOR, as no-color.org says; without either, terminals that can get colours. */
function wantsColour(env: Readonly<Record<string, string | undefined>>, isTty: boolean): boolean {
  const { NO_COLOR: none = '', FORCE_COLOR: force, TERM: term } = env;
  if (none !== '') return false;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTty && term !== 'dumb';
}

/** Writes to stdout at the pace at which it is read. Throws PipeClosed when nobody reads any more, or what went wrong. */
export function print(io: CliIo, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not by 'drain', which never comes once the stream has failed.
    const hasRoom = io.stdout.write(chunk, (error) => settle(io, error, resolve, reject));
    if (hasRoom) resolve();
  });
}

/** Resolves when all that was printed has left this process; throws as `print` does. */
export function flushed(io: CliIo): Promise<void> {
  return new Promise((resolve, reject) => {
    io.stdout.write('', (error) => settle(io, error, resolve, reject));
  });
}

function settle(
  { stdout }: CliIo,
  error: NodeJS.ErrnoException | null | undefined,
  resolve: () => void,
  reject: (error: unknown) => void,
): void {
  if (!error) {
    resolve();
    return;
  }
  const cause: NodeJS.ErrnoException = stdout.errored ?? error; // the first one, not that the stream is destroyed now
  reject(outputError(cause));
}

function outputError(error: NodeJS.ErrnoException): PipeClosed | OutputFailed {
  return error.code === 'EPIPE'
    ? new PipeClosed('Nobody reads the output any more.')
    : new OutputFailed(error);
}

/** One JSON value on a line of stdout. */
export function printJson(io: CliIo, value: unknown): Promise<void> {
  return print(io, `${JSON.stringify(value)}\n`);
}

/** A line for the human, on stderr. */
export function note(io: CliIo, text: string): void {
  io.stderr.write(`${text}\n`);
}
