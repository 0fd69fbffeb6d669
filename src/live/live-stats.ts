/** live-stats: asks the process that has a log open how it is doing, through the socket of its lock. */
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { IoError } from '../errors.js';
import { DirectoryLock } from '../lock/directory-lock.js';
import { openDirectory } from '../storage/open-directory.js';
import { ASK, type LiveAnswer, type LiveStats } from './contract.js';

/** A worker answers within its longest write; one that is stopped, or older than this question, does not. */
const PATIENCE_MS = 5000;
const ATTEMPTS = 5;

/**
 * What the I/O worker that has the log in directory `path` open tells of it, whichever process that is in; undefined
 * when nobody has it open. No record's content is told. It costs the worker about what `stats()` does.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT, and with RINGWAL_IO when the directory is not there, when its socket may not be
 * used (that is left to the user who owns the log), and when there is no answer within 5 s.
 */
export async function liveStats(path: string): Promise<LiveStats | undefined> {
  const storage = await openDirectory(path);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const socket = await DirectoryLock.reach(storage.directory, storage.reach);
      if (socket === undefined) return undefined;
      const line = await ask(socket);
      if (!line.endsWith('\n')) continue; // cut off: the log is being closed, and soon nobody is there
      const answer = JSON.parse(line) as LiveAnswer;
      if ('error' in answer) throw new Error(answer.error);
      return answer.stats;
    }
    throw new Error('it does not answer');
  } catch (cause) {
    throw new IoError(`Asking the process that has the log in ${path} open`, cause);
  } finally {
    await storage.close();
  }
}

async function ask(socket: Socket): Promise<string> {
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer within 5 s')));
  socket.write(ASK);
  try {
    return await text(socket);
  } catch (error) {
    if (['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
