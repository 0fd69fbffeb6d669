/** dashboard: the example serves the page of a log that grows, and ends cleanly when it is interrupted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { firstUpdate } from '../dashboard/client.js';
import { tempDir } from '../support/temp-dir.js';

it('shows a log that grows, and closes it when it is interrupted', async () => {
  const directory = tempDir();
  const main = fileURLToPath(new URL('../../dist-examples/dashboard/main.js', import.meta.url));
  const example = spawn(process.execPath, [main, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void example.kill('SIGKILL'));
  const lines = createInterface(example.stdout)[Symbol.asyncIterator]();
  const [url = ''] = /^http:\S+/.exec((await lines.next()).value ?? '') ?? [];
  const { figures } = await firstUpdate(url, (update) => (update.figures?.records ?? 0) > 10);
  example.kill('SIGINT');
  const [code] = await once(example, 'exit');
  expect(code).toBe(0);
  expect(await lines.next()).toMatchObject({ value: 'closed' });
  const log = await openLog(directory);
  onTestFinished(() => log.close());
  expect(log.durableLsn).toBeGreaterThanOrEqual(figures?.durableLsn ?? 0);
});
