/** serve-dashboard: serves the page about one log until it is told to stop. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidArgumentError } from '../index.js';
import { isAnyAddress } from './host-check.js';
import { type DashboardOptions, resolveOptions } from './options.js';
import { Responder } from './responder.js';
import type { ShownLog } from './shown-log.js';
import { Watcher } from './watcher.js';

/** Connections beyond it are closed at once: a file descriptor that is held here is one that the log may lack. */
const MOST_CONNECTIONS = 256;

/** A page that is served. Dispose of it with `close`, or `await using`. */
export interface Dashboard extends AsyncDisposable {
  /** Where the page is: `http://127.0.0.1:43210/`. */
  readonly url: string;
  /** Ends all connections, and stops listening. May be called more than once. The log is left as it is. */
  close(): Promise<void>;
}

/**
 * Serves a page that shows what `log` does, as it happens: group size against latency, throughput, sync times, rings and
 * segments. It shows no payloads and takes no commands. `GET /` is the page, `GET /events` what it listens to, `GET /stats`
 * the figures of now as JSON.
 *
 * While at least one page is open the log is asked once an interval for `stats()` and `segments()`, however many there
 * are; else not at all. The server keeps no process running. A log that is closed, or fails, is shown as that until the
 * dashboard is closed.
 *
 * Requests must name a loopback host, the given one, or the very address that they come in on: others are answered with 403,
 * against DNS rebinding.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT for what is no log, for an unknown option or one that is out of range, and when
 * the address can't be listened on (`cause` says why).
 */
export async function serveDashboard(log: ShownLog, options: DashboardOptions = {}): Promise<Dashboard> {
  if (typeof log?.stats !== 'function' || typeof log.segments !== 'function')
    throw new InvalidArgumentError('The first argument must be an open log, of openLog or attachLog.');
  const { port, host, intervalMs } = resolveOptions(options);
  const watcher = new Watcher(log, intervalMs);
  const responder = new Responder(watcher, log.directory, host);
  const server = createServer((request, response) => responder.respond(request, response));
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket) => socket.unref());
  await listen(server, port, host);
  // A connection that can't be accepted, with too many files open, is the visitor's loss and not this process's.
  server.on('error', () => {});
  server.unref();
  const url = urlOf(server, host);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= end(server, watcher);
    return closing;
  };
  return { url, close, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidArgumentError(
      `Host ${host}, port ${port} can't be listened on (${why}): give another, or port 0 for any that is free.`,
      { cause },
    );
  }
}

/** All addresses are none that a browser could go to. */
function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = isAnyAddress(host) ? (host === '::' ? '::1' : '127.0.0.1') : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}/`;
}

function end(server: Server, watcher: Watcher): Promise<void> {
  watcher.stop();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
