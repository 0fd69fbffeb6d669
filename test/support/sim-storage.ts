/**
 * sim-storage: a directory in memory that knows, at every instant, what a crash could leave of it.
 *
 * The crash model (numbers as in the reliability survey; `crashStates` enumerates what it allows):
 *
 *  M1  An unsynced write survives in any subset of its 512-byte sectors; the others are as before, or, as a
 *      switch, zeros or garbage. M2  So does the file's size, independently of the data.
 *  M3  Each create, link and unlink survives or not on its own until the directory is synced. M4  Syncing a
 *      file does not make its name durable. M5  It makes data and size durable.
 *  M6  A recycled file starts out with its old, valid content: content belongs to files, not to names.
 *  M7  A failed sync leaves the data neither durable nor dirty (`failedSync` says how).
 *  M8  A failed write may have put a part into the cache.
 *  M9  Without power-safe overwrite, a page that is being written may be lost with all that it held before.
 *
 * What the program under test must not do, whatever a real file system would let pass, throws `SimViolation`
 * and stays in `violations`:
 *
 *  V1  use a file after closing it, or the storage; write to a file opened for reading
 *  V2  use a name that could lead out of the directory
 *  V3  change bytes below the highest synced group of a file that is, or after a crash may be, a published
 *      one
 *  V4  change at all a published file that was there when the storage was started
 *
 * Everything is deterministic, and every promise settles without a timer.
 */
import type { Storage, StorageFile } from '../../dist/src/storage/storage.js';
import { Directory } from './sim-directory.js';
import { type FaultPlan, formatOperation, type SimOperation, type SimOperationKind } from './sim-fault.js';
import { SimFile, type SimFileHost } from './sim-file.js';
import { type Entered, type OperationDetails, SimGate } from './sim-gate.js';
import { FileImage, Image, nameHash } from './sim-image.js';
import { type FailedSync, Inode } from './sim-inode.js';

export interface SimStorageOptions {
  /** Asked before each operation. */
  readonly plan?: FaultPlan;
  readonly failedSync?: FailedSync;
  /** How the names of published segments end. */
  readonly logSuffix?: string;
  /** Whether to look after V3. */
  readonly checksOverwrites?: boolean;
  /** Whether to look after V4. */
  readonly checksOldFiles?: boolean;
}

export class SimStorage implements Storage {
  readonly directory: Directory;
  readonly #gate: SimGate;
  readonly #host: SimFileHost;
  readonly #options: SimStorageOptions;
  #isClosed = false;
  #lastInode = 0;

  constructor(options: SimStorageOptions = {}, directory: Directory = new Directory()) {
    const {
      plan = () => undefined,
      failedSync = 'lost',
      logSuffix = '.wal',
      checksOldFiles = true,
    } = options;
    const { checksOverwrites = true } = options;
    this.#options = options;
    this.directory = directory;
    const gate = new SimGate(plan);
    const logNameOf = (wanted: Inode): string | undefined => {
      for (const [name, inode] of this.directory.possible()) {
        if (inode === wanted && name.endsWith(logSuffix)) return name;
      }
      return undefined;
    };
    this.#gate = gate;
    const linksOf = (wanted: Inode): number =>
      [...this.directory.live.values()].filter((inode) => inode === wanted).length;
    this.#host = { gate, failedSync, logNameOf: checksOverwrites ? logNameOf : () => undefined, linksOf };
    for (const [name, inode] of directory.possible()) {
      this.#lastInode = Math.max(this.#lastInode, inode.id);
      if (checksOldFiles && name.endsWith(logSuffix)) inode.protectedEnd = Infinity;
    }
  }

  /** A machine that starts with `image` on its disk and nothing in its cache. */
  static boot(image: Image, options: SimStorageOptions = {}): SimStorage {
    const directory = new Directory();
    const inodes = new Map<FileImage, Inode>();
    for (const [name, file] of image.files) {
      const inode = inodes.get(file) ?? Inode.fromImage(inodes.size + 1, file);
      inodes.set(file, inode);
      directory.live.set(name, inode);
      directory.durable.set(name, inode);
    }
    return new SimStorage(options, directory);
  }

  /**
   * The same machine with the process restarted (kill -9): the cache is as it was, and what was not synced
   * can still be lost. Settings are kept, apart from the fault plan; nothing is shared with this storage.
   */
  fork(options: SimStorageOptions = {}): SimStorage {
    const { plan: _, ...settings } = this.#options;
    return new SimStorage({ ...settings, ...options }, this.directory.clone());
  }

  /** Runs `look`, of a test, without asking the fault plan: what it plans is for the program. */
  async spared<T>(look: () => Promise<T>): Promise<T> {
    this.#gate.isSpared = true;
    try {
      return await look();
    } finally {
      this.#gate.isSpared = false;
    }
  }

  /** Stops the machine: from now on every operation throws `SimCrash`. */
  crash(): void {
    this.#gate.isCrashed = true;
  }

  get isCrashed(): boolean {
    return this.#gate.isCrashed;
  }

  /** All operations so far, the one that crashed included. */
  get operations(): readonly SimOperation[] {
    return this.#gate.operations;
  }

  get violations(): readonly string[] {
    return this.#gate.violations;
  }

  /** Names of the files that are open, one entry for each time. */
  get openFiles(): readonly string[] {
    return this.#gate.openFiles;
  }

  /** The last operations, one per line, for messages. */
  log(count = 40): string {
    return this.operations.slice(-count).map(formatOperation).join('\n');
  }

  /** What a program sees now: as an image to boot from, it is a crash in which everything survived. */
  liveImage(): Image {
    const images = new Map<Inode, FileImage>();
    return this.#image(this.directory.live, images, (inode) => inode.liveImage());
  }

  /** What is certain to survive: a crash in which nothing unsynced did. */
  durableImage(): Image {
    const images = new Map<Inode, FileImage>();
    return this.#image(
      this.directory.durable,
      images,
      (inode) => new FileImage(inode.durable.slice(), inode.durableSize),
    );
  }

  async list(): Promise<string[]> {
    // In no order, says the interface: scrambled, so that nobody comes to rely on one.
    return this.#gate.run(this.#enter('list', ''), () =>
      [...this.directory.live.keys()].sort((a, b) => nameHash(a).low - nameHash(b).low),
    );
  }

  async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    const entered = this.#enter('open', name);
    const inode = this.#gate.run(
      entered,
      () => this.directory.live.get(name) ?? this.#gate.refuse(entered.operation, 'ENOENT'),
    );
    return new SimFile(this.#host, inode, name, access);
  }

  async create(name: string): Promise<StorageFile> {
    const entered = this.#enter('create', name);
    const inode = new Inode(this.#lastInode + 1);
    this.#gate.run(entered, () => {
      if (this.directory.live.has(name)) return this.#gate.refuse(entered.operation, 'EEXIST');
      this.#lastInode = inode.id;
      return this.directory.set(name, inode, entered.operation.index);
    });
    return new SimFile(this.#host, inode, name, 'write');
  }

  async link(existing: string, name: string): Promise<void> {
    const entered = this.#enter('link', existing, { newName: name });
    this.#gate.run(entered, () => {
      const inode = this.directory.live.get(existing);
      if (inode === undefined) return this.#gate.refuse(entered.operation, 'ENOENT');
      if (this.directory.live.has(name)) return this.#gate.refuse(entered.operation, 'EEXIST');
      return this.directory.set(name, inode, entered.operation.index);
    });
  }

  async unlink(name: string): Promise<void> {
    const entered = this.#enter('unlink', name);
    this.#gate.run(entered, () => {
      if (!this.directory.live.has(name)) return this.#gate.refuse(entered.operation, 'ENOENT');
      return this.directory.set(name, undefined, entered.operation.index);
    });
  }

  async syncDirectory(): Promise<void> {
    const entered = this.#enter('syncDirectory', '');
    if (entered.fault !== undefined && entered.fault.isApplied !== true) {
      this.directory.failSync(this.#host.failedSync);
    }
    this.#gate.run(entered, () => this.directory.sync());
  }

  async close(): Promise<void> {
    const entered = this.#enter('closeStorage', '');
    this.#isClosed = true;
    this.#gate.run(entered, () => undefined);
  }

  #enter(kind: SimOperationKind, name: string, details: OperationDetails = {}): Entered {
    let objection = this.#isClosed ? 'the storage is closed' : undefined;
    const names = kind === 'list' || kind === 'syncDirectory' || kind === 'closeStorage' ? [] : [name];
    if (details.newName !== undefined) names.push(details.newName);
    for (const used of names) if (!isPlainName(used)) objection ??= `not a plain file name: '${used}'`;
    return this.#gate.enter(kind, name, details, objection);
  }

  #image(
    names: ReadonlyMap<string, Inode>,
    images: Map<Inode, FileImage>,
    toImage: (inode: Inode) => FileImage,
  ): Image {
    const files = new Map<string, FileImage>();
    for (const [name, inode] of names) {
      const image = images.get(inode) ?? toImage(inode);
      images.set(inode, image);
      files.set(name, image);
    }
    return new Image(files);
  }
}

function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}
