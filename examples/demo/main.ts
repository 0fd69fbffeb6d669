/** main: `npm start`: ingest a text at growing concurrency, then kill writers and show that nothing is lost. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLog } from 'ringwal';
import { type IngestResult, ingest } from './ingest.js';
import { killAndRecover } from './kill.js';
import { count, progress, say, styled, table } from './terminal.js';

const IN_FLIGHT = [1, 10, 100, 1000, 10_000];
const INGEST_MS = 1500;
const KILL_AFTER_ACKS = [1000, 10_000, 25_000];

const own = fileURLToPath(new URL('../../examples/demo/input.txt', import.meta.url));
const input = process.argv[2] ?? own;
const directory = await mkdtemp(join(tmpdir(), 'ringwal-demo-'));
process.once('SIGINT', () => process.exit(130));

try {
  const lines = (await readFile(input, 'utf8')).split('\n');
  say(
    `${styled('bold', 'ringwal')}: ${count(lines.length)} lines of ${input === own ? 'licence texts' : input}`,
  );
  say(styled('dim', `each line one durable record, in ${directory}\n`));
  await showIngest(lines);
  await showKills(lines);
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function showIngest(lines: readonly string[]): Promise<void> {
  const results: IngestResult[] = [];
  const log = await openLog(join(directory, 'ingest'));
  for (const inFlight of IN_FLIGHT) {
    progress(`ingesting with ${count(inFlight)} appends in flight`);
    results.push(await ingest(log, lines, inFlight, INGEST_MS));
    await log.truncateBefore(log.durableLsn + 1);
  }
  await log.close();
  const head = ['in flight', 'records/s', 'records per sync', 'p50', 'p99'];
  const us = (value: number): string => `${count(value)} us`;
  table(
    head,
    results.map((result) => [
      count(result.inFlight),
      count(result.recordsPerSecond),
      result.groupRecords.toFixed(1),
      us(result.p50Us),
      us(result.p99Us),
    ]),
  );
  say('');
}

async function showKills(lines: readonly string[]): Promise<void> {
  const rows: string[][] = [];
  for (const [i, afterAcks] of KILL_AFTER_ACKS.entries()) {
    progress(`a child process writes; SIGKILL after ${count(afterAcks)} acknowledgements`);
    const result = await killAndRecover(join(directory, `kill-${i}`), input, lines, afterAcks);
    const verdict = result.problems.length === 0 ? styled('green', 'all there') : styled('red', 'LOST');
    rows.push([
      `kill -9, ${i + 1}`,
      count(result.acknowledged),
      count(result.recovered),
      result.tornTail ? 'torn' : 'clean',
      verdict,
    ]);
    for (const problem of result.problems) say(styled('red', problem));
    if (result.problems.length > 0) process.exitCode = 1;
  }
  table(['', 'acknowledged', 'recovered', 'tail', 'byte for byte'], rows);
  say(
    styled(
      'dim',
      '\nRecords beyond the acknowledged ones were on their way; they may be there, the others must.',
    ),
  );
}
