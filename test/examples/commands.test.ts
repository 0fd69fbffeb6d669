/** commands: the command with which each example's README begins does what it says, from any directory, and ends by itself. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', '..');
const run = promisify(execFile);

// The live page and the HTTP service run until they are told to end: they have tests of their own.
it.each([
  ['job-queue', /added, not done, and missing: 0; done, and came again: 0/],
  ['event-sourcing', /lost 0; overdrawn accounts 0/],
  ['worker-pool', /20000 lines/],
  ['cluster', /of the answered ones 0 are missing/],
  ['memtable-kv', /opened .*operations replayed from the log \d+\n\d+ accounts hold/],
])('examples/%s runs with its one command', { timeout: 60_000 }, async (name, says) => {
  const readme = readFileSync(join(root, 'examples', name, 'README.md'), 'utf8');
  const [, program = '', args = ''] = must(
    /^npm run build:tools && node (dist-examples\/\S+\.js)([^#\n]*)/m.exec(readme) ?? undefined,
  );
  const given = args
    .replace(/\[.*?\]/g, '')
    .split(' ')
    .filter(Boolean);
  const { stdout, stderr } = await run(process.execPath, [join(root, program), ...given], { cwd: tempDir() });
  expect(stdout).toMatch(says);
  expect(stderr).toBe('');
});
