/**
 * level: puts into a LevelDB database by classic-level, with `sync: true`: "the write will not complete until the data
 * is actually on disk" (its README, `db.put`). LevelDB appends to its own log and calls fdatasync; puts that wait at
 * the same time, at most as many as libuv has threads (4), share one.
 */
import { join } from 'node:path';
import type { SystemKind } from '../harness/system.js';
import { oneInFlight } from './coalesce.js';
import { lackingPackage, loadPackage } from './packages.js';

interface ClassicLevelModule {
  readonly ClassicLevel: new (
    path: string,
    options: {
      readonly keyEncoding: 'view';
      readonly valueEncoding: 'view';
      readonly writeBufferSize: number;
    },
  ) => Database;
}

interface Database {
  open(): Promise<void>;
  put(key: Uint8Array, value: Uint8Array, options: { readonly sync: true }): Promise<void>;
  batch(): ChainedBatch;
  close(): Promise<void>;
}

interface ChainedBatch {
  put(key: Uint8Array, value: Uint8Array): void;
  write(options: { readonly sync: true }): Promise<void>;
}

/** "Larger values increase performance, especially during bulk loads", its README says; the default is 4 MiB. */
const WRITE_BUFFER_BYTES = 64 * 1024 * 1024;

async function openDatabase(directory: string): Promise<Database> {
  const { ClassicLevel } = await loadPackage<ClassicLevelModule>('classic-level');
  const database = new ClassicLevel(join(directory, 'level'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  await database.open();
  return database;
}

/** Growing keys, in the byte order of growing numbers: what LevelDB has to sort least. */
function growingKeys(): () => Uint8Array {
  let next = 0;
  return () => {
    const key = Buffer.allocUnsafe(6);
    key.writeUIntBE(next++, 0, 6);
    return key;
  };
}

export const level: SystemKind = {
  name: 'classic-level, single puts',
  what: 'put with sync: true: fdatasync of the log for each, or for up to 4 that wait on threads of libuv',
  role: 'peer',
  // Four at a time, whatever is in flight: with more only the queue grows.
  mostInFlight: 1000,
  lacking: () => lackingPackage('classic-level'),
  async open(directory) {
    const database = await openDatabase(directory);
    const nextKey = growingKeys();
    return {
      append: (payload) => database.put(nextKey(), payload, { sync: true }),
      close: () => database.close(),
    };
  },
};

export const levelBatches: SystemKind = {
  name: 'classic-level, batches',
  what: 'batches written with sync: true, one in flight while the next collects: one fdatasync of the log for each',
  role: 'peer',
  lacking: () => lackingPackage('classic-level'),
  async open(directory) {
    const database = await openDatabase(directory);
    const nextKey = growingKeys();
    // A chained batch: here four times as fast as an array of operations.
    const { append, groups } = oneInFlight((group) => {
      const batch = database.batch();
      for (const payload of group) batch.put(nextKey(), payload);
      return batch.write({ sync: true });
    });
    return { append, groups, close: () => database.close() };
  },
};
