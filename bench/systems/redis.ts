/**
 * redis: elements of a Redis list, in a server of its own on a socket in the directory, with `appendfsync always`:
 * "fsync every time new commands are appended to the AOF [...] one write and a single fsync (before sending the
 * replies)" (https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). What was appended while the
 * last command was on its way is the next one, RPUSH of many elements: eight times as fast, 1000 in flight, as one
 * XADD for each, although the client sends those of a turn together and the server syncs them together.
 */
import { join } from 'node:path';
import type { SystemKind } from '../harness/system.js';
import { oneInFlight } from './coalesce.js';
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

/** The list is kept about as long as this many bytes of payload: all of it is in memory. */
const LIST_BYTES = 256 * 1024 * 1024;
const TRIM_EVERY_GROUPS = 100;

export const redis: SystemKind = {
  name: 'Redis',
  what: 'RPUSH of many, one in flight while the next collects; appendfsync always: fdatasync of its append-only file; a process of its own',
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
    let pushed = 0;
    const { append, groups } = oneInFlight((group) => {
      if (++pushed % TRIM_EVERY_GROUPS === 0) {
        const most = Math.ceil(LIST_BYTES / (group[0]?.length || 1));
        // An error would show in the next RPUSH too.
        client.sendCommand(['LTRIM', 'log', String(-most), '-1']).catch(() => {});
      }
      return client.sendCommand(['RPUSH', 'log', ...group.map(bufferOf)]);
    });
    return {
      append,
      groups,
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
    // No snapshots beside the append-only file, and no rewriting of it: it grows, as the files of the other peers do.
    save: '',
    'auto-aof-rewrite-percentage': '0',
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return new Server(findProgram('redis-server') ?? 'redis-server', parameters, { cwd: directory });
}

/** The same bytes, as the client wants them. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
