/**
 * damage-sweep: a log that was closed in order, all of it acknowledged and proven, with every kind of damage to every
 * part of its files. Only two answers are right: all records, exactly; or a refusal, with no file changed.
 */
import { describe, expect, it } from 'vitest';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { Prng, testSeed } from '../support/prng.js';
import type { Image } from '../support/sim-image.js';
import { SECTOR_BYTES } from '../support/sim-sector.js';
import { SimStorage } from '../support/sim-storage.js';
import { boot } from './disk.js';

const RECORDS = 14;
/** Changes tried; `RINGWAL_DAMAGE_STEP=1` tries every byte of every file. */
const STEP = Number(process.env.RINGWAL_DAMAGE_STEP ?? 13);

type Files = Map<string, Uint8Array>;

function filesOf(image: Image): Files {
  return new Map(
    [...image.files].filter(([, { size }]) => size > 0).map(([name, file]) => [name, file.bytes()]),
  );
}

/** Three segments and a reopening between them, closed: everything is proven. */
async function closedLog(): Promise<Files> {
  let storage = new SimStorage();
  let log = await EngineHarness.open(storage, undefined, { recycle: false });
  let id = 0;
  const append = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      id++;
      await log.append(payloadOf(id, 20 + ((id * 53) % 200)));
    }
  };
  await append(4);
  await log.rotate();
  await append(4);
  await log.close();
  storage = SimStorage.boot(storage.liveImage());
  log = await EngineHarness.open(storage, undefined, { recycle: false }, 2);
  await append(2);
  await log.append([payloadOf(11, 30), payloadOf(12, 40)]);
  id = 12;
  await log.rotate();
  await append(2);
  await log.close();
  return filesOf(storage.liveImage());
}

type Outcome = 'all' | 'refused' | `wrong: ${string}`;

/** What opening and reading make of the files. */
async function outcomeOf(files: Files): Promise<Outcome> {
  const storage = boot(files);
  const before = storage.liveImage().hash;
  let log: EngineHarness;
  try {
    log = await EngineHarness.open(storage, undefined, { recycle: false }, 3);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'RINGWAL_CORRUPT' && code !== 'RINGWAL_UNSUPPORTED_VERSION') return `wrong: ${error}`;
    return storage.liveImage().hash === before ? 'refused' : 'wrong: a file was changed';
  }
  if (storage.violations.length > 0) return `wrong: ${storage.violations[0]}`;
  try {
    const records = await log.readAll();
    if (records.length !== RECORDS) return `wrong: ${records.length} records of ${RECORDS}`;
    const bad = records.find(({ lsn, payload }, i) => {
      return lsn !== i + 1 || Buffer.compare(payload, payloadOf(lsn, payload.length)) !== 0;
    });
    return bad === undefined ? 'all' : `wrong: LSN ${bad.lsn} has other bytes`;
  } catch (error) {
    const { code } = error as { code?: string };
    return code === 'RINGWAL_CORRUPT' ? 'refused' : `wrong: ${error}`;
  }
}

/** Tries one damaged copy after the other; returns how many gave which outcome, and all wrong ones. */
async function sweep(mutants: Iterable<{ what: string; files: Files }>) {
  const counts = { all: 0, refused: 0 };
  const wrong: string[] = [];
  for (const { what, files } of mutants) {
    const outcome = await outcomeOf(files);
    if (outcome === 'all' || outcome === 'refused') counts[outcome]++;
    else wrong.push(`${what}: ${outcome}`);
  }
  return { ...counts, wrong };
}

function copyWith(files: Files, name: string, change: (bytes: Uint8Array) => Uint8Array): Files {
  return new Map(files).set(name, change((files.get(name) ?? new Uint8Array(0)).slice()));
}

/** Ends of what is not zero in a file. */
function used(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

function* byteChanges(files: Files, prng: Prng) {
  for (const [name, bytes] of files) {
    for (
      let at = prng.below(STEP);
      at < used(bytes) + 64 && at < bytes.length;
      at += prng.between(1, 2 * STEP - 1)
    ) {
      const value = prng.pick([0, 0xff, (bytes[at] ?? 0) ^ (1 << prng.below(8)), prng.below(256)]);
      if (value === bytes[at]) continue;
      const change = (copy: Uint8Array): Uint8Array => copy.fill(value, at, at + 1);
      yield { what: `${name} byte ${at} to ${value}`, files: copyWith(files, name, change) };
    }
  }
}

function* truncations(files: Files, prng: Prng) {
  for (const [name, bytes] of files) {
    for (let size = 0; size < bytes.length; size += prng.between(1, 6 * STEP)) {
      yield {
        what: `${name} cut to ${size}`,
        files: copyWith(files, name, (copy) => copy.subarray(0, size)),
      };
    }
  }
}

function* sectorChanges(files: Files, prng: Prng) {
  for (const [name, bytes] of files) {
    for (let at = 0; at < used(bytes); at += SECTOR_BYTES) {
      const end = Math.min(at + SECTOR_BYTES, bytes.length);
      const other = prng.below(Math.max(1, Math.floor(used(bytes) / SECTOR_BYTES))) * SECTOR_BYTES;
      const garbage = prng.bytes(end - at);
      const changes: [string, (copy: Uint8Array) => Uint8Array][] = [
        ['zeros', (copy) => copy.fill(0, at, end)],
        ['garbage', (copy) => Buffer.concat([copy.subarray(0, at), garbage, copy.subarray(end)])],
        [`a copy of ${other}`, (copy) => copy.copyWithin(at, other, other + end - at)],
      ];
      for (const [what, change] of changes) {
        yield { what: `${name} sector ${at} ${what}`, files: copyWith(files, name, change) };
      }
    }
  }
}

function* fileChanges(files: Files) {
  const names = [...files.keys()];
  for (const name of names) {
    const without = new Map(files);
    without.delete(name);
    yield { what: `without ${name}`, files: without };
    for (const other of names) {
      const replaced = files.get(other);
      if (other === name || replaced === undefined) continue;
      yield { what: `${name} is a copy of ${other}`, files: new Map(files).set(name, replaced) };
      const swapped = new Map(files).set(name, replaced).set(other, files.get(name) ?? replaced);
      if (name < other) yield { what: `${name} and ${other} swapped`, files: swapped };
    }
  }
}

describe('a closed log gives all its records or is refused', async () => {
  const files = await closedLog();
  const prng = new Prng(testSeed(1));

  it('undamaged, it gives all', async () => {
    expect(files.size).toBeGreaterThanOrEqual(5);
    expect(await outcomeOf(files)).toBe('all');
  });

  it('with any byte changed', { timeout: 120_000 }, async () => {
    const { all, refused, wrong } = await sweep(byteChanges(files, prng));
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(100);
    expect(all).toBeGreaterThan(10); // behind ends, in paddings, in what recovery logged again
  });

  it('with any sector zeroed, overwritten, or a copy of another', async () => {
    const { refused, wrong } = await sweep(sectorChanges(files, prng));
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(20);
  });

  it('with any file cut short', async () => {
    const { refused, wrong } = await sweep(truncations(files, prng));
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(20);
  });

  it('with any file missing, doubled or swapped with another', async () => {
    const { refused, wrong } = await sweep(fileChanges(files));
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(10);
  });
});
