/**
 * lock-place: the lock is a socket file in the log's own directory, which nobody else may enter: another user can neither
 * take it in advance nor hold it, as he could with an abstract socket or a name in a shared directory.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { connect, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { openLog, type RingwalError } from '../../dist/src/index.js';
import { DirectoryLock } from '../../dist/src/lock/directory-lock.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 16_384 };
const NOBODY = 65_534;

// Class 60.
it('a log makes its directory for its owner alone, and every file in it, whatever the umask', async () => {
  const directory = join(tempDir(), 'log');
  const umask = process.umask(0);
  try {
    const log = await openLog(directory, SMALL);
    await log.append('x');
    await log.rotate();
    await log.cursor('c');
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const modes = readdirSync(directory)
      .flatMap((name) => lstatSync(join(directory, name), { throwIfNoEntry: false }) ?? []) // a spare gets its name
      .filter((stat) => stat.isFile())
      .map(({ mode }) => mode & 0o777);
    expect(modes.length).toBeGreaterThan(2);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    await log.close();
  } finally {
    process.umask(umask);
  }
});

it('the lock is a socket in that directory, and none in the abstract name space, which is open to all', async () => {
  const directory = join(tempDir(), 'log');
  const abstract = (): string[] => {
    try {
      return readFileSync('/proc/self/net/unix', 'utf8').match(/ @\S*(lock-|ringwal)\S*/g) ?? [];
    } catch {
      return []; // not Linux: there is no such name space
    }
  };
  const before = abstract();
  const log = await openLog(directory, SMALL);
  const sockets = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isSocket());
  expect(sockets.map(({ name }) => name)).toEqual(['lock-1.sock']);
  expect(abstract()).toEqual(before);
  await log.close();
});

it('another user can neither reach it nor squat it', async (context) => {
  if (process.getuid?.() !== 0) {
    console.log('not run: only root can be another user');
    return context.skip('not root');
  }
  const parent = tempDir();
  chmodSync(parent, 0o755);
  const directory = join(parent, 'log');
  const log = await openLog(directory, SMALL);
  const attempt = `
    const net = require('node:net'), fs = require('node:fs');
    const told = [];
    const tell = (error) => { told.push(error?.code ?? 'done'); if (told.length === 2) console.log(told.join()); };
    net.connect('${directory}/lock-1.sock').once('connect', () => tell()).once('error', tell);
    net.createServer().once('error', tell).listen('${directory}/lock-2.sock', () => tell());
  `;
  // A copy of Node's own path may not be his to read; then there is nothing to see.
  const other = spawnSync(process.execPath, ['-e', attempt], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
  if (other.error !== undefined || other.status !== 0) {
    console.log(
      `not run: no process for another user (${other.error?.message ?? other.stderr.slice(0, 100)})`,
    );
    await log.close();
    return context.skip('no process for another user');
  }
  expect(other.stdout.trim()).toBe('EACCES,EACCES');
  expect(await log.append('undisturbed')).toBe(1);
  await log.close();
});

it('what lies in its place and does not listen does not keep the log from being opened', async () => {
  const directory = join(tempDir(), 'log');
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(join(directory, 'lock-3.sock'), 'no socket');
  symlinkSync(join(dirname(directory), 'nowhere'), join(directory, 'lock-4.sock'));
  const log = await openLog(directory, SMALL);
  expect(readdirSync(directory).filter((name) => name.startsWith('lock-'))).toEqual(['lock-5.sock']);
  await expect(openLog(directory, SMALL)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
  await log.close();
});

it('what connects to it is told nothing, and may stay: the log is closed all the same', async () => {
  const directory = join(tempDir(), 'log');
  const log = await openLog(directory, SMALL);
  const socket = connect(join(directory, 'lock-1.sock'));
  const bytes: Buffer[] = [];
  socket.on('data', (data) => bytes.push(data));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.write('hello');
  await log.append('x');
  await log.close();
  await ended;
  expect(Buffer.concat(bytes).length).toBe(0);
});

// Its owner went on writing: with a second writer, who saw nobody, the log was soon refused as damaged.
it.each([
  ['was removed', () => {}],
  ['was removed, and the lock taken by another', (directory: string) => openLog(directory, SMALL)],
])(
  'a log whose lock file %s takes no more appends',
  async (_, then) => {
    const directory = join(tempDir(), 'log');
    const log = await openLog(directory, SMALL);
    expect(await log.append('before')).toBe(1);
    rmSync(join(directory, 'lock-1.sock'));
    const other = await then(directory);
    const refusal = async (): Promise<unknown> => log.append('x').catch((error: RingwalError) => error);
    await expect
      .poll(refusal, { timeout: 20_000 })
      .toMatchObject({ code: 'RINGWAL_POISONED', cause: { code: 'ENOLCK' } });
    await log.close();
    await other?.close();
    const again = await openLog(directory, SMALL);
    for await (const { payload } of again.read({ to: 1 }))
      expect(Buffer.from(payload).toString()).toBe('before');
    await again.close();
  },
  30_000,
);

it('a lock knows whether its file is there, and its own', async () => {
  const storage = await NodeStorage.open(tempDir(), { create: true });
  const { directory, reach } = storage;
  const file = join(directory, 'lock-1.sock');
  const lock = await DirectoryLock.acquire(directory, reach);
  expect(await lock.isInPlace()).toBe(true);
  rmSync(file);
  expect(await lock.isInPlace()).toBe(false);
  writeFileSync(file, '');
  expect(await lock.isInPlace()).toBe(false);
  await lock.release();
  await storage.close();
});

it('nothing is written any more by a log that lost its lock, by its maintenance neither', async () => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage, undefined, { segmentBytes: 4 * 1024 * 1024 });
  await log.append(payloadOf(1, 40));
  const running = log.engine.run();
  log.engine.nudge(); // a spare is being filled with zeros
  const failed = log.engine.fail(Object.assign(new Error('gone'), { code: 'ENOLCK' }));
  await Promise.all([running, failed]);
  const { length } = storage.operations;
  log.engine.nudge();
  await log.engine.maintenanceIdle();
  expect(storage.operations.slice(length)).toEqual([]);
  await expect(log.engine.rotate()).rejects.toMatchObject({ code: 'RINGWAL_POISONED' });
  await log.engine.close();
  expect(storage.openFiles).toEqual([]);
});

// It ended the I/O worker, and the log with it: a process at the limit of its open files, and `ringwal info` beside it.
it('a connection that can not be accepted does the owner no harm', async () => {
  const storage = await NodeStorage.open(tempDir(), { create: true });
  const { directory, reach } = storage;
  let accepted: (socket: Socket) => void = () => {};
  const connection = new Promise<Socket>((resolve) => {
    accepted = resolve;
  });
  const lock = await DirectoryLock.acquire(directory, reach, (socket) => accepted(socket));
  const client = connect(join(directory, 'lock-1.sock'));
  const { server } = (await connection) as Socket & { server: Server };
  // As Node does when `accept` fails.
  expect(() =>
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })),
  ).not.toThrow();
  expect(await DirectoryLock.isHeld(directory, reach)).toBe(true);
  client.destroy();
  await lock.release();
  await storage.close();
});

// It named the way by which the directory is reached, /proc/self/fd/22, and the errno lay one cause deeper.
it('a directory in which no lock can be made is refused with its own path and the errno of the system', async () => {
  const storage = await NodeStorage.open(tempDir(), { create: false });
  const { directory, reach } = storage;
  const noRoom = Object.assign(new Error(`EDQUOT, link '${reach}/a'`), { code: 'EDQUOT' });
  const link = vi.spyOn(promises, 'link').mockRejectedValueOnce(noRoom);
  syncBuiltinESMExports();
  try {
    await expect(DirectoryLock.acquire(directory, reach)).rejects.toMatchObject({
      code: 'RINGWAL_IO',
      message: `Locking ${directory} failed: EDQUOT, link '${directory}/a'`,
      cause: { code: 'EDQUOT' },
    });
  } finally {
    link.mockRestore();
    syncBuiltinESMExports();
  }
  rmSync(directory, { recursive: true });
  const refused = await DirectoryLock.acquire(directory, reach).catch((error: Error) => error);
  expect((refused as Error).message).toContain(`listen EACCES: permission denied ${directory}/lock-`);
  await storage.close();
});
