/**
 * corruption-logs: the logs that the layer `corruption` damages: all kinds of records in three segments, closed in
 * order or left by a crash, padded, and with recycled files that are full of stale groups.
 */
import { HAS_CHECKSUM, RECORD_CHECKPOINT, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import type { SeenRecord } from '../support/frames.js';
import type { Files } from '../support/memory-storage.js';
import { SECTOR_BYTES } from '../support/sim-sector.js';
import { SimStorage } from '../support/sim-storage.js';

export interface DamagedLog {
  readonly name: string;
  readonly options: Partial<ResolvedOptions>;
  readonly files: Files;
  /** The log was closed in order: nothing of it may go unnoticed. */
  readonly isClosed: boolean;
  /** All records, as they should be read. */
  readonly records: readonly SeenRecord[];
  readonly lastLsn: number;
  /** LSNs from here on are in the last write, which nothing proves; without one, behind the end. */
  readonly unprovenFrom: number;
  /** The same when the whole sector is damaged in which the last write begins: others may end in it. */
  readonly unprovenFromSector: number;
}

/** 64 KiB in three segments. */
const SEGMENT_BYTES = 24 * 1024;
const LEAST_BYTES = 65_536;

interface Plan {
  readonly name: string;
  readonly isClosed: boolean;
  readonly options?: Partial<ResolvedOptions>;
  readonly seed?: number;
  /** Records are checksummed by their callers. */
  readonly isChecked?: boolean;
  /** Truncates before the end, so that files are recycled. */
  readonly truncates?: boolean;
}

const PLANS: readonly Plan[] = [
  { name: 'closed', isClosed: true, isChecked: true },
  { name: 'crashed', isClosed: false },
  { name: 'padded, crashed', isClosed: false, options: { padGroups: true, segmentBytes: 40 * 1024 } },
  { name: 'recycled, crashed', isClosed: false, truncates: true, options: { recycle: true } },
  { name: 'recycled, closed', isClosed: true, truncates: true, options: { recycle: true }, isChecked: true },
];

let made: Promise<DamagedLog[]> | undefined;

export function corruptionLogs(): Promise<DamagedLog[]> {
  made ??= Promise.all(PLANS.map((plan) => build(plan)));
  return made;
}

/** The log that is closed, had other bytes been appended from the second half on; salts and LSNs are the same. */
export async function closedTwin(): Promise<Files> {
  return (await build(PLANS[0] as Plan, 100_000)).files;
}

async function build(plan: Plan, otherId = 0): Promise<DamagedLog> {
  const options = { segmentBytes: SEGMENT_BYTES, recycle: false, ...plan.options };
  const flags = plan.isChecked ? HAS_CHECKSUM : 0;
  const payloads: Uint8Array[] = [];
  let storage = new SimStorage();
  let log = await EngineHarness.open(storage, undefined, options, 1);
  let id = 0;
  const payload = (bytes: number): Uint8Array => {
    id++;
    const own = payloadOf(id > 20 ? id + otherId : id, bytes);
    payloads.push(own);
    return own;
  };
  const frame = (bytes: number, type = RECORD_FULL) => ({ type, flags, payload: payload(bytes) });
  /** A mixed lot: single records, a batch, a large record, a transaction with another's record inside, a checkpoint. */
  const lot = async (): Promise<void> => {
    for (const bytes of [40, 700, 4, 129]) {
      void log.producer(0).submit([frame(bytes)], {});
      await log.commit();
    }
    void log.producer(0).submit([frame(90), frame(33), frame(300)], {});
    await log.commit();
    void log.producer(1).submitLarge(frame(5000), {});
    await log.commit();
    const transaction = log.begin(2);
    const first = payloadOf(id + 500, 64);
    const second = payloadOf(id + 501, 320);
    void transaction.append(first);
    await log.commit();
    void log.producer(1).submit([frame(50)], {});
    await log.commit();
    void transaction.append(second);
    void transaction.commit().catch(() => {});
    await log.commit();
    payloads.push(first, second);
    void log.producer(0).submit([frame(200, RECORD_CHECKPOINT)], {});
    await log.commit();
  };
  const total = (): number => [...filesOf(storage).values()].reduce((sum, { length }) => sum + length, 0);
  await lot();
  await lot();
  await log.rotate();
  await lot();
  if (plan.truncates) {
    await log.truncateBefore(log.engine.view().durableLsn);
    for (let i = 0; i < 4; i++) {
      await log.rotate();
      await lot();
      await log.truncateBefore(log.engine.view().durableLsn - 4);
    }
  }
  await log.close();
  storage = SimStorage.boot(storage.liveImage());
  log = await EngineHarness.open(storage, undefined, options, 2);
  await lot();
  for (let i = 0; i < 40 && log.engine.view().segments.length < 4; i++) {
    void log.producer(0).submit([frame(900)], {});
    await log.commit();
    if (total() >= LEAST_BYTES && i > 8) break;
  }
  void log.producer(0).submit([frame(100), frame(45)], {});
  await log.commit();
  const records = await log.readAll();
  const lastLsn = log.engine.view().durableLsn;
  if (plan.isClosed) await log.close();
  const kept = payloads.slice(-records.length);
  const isRight = records.every(({ payload: own }, i) => Buffer.compare(own, kept[i] as Uint8Array) === 0);
  if (!isRight || (!plan.truncates && kept.length !== payloads.length))
    throw new Error(`corruption: the log "${plan.name}" does not even read rightly undamaged`);
  const unprovenFrom = plan.isClosed ? lastLsn + 1 : lastLsn - 1; // the last group has two records
  const { name, isClosed } = plan;
  const files = filesOf(storage);
  const unprovenFromSector = isClosed ? unprovenFrom : firstInSectorOf(unprovenFrom, files);
  return { name, options, files, isClosed, records, lastLsn, unprovenFrom, unprovenFromSector };
}

function filesOf(storage: SimStorage): Map<string, Uint8Array> {
  const files = [...storage.liveImage().files].map(([name, file]) => [name, file.bytes()] as const);
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where the groups of a sound segment lie. */
export function groupsOf(bytes: Uint8Array): { at: number; end: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { at: number; end: number }[] = [];
  for (let at = 4096; at + 64 <= bytes.length; ) {
    if (view.getUint32(at, true) !== 0x52475752) {
      at = (Math.floor(at / 4096) + 1) * 4096;
      continue;
    }
    const end = at + 64 + view.getUint32(at + 36, true);
    found.push({ at, end });
    at = end;
  }
  return found;
}

/** The first LSN of the groups that reach into the sector in which the group with `lsn` begins. */
function firstInSectorOf(lsn: number, files: Files): number {
  for (const bytes of [...files.values()].reverse()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const found = groupsOf(bytes).map(({ at, end }) => ({ at, end, firstLsn: view.getUint32(at + 8, true) }));
    const last = found.find(({ firstLsn }) => firstLsn === lsn);
    if (last === undefined) continue;
    const sector = last.at - (last.at % SECTOR_BYTES);
    return Math.min(...found.filter(({ end }) => end > sector).map(({ firstLsn }) => firstLsn));
  }
  throw new Error(`corruption: no group begins with LSN ${lsn}`);
}
