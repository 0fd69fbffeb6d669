/**
 * salvage-sweep: a closed log of five segments with one piece of damage in it, very many times over. The default mode
 * gives all or refuses; point-in-time gives a true prefix and says that something is lost; salvage gives true records
 * only, and calls every other one lost.
 */
import { describe, expect, it } from 'vitest';
import { type EngineHarness, payloadOf } from '../support/engine-harness.js';
import type { RecoveredRecord } from '../support/oracle.js';
import { Prng, testSeed } from '../support/prng.js';
import { salvaged } from '../support/salvaged.js';
import { SimStorage } from '../support/sim-storage.js';
import { boot, bytesOf, type Disk, diskOf, groups, open } from './disk.js';

const RECORDS = 24;
/** Mutants of each kind; `RINGWAL_SALVAGE_MUTANTS` asks for more. */
const MUTANTS = Number(process.env.RINGWAL_SALVAGE_MUTANTS ?? 90);

/** Five segments and two openings, closed: everything is proven. */
async function closedLog(): Promise<Disk> {
  let storage = new SimStorage();
  let log = await open(storage, { recycle: false });
  for (let id = 1; id <= RECORDS; id++) {
    if (id === 13) {
      await log.close();
      storage = SimStorage.boot(storage.liveImage());
      log = await open(storage, { recycle: false });
    } else if (id % 6 === 1 && id > 1) await log.rotate();
    if (id % 5 === 0) {
      await log.append([payloadOf(id, 90), payloadOf(id + 1, 30)]);
      id++;
    } else await log.append(payloadOf(id, 20 + ((id * 53) % 400)));
  }
  await log.close();
  return diskOf(storage);
}

function used(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

/** Places worth damaging: headers, frames and payloads of groups, the first block; and anywhere. */
function placeIn(bytes: Uint8Array, prng: Prng): number {
  const group = prng.pick([...groups(bytes), 0, prng.below(Math.max(1, used(bytes)))]);
  return Math.min(bytes.length - 1, group + prng.below(prng.pick([8, 64, 100])));
}

type Mutation = (disk: Disk, name: string, prng: Prng) => void;

/** What is done, how often (0: once to each file), and how many records it may cost a salvage: those that it hits. */
const MUTATIONS: readonly [string, Mutation, number, number][] = [
  [
    'a bit flipped',
    (disk, name, prng) => change(disk, name, prng, (bytes, at) => flipBit(bytes, at, prng)),
    MUTANTS,
    2,
  ],
  [
    'bytes zeroed',
    (disk, name, prng) =>
      change(disk, name, prng, (bytes, at) => bytes.fill(0, at, at + prng.between(1, 600))),
    MUTANTS,
    8,
  ],
  [
    'garbage',
    (disk, name, prng) =>
      change(disk, name, prng, (bytes, at) => bytes.set(prng.bytes(Math.min(40, bytes.length - at)), at)),
    MUTANTS,
    4,
  ],
  [
    'a piece of it elsewhere',
    (disk, name, prng) =>
      change(disk, name, prng, (bytes, at) =>
        bytes.copyWithin(at, placeIn(bytes, prng), placeIn(bytes, prng) + 700),
      ),
    MUTANTS,
    8,
  ],
  [
    'cut',
    (disk, name, prng) => disk.set(name, bytesOf(disk, name).slice(0, placeIn(bytesOf(disk, name), prng))),
    MUTANTS,
    8,
  ],
  ['deleted', (disk, name) => disk.delete(name), 0, 8],
  [
    'two places in two files',
    (disk, name, prng) => {
      for (const one of [name, prng.pick([...disk.keys()])])
        change(disk, one, prng, (bytes, at) => flipBit(bytes, at, prng));
    },
    MUTANTS,
    4,
  ],
];

function change(disk: Disk, name: string, prng: Prng, edit: (bytes: Uint8Array, at: number) => void): void {
  const bytes = bytesOf(disk, name).slice();
  edit(bytes, placeIn(bytes, prng));
  disk.set(name, bytes);
}

function flipBit(bytes: Uint8Array, at: number, prng: Prng): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8));
}

function isTrue({ lsn, payload }: RecoveredRecord): boolean {
  return Buffer.compare(payload, payloadOf(lsn, payload.length)) === 0 && payload.length > 0;
}

/** What is wrong with what the three ways make of a disk. */
async function judge(disk: Disk, least = 0): Promise<{ wrong: string[]; outcome: string }> {
  const wrong: string[] = [];
  const read = async (log: EngineHarness): Promise<readonly RecoveredRecord[] | undefined> =>
    log.readAll().catch((error: { code?: string }) => {
      if (error.code !== 'RINGWAL_CORRUPT') wrong.push(`reading: ${error}`);
      return undefined;
    });
  const tryOpen = (recovery: 'tolerate-torn-tail' | 'point-in-time'): Promise<EngineHarness | undefined> =>
    open(boot(disk), { recovery }).catch((error: { code?: string }) => {
      if (error.code !== 'RINGWAL_CORRUPT' && error.code !== 'RINGWAL_UNSUPPORTED_VERSION')
        wrong.push(`${error}`);
      return undefined;
    });

  const plain = await tryOpen('tolerate-torn-tail');
  const all = plain && (await read(plain));
  if (all !== undefined && (all.length !== RECORDS || !all.every(isTrue)))
    wrong.push('default: not all of it');

  const cut = await tryOpen('point-in-time');
  if (cut !== undefined) {
    const prefix = await read(cut);
    const { summary } = cut.engine;
    if (prefix === undefined) wrong.push('point-in-time: damage in what it gave');
    else if (!prefix.every((record, i) => record.lsn === i + 1 && isTrue(record)))
      wrong.push('point-in-time: no prefix');
    else if (prefix.length !== summary.lastLsn) wrong.push('point-in-time: not what it said');
    else if (prefix.length < RECORDS && summary.damage[0]?.firstLostLsn !== prefix.length + 1)
      wrong.push('point-in-time: a loss in silence');
  }

  const { report, records } = await salvaged(disk);
  if (!records.every(isTrue)) wrong.push('salvage: a wrong record');
  if (records.length < least) wrong.push(`salvage: only ${records.length} records`);
  const isHere = new Set(records.map(({ lsn }) => lsn));
  if (isHere.size !== report.savedRecords) wrong.push('salvage: another number of records');
  for (let lsn = 1; lsn <= RECORDS; lsn++) {
    const isLost = report.lost.some(
      ({ firstLsn, lastLsn }) => firstLsn <= lsn && lsn <= (lastLsn ?? RECORDS),
    );
    if (isHere.has(lsn) === isLost)
      wrong.push(`salvage: LSN ${lsn} is ${isLost ? 'here and lost' : 'lost in silence'}`);
  }
  const prefixEnd = cut?.engine.summary.lastLsn ?? 0;
  for (let lsn = 1; lsn <= prefixEnd; lsn++) {
    if (!isHere.has(lsn)) wrong.push(`salvage: LSN ${lsn} was to be had, and is not saved`);
  }
  const part = records.length === RECORDS ? 'all' : records.length > 0 ? 'part' : 'nothing';
  return { wrong, outcome: `${all ? 'opened' : 'refused'}, ${cut ? 'cut' : 'not cut'}, ${part} saved` };
}

describe('a damaged log', async () => {
  const whole = await closedLog();
  const prng = new Prng(testSeed(1));
  const outcomes = new Map<string, number>();
  let mutants = 0;

  it('without damage, is whole in every way', async () => {
    expect(await judge(whole)).toEqual({ wrong: [], outcome: 'opened, cut, all saved' });
  });

  it.each(MUTATIONS)('with %s', async (_, mutate, count, most) => {
    const names = [...whole.keys()];
    const targets = count === 0 ? names : Array.from({ length: count }, () => prng.pick(names));
    const wrong: string[] = [];
    for (const [i, name] of targets.entries()) {
      const disk = new Map(whole);
      mutate(disk, name, prng);
      const verdict = await judge(disk, RECORDS - most).catch((error: Error) => ({
        wrong: [`${error.stack}`],
        outcome: 'failed',
      }));
      wrong.push(...verdict.wrong.map((what) => `mutant ${i} of ${name}, seed ${prng.seed}: ${what}`));
      outcomes.set(verdict.outcome, (outcomes.get(verdict.outcome) ?? 0) + 1);
      mutants++;
    }
    expect(wrong).toEqual([]);
  });

  it('was one of very many, and of every outcome', () => {
    console.log(`salvage sweep: ${mutants} mutants`, Object.fromEntries(outcomes));
    expect(mutants).toBeGreaterThan(500);
    expect(outcomes.size).toBeGreaterThan(3);
  });
});
