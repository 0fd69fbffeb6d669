/** reopening: logs that are opened again and again, by one writer after the other or by two at once; what opening reads. */
import { describe, expect, it } from 'vitest';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import { unsynced } from '../support/harness-producer.js';
import { must } from '../support/must.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { type FileImage, Image } from '../support/sim-image.js';
import { SimStorage } from '../support/sim-storage.js';

const HEAD_BYTES = 4096 + 128;
const name = (number: number): string => `${String(number).padStart(20, '0')}.wal`;
const namesIn = (storage: SimStorage): string[] => [...storage.liveImage().files.keys()].sort();

/** A storage that holds `files` and nothing else, as after a reboot. */
function rebooted(storage: SimStorage, plan?: FaultPlan): SimStorage {
  return SimStorage.boot(storage.liveImage(), plan === undefined ? {} : { plan });
}

async function appended(log: EngineHarness, from: number, count: number, bytes = 40): Promise<void> {
  for (let i = 0; i < count; i++) await log.append(payloadOf(from + i, bytes));
}

async function expectAll(storage: SimStorage, first: number, last: number): Promise<void> {
  const { records, nextLsn } = await recoverAll(storage);
  expect(records.map(({ lsn }) => lsn)).toEqual(
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
  expect(nextLsn).toBe(last + 1);
  expect(storage.violations).toEqual([]);
}

describe('opening', () => {
  it('reads of a closed segment its head, and nothing else', async () => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, { recycle: false });
    const segments = 200;
    for (let i = 1; i <= segments; i++) {
      await appended(log, i, 1, 1000);
      await log.rotate();
    }
    await log.close();
    const again = rebooted(storage);
    await EngineHarness.open(again, undefined, { recycle: false }, 2);
    for (let i = 1; i < segments; i++) {
      const reads = again.operations.filter(
        (operation) => operation.kind === 'read' && operation.name === name(i),
      );
      expect(reads.map(({ bytes, position }) => [position, bytes])).toEqual([[0, HEAD_BYTES]]);
    }
  });

  it('again and again after crashes, with an append each time, gives every LSN once', async () => {
    let storage = new SimStorage();
    for (let i = 1; i <= 30; i++) {
      const log = await EngineHarness.open(storage, undefined, {}, i);
      expect(log.engine.summary.lastLsn).toBe(i - 1);
      expect(log.engine.summary.reloggedRecords).toBe(i > 1 ? 1 : 0);
      await appended(log, i, 1);
      storage = rebooted(storage); // without closing
    }
    await expectAll(storage, 1, 30);
  });

  it('with smaller segments than the group that must be logged again', async () => {
    const large: Partial<ResolvedOptions> = {
      segmentBytes: 65_536,
      ringBytes: 65_536,
      maxGroupBytes: 30_000,
    };
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, large);
    await log.append([payloadOf(1, 14_000), payloadOf(2, 14_000)]);
    const again = rebooted(storage);
    const reopened = await EngineHarness.open(again, undefined, {}, 2);
    expect(reopened.engine.summary).toMatchObject({ lastLsn: 2, reloggedRecords: 2 });
    await appended(reopened, 3, 20, 2000);
    await reopened.close();
    await expectAll(rebooted(again), 1, 22);
  });

  it('with padded groups that are larger than what is read at once', async () => {
    const MiB = 1024 * 1024;
    const options: Partial<ResolvedOptions> = {
      padGroups: true,
      segmentBytes: 8 * MiB,
      ringBytes: 4 * MiB,
      maxGroupBytes: 2 * MiB,
    };
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, options);
    const payloads = [40, 1.25 * MiB].map((bytes, i) => Buffer.alloc(bytes, i + 1));
    for (const payload of payloads) await log.append(payload);
    const reopened = await EngineHarness.open(rebooted(storage), undefined, options, 2);
    expect(reopened.engine.summary).toMatchObject({ lastLsn: 2, reloggedRecords: 1 });
    for (const [i, { payload }] of (await reopened.readAll()).entries())
      expect(Buffer.compare(payload, must(payloads[i])), `record ${i + 1}`).toBe(0);
  });

  it('removes what is not part of the log: files under preparation, and segments that were superseded', async () => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, { recycle: false });
    await appended(log, 1, 1); // never proven: the next opening logs it again, and this segment is superseded
    const image = storage.liveImage();
    const spare = image.files.get(name(2));
    const files = new Map(image.files);
    if (spare !== undefined) files.set(name(7).replace('.wal', '.new'), spare);
    const again = SimStorage.boot(new Image(files));
    const reopened = await EngineHarness.open(again, undefined, { recycle: false }, 2);
    expect(namesIn(again)).not.toContain(name(7).replace('.wal', '.new'));
    expect(namesIn(again)).not.toContain(name(1));
    await reopened.close();
    await expectAll(rebooted(again), 1, 1);
  });

  it('refuses segments of two writers that had the directory open at once', async () => {
    const base = new SimStorage();
    const log = await EngineHarness.open(base, undefined, { recycle: false });
    await appended(log, 1, 2);
    await log.close();
    const written = async (storage: SimStorage, seed: number, rotations: number): Promise<SimStorage> => {
      const writer = await EngineHarness.open(storage, undefined, { recycle: false }, seed);
      for (let i = 0; i <= rotations; i++) {
        if (i > 0) await writer.rotate();
        await appended(writer, 3 + i, 1);
      }
      return storage;
    };
    const filesOf = (storage: SimStorage) => storage.liveImage().files;
    const refused = async (files: ReadonlyMap<string, FileImage>, message: RegExp): Promise<void> => {
      const storage = SimStorage.boot(new Image(files));
      const before = storage.liveImage().hash;
      const error = await recoverAll(storage).catch((reason: Error) => reason);
      expect(error).toMatchObject({ code: 'RINGWAL_CORRUPT', message: expect.stringMatching(message) });
      expect(storage.liveImage().hash).toBe(before);
    };
    // One goes on behind what looks like the other's segment: its LINK names another salt.
    const one = filesOf(await written(rebooted(base), 11, 1));
    const another = filesOf(await written(rebooted(base), 12, 2));
    const newest = must([...another].filter(([file]) => !one.has(file) || file === name(5)).sort()[0]);
    await refused(new Map([...one, newest]), /another file than the one it names/);
    // One's segment lies in a gap between the other's numbers: of the same epoch, and on no chain.
    const died = await written(rebooted(base), 13, 0);
    const dead = rebooted(died);
    const long = filesOf(await written(dead, 14, 0));
    const noSpare: FaultPlan = ({ kind, name: file }) =>
      kind === 'create' && file === name(4).replace('.wal', '.new') ? { code: 'EIO' } : undefined;
    const alone = await written(rebooted(base, noSpare), 15, 0);
    const short = filesOf(await written(rebooted(alone), 16, 0));
    const foreign = must([...short.keys()].sort().find((file) => file === name(4)));
    expect(long.has(name(5))).toBe(true);
    await refused(new Map([...long, [foreign, must(short.get(foreign))]]), /two writers/);
  });
});

describe('a log with recycled files', () => {
  it('never shows their old groups again, whatever the new ones cover', async () => {
    let storage = new SimStorage();
    let lastLsn = 0;
    for (let round = 1; round <= 12; round++) {
      const log = await EngineHarness.open(storage, undefined, {}, round);
      expect(log.engine.summary.lastLsn).toBe(lastLsn);
      // Groups of the same sizes every time: old frames lie exactly where new ones end.
      for (let i = 0; i < 8; i++) await log.append(payloadOf(++lastLsn, 3000));
      await log.truncateBefore(lastLsn - 2);
      await appended(log, lastLsn + 1, 1, 3000);
      lastLsn++;
      const records = await log.readAll();
      expect(records.map(({ lsn }) => lsn)).toEqual([lastLsn - 3, lastLsn - 2, lastLsn - 1, lastLsn]);
      if (round % 2 === 0) await log.close();
      expect(storage.violations).toEqual([]);
      storage = rebooted(storage);
    }
    const { records } = await recoverAll(storage);
    for (const { lsn, payload } of records) expect(Buffer.compare(payload, payloadOf(lsn, 3000))).toBe(0);
    expect(records.at(-1)?.lsn).toBe(lastLsn);
  });
});

// A group to be logged again took a block of its own then, and more of them than blocks did not fit into the new segment.
it('with padded groups, after a crash that left more unproven groups than a segment has blocks, finds all of them', async () => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  const groups = 40;
  for (let id = 1; id <= groups; id++) {
    log.submit(payloadOf(id, 40), 0, unsynced);
    await log.commit();
  }
  expect(log.engine.stats()).toMatchObject({ groups, rotations: 0 });
  const killed = SimStorage.boot(storage.liveImage());
  const again = await EngineHarness.open(killed, undefined, { padGroups: true }, 2);
  expect(again.engine.summary).toMatchObject({ lastLsn: groups, reloggedRecords: groups });
  await again.append(payloadOf(groups + 1, 40));
  await again.rotate();
  await again.append(payloadOf(groups + 2, 40));
  const { records } = await recoverAll(SimStorage.boot(killed.liveImage()));
  expect(records.map(({ lsn }) => lsn)).toEqual(Array.from({ length: groups + 2 }, (_, i) => i + 1));
});
