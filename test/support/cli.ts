/** cli: runs the command line in this process over streams of its own, or as a process. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createIo, Interrupted } from '../../dist/src/cli/io.js';
import { run } from '../../dist/src/cli/program.js';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliSurroundings {
  readonly stdin?: string | Uint8Array | Readable;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTty?: boolean;
}

/** A run under way. */
export interface CliRun {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly interrupt: () => void;
  /** Resolves when the program has ended; what it wrote is still in the streams. */
  readonly ended: Promise<number>;
}

export function startCli(args: readonly string[], surroundings: CliSurroundings = {}): CliRun {
  const { stdin = '', env = {}, isTty = false } = surroundings;
  const stream = (): PassThrough =>
    Object.assign(new PassThrough(), isTty ? { isTTY: true, columns: 100 } : {});
  const stdout = stream();
  const stderr = stream();
  const input = stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]);
  const { io, interrupt } = createIo({ stdin: input, stdout, stderr }, env);
  const ended = run(args, io).then(() => {
    stdout.end();
    stderr.end();
    return io.exitCode;
  });
  return { stdout, stderr, interrupt: () => interrupt(new Interrupted('SIGINT')), ended };
}

export async function cli(args: readonly string[], surroundings?: CliSurroundings): Promise<CliResult> {
  const { stdout, stderr, ended } = startCli(args, surroundings);
  const [out, err, code] = await Promise.all([text(stdout), text(stderr), ended]);
  return { code, out, err };
}

/** What a command printed with `--json`. */
export async function cliJson(args: readonly string[], surroundings?: CliSurroundings): Promise<unknown> {
  const { out } = await cli([...args, '--json'], surroundings);
  return JSON.parse(out) as unknown;
}

export const MAIN = join(
  import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  '../../dist/src/cli/main.js',
);

export function spawnCli(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe', ...options });
}
