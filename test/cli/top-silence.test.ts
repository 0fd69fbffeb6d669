/** top-silence: a log that does not answer is told from one that does nothing, wherever `ringwal top` writes to. */
import { expect, it, onTestFinished } from 'vitest';
import { addTop } from '../../dist/src/cli/commands/top.js';
import { liveStats, openLog } from '../../dist/src/index.js';
import { DirectoryLock } from '../../dist/src/lock/directory-lock.js';
import { openDirectory } from '../../dist/src/storage/open-directory.js';
import { runCommand } from '../support/command-run.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

/** The directory of a log that answers once, and then as if its time were up. */
async function silentLog(): Promise<string> {
  const directory = tempDir();
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 65_536 });
  const stats = must(await liveStats(directory));
  await log.close();
  const storage = await openDirectory(directory);
  let asked = 0;
  const lock = await DirectoryLock.acquire(directory, storage.reach, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const answer = asked++ === 0 ? { stats } : { error: 'no answer within 5 s' };
      socket.end(`${JSON.stringify(answer)}\n`);
    });
  });
  onTestFinished(async () => {
    await lock.release();
    await storage.close();
  });
  return directory;
}

it('is said to a program in the object of the interval', async () => {
  const { exitCode, stdout } = await runCommand(addTop, [
    ...['top', await silentLog(), '--json', '--once', '--interval', '0.05'],
  ]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    interval: null,
    warning: expect.stringMatching(/does not answer/),
  });
});

it('is said beside the lines where there is no terminal', async () => {
  const { exitCode, stderr } = await runCommand(addTop, ['top', await silentLog(), '--interval', '0.05'], {
    onOutput: (stdout, { interrupt }) => stdout.split('\n').length > 2 && interrupt(),
  });
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/does not answer/);
});
