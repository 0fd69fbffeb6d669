/**
 * worker: one process of the cluster: owns the log in the directory it is given, and answers requests with what it
 * appended there, once that is durable. All workers share one port.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openLog, RingwalError, type RingwalErrorCode } from 'ringwal';
import { directoryVariable, type Stamped } from './fleet.js';

const FAILED: readonly RingwalErrorCode[] = ['RINGWAL_POISONED', 'RINGWAL_WORKER_DIED'];

const directory = process.env[directoryVariable] ?? '';
// The worker that had this directory before may have been killed a moment ago: the kernel has freed its lock.
const log = await openLog(directory, { segmentBytes: 4 * 1024 * 1024 });

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const server = createServer(async (request, response) => {
  try {
    const stamped: Stamped = { at: Date.now(), text: await textOf(request) };
    const lsn = await log.append(JSON.stringify(stamped));
    response.end(JSON.stringify({ directory, lsn }));
  } catch (error) {
    // A log that has failed stays failed until it is opened again: the worker ends, and the next one recovers it.
    const isFailed = error instanceof RingwalError && FAILED.includes(error.code);
    response.writeHead(503).end(String(error), () => isFailed && process.exit(1));
  }
});
server.listen({ host: '127.0.0.1', port: 0 }); // one port for all: the primary gives the same to each
await once(server, 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });

/** The primary disconnects its workers when the service ends: what is in flight is answered, then the log is closed. */
process.once('disconnect', () => {
  server.close(() => void log.close());
  server.closeIdleConnections();
});
