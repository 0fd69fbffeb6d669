/**
 * main: runs the service until SIGINT or SIGTERM; or, with `--load`, sends it requests for some seconds and tells what
 * came of them.
 *
 *   node dist-examples/http-ingest/main.js [directory] [--port N] [--load SECONDS] [--connections N]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load } from './load.js';
import { buildServer } from './server.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    load: { type: 'string', default: '0' },
    connections: { type: 'string', default: '100' },
  },
});
const port = wholeNumber(values.port);
const seconds = wholeNumber(values.load);
const connections = wholeNumber(values.connections);
const temporary = positionals[0] === undefined ? await mkdtemp(join(tmpdir(), 'ringwal-ingest-')) : undefined;
const directory = positionals[0] ?? (temporary as string);

const app = await buildServer({ directory });
const url = await app.listen({ host: '127.0.0.1', port });
console.log(`listening on ${url}, log in ${directory}`);

/** What is being appended is answered, then the log is closed. A second signal ends the process at once. */
async function end(): Promise<void> {
  await app.close();
  if (temporary !== undefined) await rm(temporary, { recursive: true });
}

if (seconds === 0) {
  console.log(`try: curl --data 'hello' ${url}/records && curl ${url}/records`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
} else {
  const { requestsPerSecond, p50Ms, p99Ms, answers } = await load(`${url}/records`, seconds, connections);
  const { records, groups, syncUs } = await app.wal.stats();
  console.log(`${answers} answers of 200, ${records} durable records`);
  console.log(
    `${Math.round(requestsPerSecond)} requests/s over ${connections} connections, p50 ${p50Ms} ms, p99 ${p99Ms} ms`,
  );
  console.log(`${(records / groups).toFixed(1)} records a group, ${Math.round(syncUs.p50)} us a sync`);
  await end();
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`"${text}" is not a whole number; --port, --load and --connections take one.`);
  process.exit(2);
}
