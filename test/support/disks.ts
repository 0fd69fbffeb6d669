/**
 * disks: file systems in image files: makes them, mounts them, cuts their power. The mounting is done by
 * test/layers/native/disks.c, which takes everything back when this process is gone, whatever ended it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, truncateSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { compiledProgram, compilerLacks } from './native.js';
import { programPath } from './scratch.js';

const MiB = 1024 * 1024;

export interface FileSystem {
  readonly name: string;
  readonly type: 'ext4' | 'xfs';
  /** Arguments of mkfs. */
  readonly make: readonly string[];
  /** Options of the mount. */
  readonly mount: string;
  readonly bytes: number;
}

export function ext4(blockBytes: 1024 | 4096, data: 'ordered' | 'writeback' | 'journal'): FileSystem {
  return {
    name: `ext4, ${blockBytes} bytes, ${data}`,
    type: 'ext4',
    make: ['-q', '-F', '-b', `${blockBytes}`, '-J', `size=${blockBytes === 1024 ? 2 : 4}`],
    mount: `data=${data}`,
    bytes: 32 * MiB,
  };
}

/** Its least size is what mkfs.xfs wants; the file is sparse. */
export const xfs: FileSystem = {
  name: 'XFS',
  type: 'xfs',
  make: ['-q', '-f'],
  mount: 'nouuid',
  bytes: 300 * MiB,
};

export function makeImage(path: string, { type, make, bytes }: FileSystem): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
  execFileSync(`${programPath(`mkfs.${type}`)}`, [...make, path], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Why images can't be mounted here; with which programs. */
export function mountingLacks(...programs: string[]): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  const missing = programs.filter((name) => programPath(name) === undefined);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  try {
    accessSync('/dev/loop-control', constants.W_OK);
  } catch {
    return 'no loop devices (/dev/loop-control)';
  }
  return compilerLacks();
}

/** The process that mounts; `directory` is removed with it. */
export class Disks {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.#child = spawn(compiledProgram('disks'), [directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    if (this.#child.stdout === null) throw new Error('disks: no pipe');
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  mount(image: string, path: string, { type, mount }: FileSystem): Promise<void> {
    return this.#ask(`mount ${image} ${path} ${type} ${mount}`);
  }

  /** The same, of an image that may find no room underneath: its writes are stored or fail. */
  mountThin(image: string, path: string, { type, mount }: FileSystem): Promise<void> {
    return this.#ask(`thin ${image} ${path} ${type} ${mount}`);
  }

  /** A file system in memory, of that size. */
  mountMemory(path: string, bytes: number): Promise<void> {
    return this.#ask(`tmpfs ${path} ${bytes}`);
  }

  /** Its size from now on. */
  resizeMemory(path: string, bytes: number): Promise<void> {
    return this.#ask(`resize ${path} ${bytes}`);
  }

  unmount(path: string): Promise<void> {
    return this.#ask(`umount ${path}`);
  }

  /** The file system goes as if the power went: what is not on the device now never gets there. */
  cut(path: string): Promise<void> {
    return this.#ask(`cut ${path}`);
  }

  /** Unmounts `path` in the end, which somebody else has mounted. */
  track(path: string): Promise<void> {
    return this.#ask(`track ${path}`);
  }

  async end(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
  }

  #ask(command: string): Promise<void> {
    const asked = this.#last.then(async () => {
      this.#child.stdin?.write(`${command}\n`);
      const { value, done } = await this.#answers.next();
      if (done === true || value !== 'ok')
        throw new Error(`disks: ${command}: ${done ? 'it has died' : value}`);
    });
    this.#last = asked.catch(() => {});
    return asked;
  }
}
