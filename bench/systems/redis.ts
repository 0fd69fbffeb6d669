/**
 * redis: entries of a Redis stream, in a server of its own on a socket in the directory, with `appendfsync always`:
 * "fsync every time new commands are appended to the AOF [...] one write and a single fsync (before sending the
 * replies)" for all commands that wait (https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/).
 * The client sends all commands of one turn of the event loop together (its "auto-pipelining").
 */
import { join } from 'node:path';
import type { SystemKind } from '../harness/system.js';
import { lackingPackage, loadPackage } from './packages.js';
import { findProgram, Server } from './server.js';

interface RedisModule {
  createClient(options: {
    readonly socket: { readonly path: string; readonly reconnectStrategy: false };
    readonly disableOfflineQueue: true;
  }): Client;
}

interface Client extends NodeJS.EventEmitter {
  connect(): Promise<unknown>;
  sendCommand(parameters: readonly (string | Buffer)[]): Promise<unknown>;
  destroy(): void;
}

/** The stream is kept about as long as this many bytes of payload: all of it is in memory. */
const STREAM_BYTES = 256 * 1024 * 1024;

export const redis: SystemKind = {
  name: 'Redis',
  what: 'XADD, appendfsync always: one fdatasync of the append-only file for all commands that wait; a process of its own',
  role: 'peer',
  lacking: async () =>
    findProgram('redis-server') === undefined
      ? 'redis-server is not installed'
      : await lackingPackage('@redis/client'),
  async open(directory) {
    const { createClient } = await loadPackage<RedisModule>('@redis/client');
    const path = join(directory, 'redis.sock');
    const server = startServer(directory, path);
    const client = await server.connect(async () => {
      const candidate = createClient({
        socket: { path, reconnectStrategy: false },
        disableOfflineQueue: true,
      });
      // Errors reject the commands; without a listener they would end the process too.
      candidate.on('error', () => {});
      await candidate.connect();
      return candidate;
    });
    return {
      append(payload) {
        const most = String(Math.ceil(STREAM_BYTES / payload.length));
        const value = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
        return client.sendCommand(['XADD', 'log', 'MAXLEN', '~', most, '*', 'payload', value]);
      },
      async close() {
        client.destroy();
        await server.stop('SIGTERM');
      },
    };
  },
};

function startServer(directory: string, socket: string): Server {
  const settings = {
    port: '0',
    unixsocket: socket,
    dir: directory,
    appendonly: 'yes',
    appendfsync: 'always',
    // No snapshots beside the append-only file.
    save: '',
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return new Server(findProgram('redis-server') ?? 'redis-server', parameters, { cwd: directory });
}
