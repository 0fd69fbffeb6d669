/** systems: all kinds that the bench measures, in the order of a report. */
import type { SystemKind } from '../harness/system.js';
import { ceiling } from './ceiling.js';
import { directFloor, floor } from './floor.js';
import { handOff } from './hand-off.js';
import { level, levelBatches } from './level.js';
import { lmdb, lmdbPut } from './lmdb.js';
import { naive } from './naive.js';
import { postgres } from './postgres.js';
import { redis } from './redis.js';
import { RINGWAL_KINDS } from './ringwal.js';
import { sonicBoomFlush, sonicBoomFsync, sonicBoomUnsynced } from './sonic-boom.js';
import { betterSqlite3, betterSqlite3Turns, nodeSqliteTurns } from './sqlite.js';
import { yardstick } from './yardstick.js';

export const KINDS: readonly SystemKind[] = [
  ...RINGWAL_KINDS,
  floor,
  directFloor,
  handOff,
  ceiling,
  yardstick,
  lmdb,
  levelBatches,
  level,
  betterSqlite3Turns,
  betterSqlite3,
  nodeSqliteTurns,
  sonicBoomFlush,
  sonicBoomFsync,
  naive,
  redis,
  postgres,
  lmdbPut,
  sonicBoomUnsynced,
];
