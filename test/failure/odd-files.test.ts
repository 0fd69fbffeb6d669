/** odd-files: a log directory that holds what no log put there, or is not there any more. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type LogOptions, openLog } from '../../dist/src/index.js';
import { fingerprint, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const SEGMENT = '00000000000000000001.wal';
const index = fileURLToPath(new URL('../../dist/src/index.js', import.meta.url));

it('other files are left alone', async () => {
  const directory = tempDir();
  for (const name of ['notes.txt', '1.wal', '.wal', 'lock-x.sock', '00000000000000000001.wal.bak']) {
    writeFileSync(join(directory, name), name);
  }
  mkdirSync(join(directory, 'folder'));
  const before = fingerprint(directory);
  const log = await openLog(directory, SMALL);
  expect(log.recovery).toMatchObject({ created: true });
  await log.close();
  expect(fingerprint(directory)).toEqual(expect.arrayContaining(before));
});

it('a directory in the place of a segment refuses with RINGWAL_IO', async () => {
  const directory = tempDir();
  mkdirSync(join(directory, SEGMENT));
  await expect(openLog(directory, SMALL)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
});

it('a FIFO in the place of a segment refuses with RINGWAL_IO, and nobody waits for its other end', async (context) => {
  const directory = tempDir();
  try {
    execFileSync('mkfifo', [join(directory, SEGMENT)]);
  } catch (error) {
    context.skip(`there is no mkfifo here (${error})`);
  }
  // In a process of its own: a thread that hangs in open(2) could not be ended.
  const code = `import { openLog } from ${JSON.stringify(index)};
    console.log(await openLog(${JSON.stringify(directory)}).then(() => 'open', (error) => error.code));
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    timeout: 5000,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [, signal] = await once(child, 'close');
  expect({ said: said.trim(), signal }).toEqual({ said: 'RINGWAL_IO', signal: null });
});

it('a directory that disappears makes reading fail with RINGWAL_IO, and closing not fail', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  await log.append('x');
  rmSync(directory, { recursive: true, maxRetries: 10 }); // the worker may be putting a spare there
  await expect(log.read().next()).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  await log.close();
});

it('a segment that disappears makes reading fail with RINGWAL_IO', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  await log.append('x');
  rmSync(join(directory, SEGMENT));
  await expect(log.read().next()).rejects.toMatchObject({ code: 'RINGWAL_IO', cause: { code: 'ENOENT' } });
  await log.close();
});
