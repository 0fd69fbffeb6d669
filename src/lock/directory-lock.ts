/**
 * directory-lock: one writer per directory, across threads, processes and containers.
 *
 * The lock is a UNIX socket file in the directory on which its owner listens. Whether the owner lives is asked
 * of the kernel: `connect` succeeds, or is refused at once when the owner is gone, however it went. No pid is
 * compared, so pid namespaces don't matter; and a socket file is found through the file system, so network
 * namespaces don't either.
 *
 * The files are `lock-<n>.sock`. Rules:
 *   K1  The owner is the one whose socket has the highest n and listens.
 *   K2  To take the lock, see that the highest n is dead, listen on a socket of one's own, and `link` it to
 *       n + 1, which fails if somebody was faster.
 *   K3  Then look again: with a higher one there, the lock is lost to it.
 *   K4  Only the owner removes lower ones; nobody removes the highest, not even its owner when it closes.
 *   K5  Users may remove it all the same: the owner looks for its file once a second, and writes no more when it is gone.
 *
 * Two owners are impossible. Say B holds k + 1. It saw k dead. A live owner A with another number: if it holds
 * a lower one, then B or somebody between them saw it dead while it listened, which the kernel does not do. If
 * it holds a higher one, A linked its own before or after B looked again (K3): if before, B saw it and gave up;
 * if after, A had looked before it linked and must have seen k + 1, linked and listening, and given up. And a
 * number that was freed (K4) can be linked again only while a higher one exists, which K3 finds.
 *
 * Who connects to ask whether the owner lives says nothing and leaves. What else a connection may be good for is the
 * owner's affair (`onConnection`): the lock is held by listening, whatever becomes of connections.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, readdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { IoError, LockedError } from '../errors.js';

const LOCK_NAME = /^lock-(\d{1,15})\.sock$/;
/** Room for a socket's path in the kernel's address, less the terminator. */
const MAX_SOCKET_PATH_BYTES = 103;
/** Attempts after others were faster, before the lock counts as held. */
const ATTEMPTS = 8;

export class DirectoryLock {
  readonly #listening: Listening;
  readonly #file: string;
  readonly #inode: bigint;

  private constructor(listening: Listening, file: string, inode: bigint) {
    this.#listening = listening;
    this.#file = file;
    this.#inode = inode;
  }

  /**
   * Takes the lock of `directory`, which is reached by the path `reach`. Throws LockedError at once when another
   * holds it, IoError when it can't be told. `onConnection` gets each connection to the socket.
   */
  static async acquire(
    directory: string,
    reach: string,
    onConnection: (socket: Socket) => void = (socket) => socket.destroy(),
  ): Promise<DirectoryLock> {
    requireShort(directory, reach);
    const own = `lock-${randomBytes(8).toString('hex')}.tmp`;
    let listening: Listening | undefined;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const highest = (await lockNumbers(reach)).at(-1) ?? 0;
        if (highest > 0 && (await isAlive(join(reach, lockName(highest))))) throw locked(directory);
        listening ??= await listen(join(reach, own), onConnection);
        if (!(await tryLink(reach, own, highest + 1))) continue;
        const numbers = await lockNumbers(reach);
        if (numbers.at(-1) !== highest + 1) continue; // K3
        for (const lower of numbers.slice(0, -1)) await unlink(join(reach, lockName(lower))).catch(() => {});
        const { ino } = await lstat(join(reach, own), { bigint: true });
        await unlink(join(reach, own)).catch(() => {});
        return new DirectoryLock(listening, join(reach, lockName(highest + 1)), ino);
      }
      throw locked(directory);
    } catch (error) {
      await close(listening);
      await unlink(join(reach, own)).catch(() => {});
      throw error instanceof LockedError
        ? error
        : new IoError(`Locking ${directory}`, named(error, directory, reach));
    }
  }

  /**
   * Whether somebody holds the lock of `directory` at this moment; takes nothing and changes nothing. True also when
   * it can't be told (another user's socket, a path too long): who asks then takes the directory for one in use.
   */
  static async isHeld(directory: string, reach: string): Promise<boolean> {
    try {
      return (await DirectoryLock.#askOwner(directory, reach, isAlive)) !== undefined;
    } catch {
      return true;
    }
  }

  /** A connection to the owner of `directory`; undefined: nobody holds it. Throws what the system says, when it can't be told. */
  static reach(directory: string, reach: string): Promise<Socket | undefined> {
    return DirectoryLock.#askOwner(directory, reach, connectTo);
  }

  /** What `ask` says of the owner's socket, which is not false or undefined; undefined: there is no owner. */
  static async #askOwner<T>(
    directory: string,
    reach: string,
    ask: (path: string) => Promise<T | false | undefined>,
  ): Promise<T | undefined> {
    requireShort(directory, reach);
    for (let seen = 0; ; ) {
      const highest = (await lockNumbers(reach)).at(-1) ?? 0;
      // Nobody took it between the question and the answer: K1 for the highest number, which is still the same.
      if (highest === seen) return undefined;
      const answer = await ask(join(reach, lockName(highest)));
      if (answer !== false && answer !== undefined) return answer;
      seen = highest;
    }
  }

  /**
   * Whether the lock file is there, and still this one: when somebody has removed it, K1 and K2 lead others to take the
   * directory for free. True also when it can't be told.
   */
  async isInPlace(): Promise<boolean> {
    try {
      return (await lstat(this.#file, { bigint: true })).ino === this.#inode;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  }

  /** Gives the lock back: the kernel refuses connections from now on. */
  release(): Promise<void> {
    return close(this.#listening);
  }
}

function locked(directory: string): LockedError {
  return new LockedError(
    `The log in ${directory} is open already, in this or another process (the command "ringwal info" names it). Close it there first.`,
  );
}

/** The error, with the directory's path where the way to it was named: who reads it knows that one. */
function named(error: unknown, directory: string, reach: string): unknown {
  if (error instanceof Error) error.message = error.message.replaceAll(reach, directory);
  return error;
}

function lockName(number: number): string {
  return `lock-${number}.sock`;
}

/** The numbers of all lock files, lowest first. */
async function lockNumbers(directory: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await readdir(directory)) {
    const digits = LOCK_NAME.exec(name)?.[1];
    if (digits !== undefined && Number(digits) > 0) numbers.push(Number(digits));
  }
  return numbers.sort((a, b) => a - b);
}

/** Throws IoError where the name of a lock file does not fit into a socket's address: the kernel would cut it off. */
function requireShort(directory: string, reach: string): void {
  if (Buffer.byteLength(reach) + 32 <= MAX_SOCKET_PATH_BYTES) return;
  throw new IoError(
    `Locking ${directory}`,
    new Error('the path is too long for a UNIX socket; use a shorter one'),
  );
}

async function isAlive(path: string): Promise<boolean> {
  try {
    const socket = await connectTo(path);
    socket?.destroy();
    return socket !== undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return true; // its queue of connections is full: it listens
    throw error;
  }
}

/** Undefined: nobody listens. */
function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined);
      else reject(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

interface Listening {
  readonly server: Server;
  readonly connected: ReadonlySet<Socket>;
}

function listen(path: string, onConnection: (socket: Socket) => void): Promise<Listening> {
  const connected = new Set<Socket>();
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      connected.add(socket);
      socket.once('close', () => connected.delete(socket));
      onConnection(socket);
    });
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      // Of a connection that could not be accepted (EMFILE): nothing to the lock, which is held by listening.
      server.on('error', () => {});
      server.unref();
      resolve({ server, connected });
    });
  });
}

async function tryLink(directory: string, own: string, number: number): Promise<boolean> {
  try {
    await link(join(directory, own), join(directory, lockName(number)));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Cuts off who is connected: the server is closed only when nobody is. */
function close(listening: Listening | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (listening === undefined) return resolve();
    listening.server.close(() => resolve());
    for (const socket of listening.connected) socket.destroy();
  });
}
