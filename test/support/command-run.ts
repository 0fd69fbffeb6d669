/** command-run: one command of the command line, run in this process over streams that are kept. */
import { PassThrough, Writable } from 'node:stream';
import { Command } from 'commander';
import { tell } from '../../dist/src/cli/failure.js';
import { type CliIo, createIo, Interrupted } from '../../dist/src/cli/io.js';

export interface CommandRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Called before anything else. */
  onStart?(controls: Controls): void;
  /** Called with what was written to stdout so far. */
  onOutput?(stdout: string, controls: Controls): void;
}

export interface Controls {
  /** What a signal to the process does. */
  interrupt(): void;
  press(keys: string): void;
}

/** Runs the command that `add` adds with what follows the program's name on the command line. */
export async function runCommand(
  add: (program: Command, io: CliIo) => void,
  args: readonly string[],
  terminal: Terminal = {},
): Promise<CommandRun> {
  const { isTTY = false, columns = 80, rows = 24 } = terminal;
  const seen = { stdout: '', stderr: '' };
  const stdin = Object.assign(new PassThrough(), { isTTY, isRaw: false, setRawMode: () => stdin });
  const sink = (name: 'stdout' | 'stderr'): Writable & { isTTY: boolean; columns: number; rows: number } =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          seen[name] += String(chunk);
          done();
          if (name === 'stdout') terminal.onOutput?.(seen.stdout, controls);
        },
      }),
      { isTTY, columns, rows },
    );
  const { io, interrupt } = createIo({ stdin, stdout: sink('stdout'), stderr: sink('stderr') }, {});
  const controls: Controls = {
    interrupt: () => interrupt(new Interrupted('The process got SIGINT.')),
    press: (keys: string) => stdin.write(keys),
  };
  terminal.onStart?.(controls);
  const program = new Command('ringwal').exitOverride().configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => io.stderr.write(text),
  });
  add(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    tell(io, error, args.includes('--json'));
  }
  return { exitCode: io.exitCode, ...seen };
}
