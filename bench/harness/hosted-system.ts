/** hosted-system: a system in a process of its own, so that none shares a heap, an optimiser or threads with another. */
import { type ChildProcess, fork } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import type { HostAnswer, HostCall } from './host.js';
import type { Load, Measurement } from './load.js';
import type { SystemKind } from './system.js';

const HOST = new URL('./host.js', import.meta.url);

export class HostedSystem {
  readonly kind: SystemKind;
  readonly #directory: string;
  readonly #child: ChildProcess;
  /** Of the call that is under way; one at a time. */
  #settle: ((answer: HostAnswer) => void) | undefined;

  /** Opens a system in `directory`, which must not exist yet. */
  static async open(kind: SystemKind, directory: string, options?: unknown): Promise<HostedSystem> {
    mkdirSync(directory);
    chmodSync(directory, 0o711); // PostgreSQL's server refuses to run as root, and has to get at its own
    const hosted = new HostedSystem(kind, directory);
    try {
      await hosted.#ask({ call: 'open', kind: kind.name, directory, options });
      return hosted;
    } catch (error) {
      hosted.kill();
      throw error;
    }
  }

  private constructor(kind: SystemKind, directory: string) {
    this.kind = kind;
    this.#directory = directory;
    this.#child = fork(HOST, { serialization: 'advanced' });
    this.#child.on('message', (answer: HostAnswer) => this.#settle?.(answer));
    this.#child.once('exit', (code, signal) =>
      this.#settle?.({ error: `The process of ${kind.name} ended (${signal ?? code}).` }),
    );
  }

  measure(load: Load): Promise<Measurement> {
    return this.#ask({ call: 'measure', load }) as Promise<Measurement>;
  }

  /** Returns the port. */
  serve(isDurable: boolean): Promise<number> {
    return this.#ask({ call: 'serve', isDurable }) as Promise<number>;
  }

  served(): Promise<{ loopDelayP99Ms: number }> {
    return this.#ask({ call: 'served' }) as Promise<{ loopDelayP99Ms: number }>;
  }

  /** Closes it, and removes what it has written. */
  async close(): Promise<void> {
    try {
      await this.#ask({ call: 'close' });
    } finally {
      this.kill();
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #ask(call: HostCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#settle = (answer) => {
        this.#settle = undefined;
        if ('error' in answer) reject(new Error(`${this.kind.name}: ${answer.error}`));
        else resolve(answer.value);
      };
      this.#child.send(call);
    });
  }
}
