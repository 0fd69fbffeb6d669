/** live-stats: asks the process that has a log open how it is doing, through the socket of its lock. */
import type { Socket } from 'node:net';
import { IoError } from '../errors.js';
import { DirectoryLock } from '../lock/directory-lock.js';
import { openDirectory } from '../storage/open-directory.js';
import { ASK, type LiveStats } from './contract.js';

/** A worker answers within its longest write; one that is stopped, or older than this question, does not. */
const PATIENCE_MS = 5000;
const ATTEMPTS = 5;
/** Characters of an answer: some hundred thousand segments. Who sends more is no I/O worker. */
const MOST_ANSWER = 64 * 1024 * 1024;

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
      return statsIn(JSON.parse(line));
    }
    throw new Error('it does not answer');
  } catch (cause) {
    throw new IoError(`Asking the process that has the log in ${path} open`, cause);
  } finally {
    await storage.close();
  }
}

/** Whoever listens there may say anything: only as much is taken as an I/O worker says, and for as long. */
async function ask(socket: Socket): Promise<string> {
  const late = setTimeout(() => socket.destroy(new Error('no answer within 5 s')), PATIENCE_MS);
  socket.setEncoding('utf8');
  socket.write(ASK);
  try {
    let answer = '';
    for await (const part of socket as AsyncIterable<string>) {
      answer += part;
      if (answer.length > MOST_ANSWER) throw new Error('its answer has no end');
    }
    return answer;
  } catch (error) {
    if (['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Throws what the answer says that went wrong, and for what is none: that must not look as if nobody had the log open. */
function statsIn(answer: Partial<Record<'error' | 'stats', unknown>> | null): LiveStats {
  if (typeof answer?.error === 'string') throw new Error(answer.error);
  const stats = answer?.stats as Partial<LiveStats> | null | undefined;
  if (typeof stats?.pid === 'number' && Array.isArray(stats.segments)) return stats as LiveStats;
  throw new Error('its answer is not one of this version');
}
