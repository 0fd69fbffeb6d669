/**
 * corruption: small logs with every kind of damage to every part of their files. There are three right answers: all
 * records, exactly; a refusal that changes no file; or, of a log that crashed, all but the last write, which nothing
 * proves. Never silent loss, a wrong byte, an error without a code, or more work than a sound log takes.
 */

import type { ReadView } from '../../dist/src/control/contract.js';
import { LogEngine } from '../../dist/src/engine/log-engine.js';
import { systemEnvironment } from '../../dist/src/environment.js';
import { decodeGroupHeader, GROUP_HEADER_BYTES, saltKey } from '../../dist/src/format/group-header.js';
import { BLOCK_BYTES, decodeSegmentHeader } from '../../dist/src/format/segment-header.js';
import { readGroups } from '../../dist/src/read/read-log.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { salvageLog } from '../../dist/src/salvage/salvage-log.js';
import { scanSegment } from '../../dist/src/verify/scan-segment.js';
import { casesOf, type Layer, type LayerTask } from '../full/layer.js';
import { simulatedEnvironment, TINY_OPTIONS } from '../support/engine-harness.js';
import type { SeenRecord } from '../support/frames.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { Prng } from '../support/prng.js';
import { closedTwin, corruptionLogs } from './corruption-logs.js';
import { type Mutant, type MutantKind, mutantKinds } from './corruption-mutants.js';

/** Every so many mutants, the other ways of reading are tried too. */
const OTHERS_EVERY = 16;

const REFUSALS = ['RINGWAL_CORRUPT', 'RINGWAL_UNSUPPORTED_VERSION', 'RINGWAL_IO'];

type Outcome = 'all' | 'refused' | 'shorter';

export const layer: Layer = {
  name: 'corruption',
  title:
    'logs with every bit, byte, size, sector and file damaged: all records, or a refusal, never less in silence',
  targets: {
    bits: 524_288,
    bytes: 196_608,
    'bits of other logs': 40_000,
    truncations: 65_536,
    sectors: 10_000,
    'groups of a twin': 20,
    files: 100,
    'double faults': 100_000,
    'read, scanned, cut and salvaged': 55_000,
  },
  parts: 8,
  minutes: 17,
  async run(task) {
    const kinds = mutantKinds(await corruptionLogs(), await closedTwin());
    const figures: Record<string, number> = { 'read, scanned, cut and salvaged': 0 };
    for (const [number, kind] of kinds.entries()) {
      figures[kind.name] = 0;
      for (const i of casesOf(task, kind.count)) {
        task.progress(`${kind.name} ${i}`);
        const isOther = await tryMutant(kind, number, i, task);
        figures[kind.name] = (figures[kind.name] ?? 0) + 1;
        if (isOther)
          figures['read, scanned, cut and salvaged'] = (figures['read, scanned, cut and salvaged'] ?? 0) + 1;
      }
    }
    return figures;
  },
};

/** Cases are spread, so that a share of them hits all files. */
async function tryMutant(kind: MutantKind, number: number, i: number, { seed }: LayerTask): Promise<boolean> {
  const index = (i * spreadOf(kind.count)) % kind.count;
  const prng = new Prng(seed * 2 ** 30 + number * 2 ** 22 + index);
  const mutant = kind.make(index, prng);
  const isOther = (i ^ (i >> 4)) % OTHERS_EVERY === 0;
  try {
    const shown = await judge(mutant);
    if (isOther) await judgeOthers(mutant, shown);
  } catch (error) {
    const why = error instanceof Error ? error.stack : String(error);
    throw new Error(`${kind.name} ${index}, seed ${seed}: ${mutant.what}: ${why}`);
  }
  return isOther;
}

/** A step without common divisors with `count`. */
function spreadOf(count: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let step = Math.max(1, Math.floor(count * 0.618));
  while (divisor(count, step) !== 1) step++;
  return step;
}

/** Throws what is no refusal. */
function refusal(error: unknown, mayBe: readonly string[] = REFUSALS): void {
  const { code } = error as { code?: string };
  if (!(error instanceof Error) || code === undefined || !mayBe.includes(code)) throw error;
}

/** Opens, reads and closes. */
async function judge(mutant: Mutant): Promise<Outcome> {
  const { log } = mutant;
  const storage = new MemoryStorage(mutant.files);
  const options = { ...TINY_OPTIONS, ...log.options };
  let engine: LogEngine;
  try {
    engine = await open(storage, options);
  } catch (error) {
    refusal(error);
    if (!storage.holds(mutant.files)) throw new Error('the opening that was refused has changed files');
    if (storage.openFiles !== 0) throw new Error('the opening that was refused has left files open');
    return 'refused';
  }
  let outcome: Outcome;
  try {
    const { lastLsn, tornTail, damage } = engine.summary;
    if (damage.length > 0) throw new Error('damage is told of by an opening that refuses damage');
    const records = await everything(storage, engine.view());
    mustBeTrue(records, log.records);
    outcome = records.length === log.records.length && lastLsn >= log.lastLsn ? 'all' : 'shorter';
    if (outcome === 'shorter') mustBeUnproven(mutant, lastLsn, tornTail);
  } catch (error) {
    refusal(error);
    outcome = 'refused';
  }
  await engine.close();
  if (storage.openFiles !== 0) throw new Error('files are left open');
  return outcome;
}

async function open(storage: MemoryStorage, options: typeof TINY_OPTIONS): Promise<LogEngine> {
  const engine = await LogEngine.open(options, {
    storage,
    state: new LogState(),
    environment: simulatedEnvironment(storage.calls + 77),
  });
  await engine.maintenanceIdle();
  return engine;
}

/** `records` must be the first ones of `all`. */
function mustBeTrue(records: readonly SeenRecord[], all: readonly SeenRecord[]): void {
  for (const [i, { lsn, commitLsn, payload }] of records.entries()) {
    const expected = all[i];
    if (expected === undefined) throw new Error(`LSN ${lsn} was never appended`);
    if (lsn !== expected.lsn || commitLsn !== expected.commitLsn)
      throw new Error(`LSN ${expected.lsn} is missing: ${lsn} follows`);
    if (Buffer.compare(payload, expected.payload) !== 0) throw new Error(`LSN ${lsn} has other bytes`);
  }
}

/** What a log lacks that opened must be the last write, torn, with nothing left that proves it. */
function mustBeUnproven(
  { log, files, faults, isSector }: Mutant,
  lastLsn: number,
  torn: { readonly file: string; readonly offset: number } | undefined,
): void {
  const lost = `LSNs ${lastLsn + 1} to ${log.lastLsn} are lost in silence`;
  if (log.isClosed) throw new Error(`${lost}, of a log that was closed`);
  const least = isSector ? log.unprovenFromSector : log.unprovenFrom;
  if (faults === 1 && lastLsn + 1 < least) throw new Error(`${lost}, and only one thing was damaged`);
  // Without a torn write there must be nothing at all behind the end, in no file.
  for (const [name, bytes] of files) {
    const verdict = decodeSegmentHeader(bytes);
    if (verdict.state !== 'valid') continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const key = saltKey(verdict.header.salt);
    for (let at = BLOCK_BYTES; at + GROUP_HEADER_BYTES <= bytes.length; at += 8) {
      const header = decodeGroupHeader(bytes, view, at, key);
      if (header === undefined) continue;
      if (header.durableLsn > lastLsn) throw new Error(`${lost}; ${name} proves them at ${at}`);
      if (torn?.file === name && header.durableEnd > torn.offset)
        throw new Error(`${lost}; ${name} proves its bytes at ${at}`);
    }
  }
}

/** A reader, the scan of verifyLog, point-in-time and salvage: what each of them promises. */
async function judgeOthers(mutant: Mutant, shown: Outcome): Promise<void> {
  const { log, files } = mutant;
  const storage = new MemoryStorage(files);
  await judgeReader(mutant, storage, shown);
  if (mutant.isForged) return;
  await judgeSalvage(mutant, storage);
  if (!storage.holds(files)) throw new Error('reading has changed files');
  if (storage.openFiles !== 0) throw new Error('reading has left files open');

  const engine = await open(storage, { ...TINY_OPTIONS, ...log.options, recovery: 'point-in-time' }).catch(
    refusal,
  );
  if (engine === undefined) return;
  const { lastLsn, damage } = engine.summary;
  const view = engine.view();
  const records = await everything(storage, view);
  const from = log.records.findIndex(({ commitLsn }) => commitLsn >= view.firstLsn);
  if (records.length > 0) mustBeTrue(records, log.records.slice(from));
  const isLess = lastLsn < log.unprovenFromSector - 1 && mutant.faults === 1;
  if (isLess && damage[0]?.firstLostLsn !== lastLsn + 1)
    throw new Error(`point-in-time: silent after ${lastLsn}`);
  await engine.close();
}

async function judgeReader({ log, files }: Mutant, storage: MemoryStorage, shown: Outcome): Promise<void> {
  try {
    const reader = await DirectoryReader.open({ directory: '', storage, isWriterAlive: async () => false });
    const records = await reader.readAll();
    await reader.close();
    mustBeTrue(records, log.records);
    const isAll = records.length === log.records.length;
    if (isAll !== (shown === 'all'))
      throw new Error(`a reader sees ${records.length} records, a writer ${shown}`);
  } catch (error) {
    refusal(error);
    if (shown !== 'refused') throw new Error(`a writer says ${shown}, a reader: ${error}`);
  }
  // What the log's own view of its segments calls sound must be so: scan and reading are of one opinion.
  const own = new MemoryStorage(files);
  const engine = await open(own, { ...TINY_OPTIONS, ...log.options }).catch(refusal);
  if (engine === undefined) return;
  let isSound = true;
  for (const segment of engine.view().segments) {
    await scanSegment(own, segment).catch((error: unknown) => {
      refusal(error);
      isSound = false;
    });
  }
  await engine.close();
  if (isSound && shown === 'refused') throw new Error('the scan finds nothing wrong, and reading is refused');
}

async function judgeSalvage({ log, faults }: Mutant, source: MemoryStorage): Promise<void> {
  const target = new MemoryStorage();
  const report = await salvageLog(source, target, {
    segmentBytes: 0,
    maxFillers: 10_000,
    beforeEpoch: Number.POSITIVE_INFINITY,
    environment: { ...systemEnvironment, randomBytes: simulatedEnvironment(5).randomBytes },
    check: () => {},
  });
  if (report.savedRecords === 0) return;
  const reader = await DirectoryReader.open({
    directory: '',
    storage: target,
    isWriterAlive: async () => false,
  });
  const records = await reader.readAll();
  await reader.close();
  const byLsn = new Map(log.records.map((record) => [record.lsn, record]));
  const isMoved = report.saved.some(({ firstLsn, newFirstLsn }) => firstLsn !== newFirstLsn);
  if (isMoved) return;
  for (const { lsn, payload } of records) {
    const expected = byLsn.get(lsn);
    if (expected === undefined && lsn >= (log.records[0]?.lsn ?? 0) && faults === 1)
      throw new Error(`salvage: LSN ${lsn} was never appended`);
    if (expected && Buffer.compare(payload, expected.payload) !== 0)
      throw new Error(`salvage: LSN ${lsn} has other bytes`);
  }
  const isHere = new Set(records.map(({ lsn }) => lsn));
  const isLost = (lsn: number): boolean =>
    report.lost.some(({ firstLsn, lastLsn = Number.POSITIVE_INFINITY }) => firstLsn <= lsn && lsn <= lastLsn);
  for (const { lsn, commitLsn } of log.records) {
    if (isHere.has(lsn) || lsn >= log.unprovenFromSector) continue;
    // Whose commit is lost is in the new log, and takes no effect.
    const isTold = isLost(lsn) || isLost(commitLsn);
    if (!isTold && report.abortedTransactions === 0 && faults === 1)
      throw new Error(`salvage: LSN ${lsn} is lost in silence`);
  }
}

/** All that is committed, as callers read it. */
async function everything(storage: MemoryStorage, view: ReadView): Promise<SeenRecord[]> {
  const { firstLsn, durableLsn } = view;
  const range = { from: firstLsn, to: durableLsn, transactions: 'committed' as const, decoder: undefined };
  const records: SeenRecord[] = [];
  for await (const group of readGroups(storage, view, range, () => firstLsn)) records.push(...group);
  return records;
}
