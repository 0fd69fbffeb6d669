/** takeover: a follower in this process goes on when its writer is killed and another one opens the log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openReader } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/tail-writer.mjs', import.meta.url));
const WRITERS = 3;

/** Runs a writer until it has acknowledged `records`, and kills it then; returns the last LSN that it told. */
async function killedWriter(directory: string, records: number): Promise<number> {
  const child = spawn(process.execPath, [FIXTURE, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let last = 0;
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (++told === records) child.kill('SIGKILL');
  }
  await exit;
  return last;
}

it('gives every acknowledged record once and in order, over writers that are killed one after the other', async () => {
  const directory = tempDir();
  await using reader = await openReader(directory);
  const tail = reader.tail({ intervalMs: 2 });
  let next = 1;
  for (let writer = 0; writer < WRITERS; writer++) {
    const writing = killedWriter(directory, 60);
    const last = (await Promise.all([writing, tail.next().then(check)]))[0];
    while (next <= last) check(await tail.next());
  }
  await tail.return();

  function check({ value }: Awaited<ReturnType<typeof tail.next>>): void {
    expect(value?.lsn).toBe(next);
    expect(Buffer.from(value?.payload ?? []).readUInt32LE()).toBe(next++);
  }
});
