/** main: `node dist-examples/dashboard/main.js [directory] [port]`: a log under a gentle load, and the page about it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from 'ringwal';
import { serveDashboard } from 'ringwal/dashboard';
import { load } from './load.js';

const [, , given, port = '0'] = process.argv;
const directory = given ?? (await mkdtemp(join(tmpdir(), 'ringwal-dashboard-')));
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());

try {
  // Small segments, so that the map of them has something to show.
  await using log = await openLog(directory, { segmentBytes: 1024 * 1024, ringBytes: 1024 * 1024 });
  await using dashboard = await serveDashboard(log, { port: Number(port) });
  process.stdout.write(`${dashboard.url} shows the log in ${directory}; Ctrl-C ends it\n`);
  await load(log, {
    callers: [1, 30, 300, 100, 3],
    turnMs: 5000,
    restMs: 10,
    recordBytes: 120,
    keep: 60_000,
    signal: ended.signal,
  });
} finally {
  if (given === undefined) await rm(directory, { recursive: true, force: true });
}
process.stdout.write('closed\n');
