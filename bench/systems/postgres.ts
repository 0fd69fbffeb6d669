/**
 * postgres: rows of a PostgreSQL table, in a cluster of its own in the directory, over a unix socket. All settings that
 * have to do with durability are its defaults, and given here all the same: `fsync=on`, `synchronous_commit=on` ("wait
 * for WAL records to be written to disk", https://www.postgresql.org/docs/current/runtime-config-wal.html), the
 * platform's `wal_sync_method` (fdatasync on Linux). What was appended while the last INSERT was on its way is the next
 * one, of many rows; they go as one parameter, a binary array: cheaper for both sides than a row of parameters.
 */
import { execFile } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SystemKind } from '../harness/system.js';
import { oneInFlight } from './coalesce.js';
import { lackingPackage, loadPackage } from './packages.js';
import { debianPostgresFolders, findProgram, Server } from './server.js';

interface PgModule {
  readonly Client: new (options: {
    readonly host: string;
    readonly user: string;
    readonly database: string;
  }) => Client;
}

interface Client extends NodeJS.EventEmitter {
  connect(): Promise<void>;
  query(query: string | { name: string; text: string; values: readonly Buffer[] }): Promise<unknown>;
  end(): Promise<void>;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

const SETTINGS = ['listen_addresses=', 'fsync=on', 'synchronous_commit=on'];
const INSERT = 'INSERT INTO log (payload) SELECT unnest($1::bytea[])';
/** Rows of 1 KB by which the WAL gets segments to recycle, as it has after its first checkpoints. */
const WARM_UP_ROWS = 200_000;
/** OID of the type `bytea`. */
const BYTEA = 17;

export const postgres: SystemKind = {
  name: 'PostgreSQL',
  what: 'INSERT of many rows, one in flight while the next collects; synchronous_commit: fdatasync of its WAL; a process of its own',
  role: 'peer',
  async lacking() {
    if (program('initdb') === undefined || program('postgres') === undefined)
      return 'initdb and postgres are not installed';
    if (process.getuid?.() === 0 && otherUser() === undefined)
      return 'PostgreSQL does not run as root, and there is no user `postgres` or `nobody`';
    return lackingPackage('pg');
  },
  async open(directory) {
    const { Client } = await loadPackage<PgModule>('pg');
    const server = await startServer(directory);
    const client = await server.connect(async () => {
      const candidate = new Client({ host: directory, user: 'postgres', database: 'postgres' });
      // Errors reject the queries; without a listener they would end the process too.
      candidate.on('error', () => {});
      await candidate.connect();
      return candidate;
    });
    await client.query(
      'CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload bytea)',
    );
    // Large records as they are: it would try to compress them.
    await client.query('ALTER TABLE log ALTER payload SET STORAGE EXTERNAL');
    const { append, groups } = oneInFlight((group) =>
      client.query({ name: 'insert', text: INSERT, values: [binaryArray(group)] }),
    );
    return {
      append,
      groups,
      async warmUp() {
        await client.query(
          `CREATE TABLE warm AS SELECT repeat(md5(i::text), 32) FROM generate_series(1, ${WARM_UP_ROWS}) i`,
        );
        await client.query('DROP TABLE warm');
        await client.query('CHECKPOINT');
      },
      async close() {
        await client.end();
        // SIGINT: its "fast shutdown".
        await server.stop('SIGINT');
      },
    };
  },
};

async function startServer(directory: string): Promise<Server> {
  const data = join(directory, 'data');
  const user = process.getuid?.() === 0 ? otherUser() : undefined;
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  const options = { cwd: directory, ...user };
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'];
  try {
    await promisify(execFile)(program('initdb') ?? 'initdb', initdb, options);
  } catch (error) {
    const why = `its user must be able to reach ${directory}: each folder above needs mode o+x`;
    throw new Error(`initdb failed; ${why}`, { cause: error });
  }
  const settings = [...SETTINGS, `unix_socket_directories=${directory}`].flatMap((one) => ['-c', one]);
  return new Server(program('postgres') ?? 'postgres', ['-D', data, ...settings], options);
}

function program(name: string): string | undefined {
  return findProgram(name, debianPostgresFolders());
}

/** Whom root lets run the server. */
function otherUser(): User | undefined {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].map((name) => users.find(([user]) => user === name)).find(Boolean);
  return found && { uid: Number(found[2]), gid: Number(found[3]) };
}

/** A parameter of type bytea[], as the protocol's binary format has it. */
function binaryArray(payloads: readonly Uint8Array[]): Buffer {
  const length = payloads.reduce((sum, payload) => sum + 4 + payload.length, 20);
  const array = Buffer.allocUnsafe(length);
  // Dimensions, whether there are nulls, type of the elements; then of the one dimension: length, first index.
  let at = 0;
  for (const word of [1, 0, BYTEA, payloads.length, 1]) at = array.writeInt32BE(word, at);
  for (const payload of payloads) {
    at = array.writeInt32BE(payload.length, at);
    array.set(payload, at);
    at += payload.length;
  }
  return array;
}
