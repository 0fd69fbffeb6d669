/** server: a database server as a child process, for as long as a system is open; and where its program is. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;
const RETRY_MS = 20;
const STOP_MS = 20_000;
/** Of what it said, so much is told when it fails. */
const OUTPUT_CHARACTERS = 2000;

/** Where `program` is: in the PATH, or in one of `folders`. */
export function findProgram(program: string, folders: readonly string[] = []): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter);
  return [...path, ...folders].map((folder) => join(folder, program)).find(isExecutable);
}

/** Folders of PostgreSQL's programs where Debian has them, which is not in the PATH; the newest first. */
export function debianPostgresFolders(): string[] {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export class Server {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #watchdog: ChildProcess;
  #output = '';

  constructor(program: string, parameters: readonly string[], options: SpawnOptions) {
    this.#name = program;
    this.#child = spawn(program, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_CHARACTERS);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#child.on('error', (error) => keep(Buffer.from(error.message)));
    // Its pipe ends with this process, however that ends: then the server must not stay.
    this.#watchdog = spawn('sh', ['-c', 'read _; kill "$0"', `${this.#child.pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
  }

  /** Tries `connect` until it succeeds: until the server listens. */
  async connect<T>(connect: () => Promise<T>): Promise<T> {
    for (const end = performance.now() + START_MS; ; ) {
      try {
        return await connect();
      } catch (error) {
        if (this.#hasEnded || performance.now() > end) {
          await this.stop('SIGKILL');
          throw new Error(`${this.#name} does not listen: ${this.#output}`, { cause: error });
        }
        await sleep(RETRY_MS);
      }
    }
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#watchdog.kill('SIGKILL');
    if (this.#hasEnded) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(late);
  }

  get #hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }
}
