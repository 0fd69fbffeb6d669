/**
 * sqlite: inserts into a SQLite table by better-sqlite3 and node:sqlite, both of which block the thread. Journal mode
 * WAL, as better-sqlite3's docs/performance.md recommends, and `synchronous=FULL`: "with synchronous=NORMAL in WAL mode
 * a transaction might roll back following a power loss", FULL syncs the WAL after each transaction
 * (https://sqlite.org/pragma.html#pragma_synchronous). It has to be asked for: better-sqlite3 is compiled with
 * SQLITE_DEFAULT_WAL_SYNCHRONOUS=1, that is NORMAL (its docs/compilation.md).
 */
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { System, SystemKind } from '../harness/system.js';
import { blocking } from './blocking.js';
import { perTurn } from './coalesce.js';
import { loadPackage, notInstalled } from './packages.js';

/** What both have in common. */
interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...parameters: Uint8Array[]): unknown };
  close(): unknown;
}

interface BetterSqlite3 {
  readonly default: new (path: string) => Database;
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

/** Pages after which SQLite starts again at the beginning of the WAL; its default. */
const CHECKPOINT_PAGES = 1000;

async function openBetterSqlite3(directory: string): Promise<Database> {
  const { default: Sqlite } = await loadPackage<BetterSqlite3>('better-sqlite3');
  return prepareDatabase(new Sqlite(join(directory, 'log.db')));
}

async function openNodeSqlite(directory: string): Promise<Database> {
  const { DatabaseSync } = await loadPackage<NodeSqlite>('node:sqlite');
  return prepareDatabase(new DatabaseSync(join(directory, 'log.db')));
}

function prepareDatabase(database: Database): Database {
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE log (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)');
  return database;
}

/** Fills the WAL file to its full size: from then on it is overwritten, and a sync has no new length to record. */
async function warmUp(database: Database): Promise<void> {
  database.exec('CREATE TABLE warm (payload BLOB NOT NULL)');
  const insert = database.prepare('INSERT INTO warm VALUES (randomblob(4000))');
  for (let page = 0; page < 2 * CHECKPOINT_PAGES; page += 100) {
    database.exec('BEGIN');
    for (let i = 0; i < 100; i++) insert.run();
    database.exec('COMMIT');
  }
  database.exec('DROP TABLE warm');
}

function insertsPerTurn(database: Database): System {
  const insert = database.prepare('INSERT INTO log (payload) VALUES (?)');
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const { append, groups } = perTurn((group) => {
    begin.run();
    for (const payload of group) insert.run(payload);
    commit.run();
  });
  return {
    append,
    groups,
    warmUp: () => warmUp(database),
    close: async () => void database.close(),
  };
}

/** It has to be compiled where there is no binary for the machine: so it may be missing. */
async function lackingBetterSqlite3(): Promise<string | undefined> {
  try {
    const { default: Sqlite } = await loadPackage<BetterSqlite3>('better-sqlite3');
    new Sqlite(':memory:').close();
    return undefined;
  } catch (error) {
    return notInstalled('better-sqlite3', error);
  }
}

export const betterSqlite3: SystemKind = {
  name: 'better-sqlite3, single inserts',
  what: 'INSERT, WAL, synchronous=FULL: one sync of the WAL for each, blocking the thread',
  role: 'peer',
  mostInFlight: 1,
  lacking: lackingBetterSqlite3,
  async open(directory) {
    const database = await openBetterSqlite3(directory);
    const insert = database.prepare('INSERT INTO log (payload) VALUES (?)');
    return {
      ...blocking(
        (payload) => insert.run(payload),
        () => database.close(),
      ),
      warmUp: () => warmUp(database),
    };
  },
};

export const betterSqlite3Turns: SystemKind = {
  name: 'better-sqlite3, per turn',
  what: 'INSERTs of one turn of the event loop in one transaction, WAL, synchronous=FULL: one sync of the WAL, blocking the thread',
  role: 'peer',
  lacking: lackingBetterSqlite3,
  open: async (directory) => insertsPerTurn(await openBetterSqlite3(directory)),
};

export const nodeSqliteTurns: SystemKind = {
  name: 'node:sqlite, per turn',
  what: 'INSERTs of one turn of the event loop in one transaction, WAL, synchronous=FULL: one sync of the WAL, blocking the thread',
  role: 'peer',
  lacking: async () =>
    isBuiltin('node:sqlite')
      ? undefined
      : `Node ${process.versions.node} has no node:sqlite; 22.13 and later do`,
  open: async (directory) => insertsPerTurn(await openNodeSqlite(directory)),
};
