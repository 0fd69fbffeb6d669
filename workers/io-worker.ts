/**
 * io-worker: the I/O worker's thread: takes the lock, opens the engine, answers control calls, commits.
 *
 * A plain Worker and not a pool's: a pool replaces a worker that died, which here would be a second writer.
 * One control port per thread that uses the log; when a port closes, its thread is gone and its ring with it.
 */
import { join } from 'node:path';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { EncryptionKey } from '../src/codec/encryption.js';
import { GroupSealer } from '../src/codec/group-sealer.js';
import { ControlChannel, serve } from '../src/control/calls.js';
import type {
  Attachment,
  FreedApi,
  OpenerApi,
  ProducerApi,
  UsedCursor,
  WorkerInput,
  WorkerStats,
} from '../src/control/contract.js';
import { segmentInfo } from '../src/control/segment-info.js';
import { LogEngine } from '../src/engine/log-engine.js';
import { systemEnvironment } from '../src/environment.js';
import { ClosedError, InvalidArgumentError, IoError } from '../src/errors.js';
import type { LiveStats } from '../src/live/contract.js';
import { tell } from '../src/live/tell.js';
import { DirectoryLock } from '../src/lock/directory-lock.js';
import type { OnFreed } from '../src/maintenance/freed-segments.js';
import type { RingConsumer } from '../src/ring/consumer.js';
import { LogState } from '../src/ring/log-state.js';
import { NodeStorage } from '../src/storage/node-storage.js';

/** How often is looked whether the lock file is still there: beside the commit path, and seldom enough to cost nothing. */
const LOCK_CHECK_MS = 1000;

const input = workerData as WorkerInput;
const state = new LogState(input.state);
let storage: NodeStorage | undefined;
let lock: DirectoryLock | undefined;
let engine: LogEngine | undefined;
let sealer: GroupSealer | undefined;
let directory = input.directory;
let lockCheck: NodeJS.Timeout | undefined;

/** The opener, as the one who wants to see freed segments. */
const freed = input.freedPort && new ControlChannel<FreedApi>(input.freedPort);
input.freedPort?.once('close', () => freed?.fail(new ClosedError('The thread that opened the log is gone.')));

function showFreed(opener: ControlChannel<FreedApi>): OnFreed {
  return ({ number, name, firstLsn, lastLsn, end }) =>
    opener.call('freed', {
      number,
      file: name,
      firstLsn,
      lastLsn,
      bytes: end,
      isClosed: true,
      path: join(directory, name),
    });
}

/** The engine, for calls that come after it was opened: all but the first. */
function opened(): LogEngine {
  if (engine === undefined) throw new ClosedError();
  return engine;
}

async function open() {
  storage = await NodeStorage.open(input.directory, { create: true }).catch((cause: unknown) => {
    throw new IoError(`Opening the directory ${input.directory}`, cause);
  });
  directory = storage.directory;
  try {
    lock = await DirectoryLock.acquire(storage.directory, storage.reach, (socket) => tell(socket, liveStats));
    storage.chooseSyncMode(input.options.syncMode); // behind the lock: it writes
    engine = await LogEngine.open(input.options, {
      storage,
      state,
      environment: systemEnvironment,
      onFreed: freed && showFreed(freed),
    });
    if (input.encryptionKey !== undefined) encryptWith(engine, input.encryptionKey);
  } catch (error) {
    await lock?.release();
    await storage.close();
    throw error;
  }
  void engine.run();
  lockCheck = setInterval(checkLock, LOCK_CHECK_MS, lock, engine).unref();
  return engine.summary;
}

/** Without its file the lock keeps nobody out: what is written may meet another writer's, and nothing more is. */
async function checkLock(lock: DirectoryLock, engine: LogEngine): Promise<void> {
  if (await lock.isInPlace()) return;
  clearInterval(lockCheck);
  const message = `The lock file in ${directory} was removed: another writer may be at work there.`;
  await engine.fail(Object.assign(new Error(message), { code: 'ENOLCK' }));
}

function encryptWith(opened: LogEngine, key: EncryptionKey): void {
  sealer = new GroupSealer(opened.logId, key, systemEnvironment.randomBytes);
  opened.setSealer(sealer);
}

/** Releases everything. The opener then ends the thread, and with it the ports of all others. */
async function close(): Promise<void> {
  clearInterval(lockCheck);
  try {
    await opened().close();
  } finally {
    await storage?.close();
    await lock?.release();
  }
}

function stats(): WorkerStats {
  return { ...opened().stats(), syncMode: (storage as NodeStorage).syncMode };
}

/** What other processes are told. */
function liveStats(): LiveStats {
  const { firstLsn, durableLsn, checkpointLsn } = state;
  const { segmentBytes, ringBytes, windowUs, maxGroupBytes, maxGroupRecords } = input.options;
  const { recycle, padGroups, recordChecksums, isEncrypted } = input.options;
  const groups = { maxGroupBytes, maxGroupRecords };
  return {
    ...stats(),
    ...{ pid: process.pid, epoch: opened().summary.epoch, firstLsn, durableLsn, checkpointLsn },
    options: {
      segmentBytes,
      ringBytes,
      windowUs,
      ...groups,
      recycle,
      padGroups,
      recordChecksums,
      isEncrypted,
    },
    segments: opened().view().segments.map(segmentInfo),
  };
}

/** What every thread that uses the log can call. */
function producerApi(port: MessagePort): ProducerApi {
  let ring: RingConsumer | undefined;
  port.on('close', () => {
    if (ring !== undefined) opened().detach(ring);
  });
  return {
    attach(memory: SharedArrayBuffer): Attachment {
      if (!(memory instanceof SharedArrayBuffer))
        throw new InvalidArgumentError('A ring must be shared memory.');
      ring = opened().attach(memory);
      const { reach, id } = storage as NodeStorage;
      return { place: { directory, reach, id } };
    },
    async withdraw(): Promise<void> {
      if (ring !== undefined) await opened().withdraw(ring);
    },
    options: () => ({ options: input.options, state: input.state, logId: opened().logId }),
    rotate: () => opened().rotate(),
    truncateBefore: (lsn: number, force: boolean) => opened().truncateBefore(lsn, force),
    truncateAfter: (lsn: number) => opened().truncateAfter(lsn),
    gcBefore: (segmentNumber: number) => opened().gcBefore(segmentNumber),
    async cursor(name: string): Promise<UsedCursor> {
      const { cursors } = opened();
      const position = await cursors.position(name);
      return { position, making: cursors.making(name) };
    },
    ackCursor: (name: string, lsn: number, making: number) => opened().cursors.ack(name, lsn, making),
    deleteCursor: (name: string, making?: number) => opened().cursors.remove(name, making),
    cursors: () => opened().cursors.list(),
    view: () => opened().view(),
    stats,
    adopt,
  };
}

/** Serves another thread's control port. */
function adopt(port: MessagePort): void {
  serve(port, producerApi(port));
}

const openerApi: OpenerApi = {
  ...producerApi(input.port),
  open,
  close,
  rotateKey: (key) => sealer?.rotate(key),
};
serve(input.port, openerApi);
