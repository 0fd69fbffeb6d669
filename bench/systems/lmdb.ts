/**
 * lmdb: puts into an LMDB database, which its own thread groups into transactions, one a turn of the event loop.
 *
 * By its README, "Overlapping Sync Options", a put resolves when its transaction is committed, that is visible, and
 * there are two ways to know when it is on disk: `db.flushed`, and `separateFlushed`, with which the promise of a put
 * carries that of its flush. The second is taken: it is one promise for all puts of a transaction; `db.flushed` would
 * make a new one for each. A put alone promises less, and is shown as the weaker one for that; what version 3.5 does is
 * more, as sync-check shows: src/writer.cpp sets TXN_COMMITTED, for which the promise waits, behind mdb_txn_commit,
 * which ends with the flush.
 */
import { join } from 'node:path';
import type { SystemKind } from '../harness/system.js';
import { lackingPackage, loadPackage } from './packages.js';

interface Lmdb {
  open(options: {
    readonly path: string;
    readonly encoding: 'binary';
    readonly keyEncoding: 'uint32';
    readonly separateFlushed: boolean;
  }): Database;
}

interface Database {
  put(key: number, value: Uint8Array): Promise<boolean> & { readonly flushed?: Promise<unknown> };
  close(): Promise<void>;
}

async function openDatabase(directory: string, separateFlushed: boolean): Promise<Database> {
  const { open } = await loadPackage<Lmdb>('lmdb');
  return open({
    path: join(directory, 'log.mdb'),
    encoding: 'binary',
    keyEncoding: 'uint32',
    separateFlushed,
  });
}

export const lmdb: SystemKind = {
  name: 'lmdb',
  what: 'put with separateFlushed, awaiting its `flushed`: fdatasync of the pages, then the meta page past O_DSYNC',
  role: 'peer',
  lacking: () => lackingPackage('lmdb'),
  async open(directory) {
    const database = await openDatabase(directory, true);
    let key = 0;
    return {
      append(payload) {
        const { flushed } = database.put(key++, payload);
        // Without it the put's own promise would be awaited, which comes before the flush.
        if (flushed === undefined) throw new Error('lmdb gives no promise of the flush');
        return flushed;
      },
      close: () => database.close(),
    };
  },
};

export const lmdbPut: SystemKind = {
  name: 'lmdb, put alone',
  what: 'put, awaiting its promise: committed and visible; that the flush is over too, as it is in 3.5, is not promised',
  role: 'weaker',
  lacking: () => lackingPackage('lmdb'),
  async open(directory) {
    const database = await openDatabase(directory, false);
    let key = 0;
    return {
      append: (payload) => database.put(key++, payload),
      close: () => database.close(),
    };
  },
};
