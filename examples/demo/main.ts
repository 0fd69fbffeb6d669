/** main: `npm start`: ingest a text at growing concurrency, then kill writers and show that nothing is lost. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLog } from 'ringwal';
import { type IngestResult, ingest } from './ingest.js';
import { killAndRecover } from './kill.js';
import { linesOf } from './lines.js';
import { count, progress, say, styled, table } from './terminal.js';

const IN_FLIGHT = [1, 10, 100, 1000, 10_000];
const INGEST_MS = 1500;
const KILL_AFTER_ACKS = [1000, 10_000, 25_000];
/** Fewer acknowledgements than that when lines are so long that they come to so many bytes. */
const KILL_AFTER_BYTES = 256 * 1024 * 1024;

/** Most bytes in flight: long lines get fewer callers, so that no append waits for room in the ring. */
const IN_FLIGHT_BYTES = 32 * 1024 * 1024;

const own = fileURLToPath(new URL('../../examples/demo/input.txt', import.meta.url));
const input = process.argv[2] ?? own;
const lines = await linesOf(input).catch((error: unknown) => {
  console.error(`ringwal: ${input} can't be ingested: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
});
const longestBytes = lines.reduce((most, line) => Math.max(most, Buffer.byteLength(line)), 0) + 64;
const directory = await mkdtemp(join(tmpdir(), 'ringwal-demo-'));
process.once('SIGINT', () => process.exit(130));

try {
  const what = input === own ? 'licence texts' : input;
  say(`${styled('bold', 'ringwal')}: ${count(lines.length)} line${lines.length === 1 ? '' : 's'} of ${what}`);
  say(styled('dim', `each line one durable record, in ${directory}\n`));
  await showIngest();
  await showKills();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function showIngest(): Promise<void> {
  const results: IngestResult[] = [];
  const log = await openLog(join(directory, 'ingest'));
  const most = Math.max(1, Math.floor(IN_FLIGHT_BYTES / longestBytes));
  for (const inFlight of new Set(IN_FLIGHT.map((wanted) => Math.min(wanted, most)))) {
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

async function showKills(): Promise<void> {
  const rows: string[][] = [];
  for (const [i, wanted] of KILL_AFTER_ACKS.entries()) {
    const afterAcks = Math.min(wanted, Math.ceil(KILL_AFTER_BYTES / longestBytes));
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
