/** recover: what opening a log gives to the engine, and what it leaves in the directory, as calls of a storage. */
import { describe, expect, it } from 'vitest';
import { RECORD_CHECKPOINT, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { decodeSegmentHeader, segmentName } from '../../dist/src/format/segment-header.js';
import { type RecoverOptions, recover } from '../../dist/src/recovery/recover.js';
import { CHECKPOINT } from '../../dist/src/ring/layout.js';
import { simulatedEnvironment } from '../support/engine-harness.js';
import { unsynced } from '../support/harness-producer.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import { boot, copyOf, type Disk, diskOf, flip, groups, open, text } from './disk.js';

const OPTIONS: RecoverOptions = {
  ...{ segmentBytes: 65_536, padGroups: false, mustInclude: 0, recovery: 'tolerate-torn-tail' },
  environment: simulatedEnvironment(5),
};

/** Two segments with two records each, and a spare, as kill -9 leaves them. */
async function written(): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (const value of ['1a', '1b']) await log.append(text(value));
  await log.rotate();
  for (const value of ['2a', '2b']) await log.append(text(value));
  return diskOf(storage);
}

describe('opening', () => {
  it('that can not read the last group a second time fails before it publishes a segment without it', async () => {
    const disk = await written();
    const storage = new MemoryStorage(disk);
    const { create, open: openFile } = { create: storage.create, open: storage.open };
    let isRotten = false; // once the new segment is begun: what is logged again was read before that
    storage.create = async (name) => {
      isRotten = true;
      return create.call(storage, name);
    };
    storage.open = async (name, access) => {
      const file = await openFile.call(storage, name, access);
      const { read } = file;
      file.read = async (into, position) => {
        const bytes = await read(into, position);
        if (isRotten) flip(into, 70);
        return bytes;
      };
      return file;
    };
    await expect(recover(storage, OPTIONS)).rejects.toMatchObject({
      ...{ code: 'RINGWAL_IO', cause: { message: 'it changed while it was read' } },
    });
    expect(storage.openFiles).toBe(0);
    isRotten = false;
    storage.create = create;
    expect((await recover(storage, OPTIONS)).summary).toMatchObject({ lastLsn: 4, reloggedRecords: 1 });
  });
});

const NAMES = [1, 2, 3, 4, 5].map((number) => segmentName(number)) as [
  string,
  string,
  string,
  string,
  string,
];

/** Opens; returns what was found, the calls that changed the directory, and of each write whether a sync was to follow. */
async function recovered(disk: Disk, options: Partial<RecoverOptions> = {}) {
  const storage = new MemoryStorage(disk);
  const calls: string[] = [];
  for (const call of ['link', 'unlink', 'syncDirectory', 'create'] as const) {
    const before = storage[call].bind(storage) as (...args: string[]) => Promise<unknown>;
    (storage as unknown as Record<string, unknown>)[call] = (...args: string[]) => {
      calls.push([call, ...args].join(' '));
      return before(...args);
    };
  }
  const writes: boolean[] = [];
  const { create } = storage;
  storage.create = async (name) => {
    const file = await create(name);
    const { writeGroup } = file;
    file.writeGroup = (views, position, willSync) => {
      writes.push(willSync);
      writeGroup(views, position, willSync);
    };
    return file;
  };
  const start = performance.now();
  const found = await recover(storage, { ...OPTIONS, ...options });
  expect(found.summary.durationMs).toBeLessThanOrEqual(performance.now() - start);
  expect(storage.openFiles).toBe(1); // the writer's
  return { ...found, calls, writes, files: storage.files() };
}

describe('an empty directory', () => {
  it('becomes a log with one segment, in order: prepared, published, synced', async () => {
    const { calls, writes, writer, summary, logId, files, ...rest } = await recovered(new Map());
    expect(calls).toEqual([
      'create 00000000000000000001.new',
      `link 00000000000000000001.new ${NAMES[0]}`,
      'unlink 00000000000000000001.new',
      'syncDirectory',
    ]);
    expect(writes.length).toBe(1);
    expect(rest).toEqual({
      ...{ firstLsn: 1, previousChecksum: 0, truncatedBefore: 0, openLsn: 0, checkpointLsn: 0 },
      ...{ closed: [], leftovers: [], abandoned: [], kept: new Set(), nextNumber: 2 },
    });
    const { durationMs, ...told } = summary;
    expect(told).toEqual({
      ...{ mode: 'tolerate-torn-tail', created: true, firstLsn: 1, lastLsn: 0, records: 0, segments: 1 },
      ...{ lastSegment: 1, tornTail: undefined, tornBytes: 0, reloggedRecords: 0, damage: [] },
      ...{ keptAside: [], checkpointLsn: 0, epoch: 1 },
    });
    expect(writer.isLinkDurable).toBe(true);
    expect(writer).toMatchObject({ lastLsn: 0, end: 4096 + 128 });
    expect(decodeSegmentHeader(must(files.get(NAMES[0])).subarray(0, 4096))).toMatchObject({
      header: { number: 1, epoch: 1, logId, segmentBytes: 65_536 },
    });
  });

  it('tells of what was prepared and put aside there, and takes nothing else for a log', async () => {
    const aside = `${NAMES[2]}.lost-4`;
    const left: Disk = new Map(
      ['00000000000000000009.new', aside, 'notes'].map((name) => [name, text(name)]),
    );
    const found = await recovered(left);
    expect(found).toMatchObject({ abandoned: ['00000000000000000009.new'], leftovers: [], nextNumber: 2 });
    expect(found.summary).toMatchObject({ keptAside: [aside], created: true });
    await expect(recovered(left, { mustInclude: 1 })).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  });
});

describe('a log', () => {
  it('of which a transaction ends in what is logged again keeps the segment in which that may have begun', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    await log.append(text('before'));
    const tx = log.begin();
    void tx.append(text('inside'));
    await log.commit();
    void tx.commit();
    await log.commit();
    const { openLsn, writer } = await recovered(diskOf(storage));
    expect([openLsn, writer.lastLsn]).toEqual([1, 4]);
  });

  it.each([
    ['begins and ends a transaction', true],
    ['begins one that never ends', false],
  ])('of which what is logged again %s keeps no segment for its sake', async (_, isCommitted) => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    await log.append(text('before'));
    const tx = log.begin();
    void tx.append(text('inside'));
    if (isCommitted) void tx.commit();
    await log.commit();
    const { openLsn, writer } = await recovered(diskOf(storage));
    expect([openLsn, writer.lastLsn]).toEqual([0, isCommitted ? 4 : 3]);
  });

  it('of which groups are logged again that one large record runs through is read from each LSN of theirs', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    const payload = new Uint8Array(10_000).fill(7);
    void log.producer(0).submitLarge({ type: RECORD_FULL, flags: 0, payload }, unsynced);
    await log.commit();
    const again = await open(boot(diskOf(storage)));
    const { reloggedRecords, lastLsn } = again.engine.summary;
    expect(reloggedRecords).toBe(lastLsn);
    await again.rotate(); // its SEAL has the index by which reading finds its place
    const lsns = Array.from({ length: lastLsn }, (_, i) => i + 1);
    expect(await again.checkReading(lsns)).toEqual([]);
    expect(await again.readAll(lastLsn)).toMatchObject([{ lsn: lastLsn }]);
  });

  it('goes on in a segment behind it, with its last group logged again', async () => {
    const disk = await written();
    const { calls, writes, writer, closed, leftovers, summary, files, ...rest } = await recovered(disk);
    expect(calls).toEqual([
      'create 00000000000000000004.new',
      `link 00000000000000000004.new ${NAMES[3]}`,
      'unlink 00000000000000000004.new',
      'syncDirectory',
    ]);
    expect(writes).toEqual([false]); // one sync for all that is logged again
    const places = groups(must(disk.get(NAMES[1])));
    expect(closed).toMatchObject([
      { name: NAMES[0], firstLsn: 1, lastLsn: 2 },
      { name: NAMES[1], firstLsn: 3, lastLsn: 3, end: places[2] },
    ]);
    expect(leftovers.map(({ name }) => name)).toEqual([NAMES[2]]);
    expect(rest).toMatchObject({
      ...{ firstLsn: 4, previousChecksum: closed[1]?.lastChecksum, truncatedBefore: 0 },
      ...{ openLsn: 0, checkpointLsn: 0, abandoned: [], freed: [], kept: new Set(), nextNumber: 5 },
    });
    const { durationMs, ...told } = summary;
    expect(told).toEqual({
      ...{ mode: 'tolerate-torn-tail', created: false, firstLsn: 1, lastLsn: 4, records: 4, segments: 3 },
      ...{ lastSegment: 4, tornTail: undefined, tornBytes: 0, reloggedRecords: 1, damage: [] },
      ...{ keptAside: [], checkpointLsn: 0, epoch: 2 },
    });
    expect(writer).toMatchObject({ lastLsn: 4, isLinkDurable: true, hasUnsynced: false });
    expect(must(files.get(NAMES[3])).length).toBe(65_536);
    expect(groups(must(files.get(NAMES[3]))).length).toBe(2);
  });

  it.each([2, 3, 4, 5])('that was truncated before LSN %d begins there', async (mark) => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    for (const value of ['1a', '1b']) await log.append(text(value));
    await log.rotate();
    for (const value of ['2a', '2b']) await log.append(text(value));
    const before = diskOf(storage);
    await log.truncateBefore(mark);
    const disk = new Map([...before, ...diskOf(storage)]); // a file that was freed is still there
    const { summary, truncatedBefore, freed } = await recovered(disk);
    const records = { firstLsn: mark, lastLsn: 4, records: 5 - mark };
    expect(summary).toMatchObject({ ...records, segments: mark < 3 ? 3 : 2 });
    expect(truncatedBefore).toBe(mark);
    expect(freed?.map(({ name }) => name)).toEqual(mark < 3 ? [] : [NAMES[0]]);
  });

  it('remembers its last checkpoint when that is logged again, and again', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    void log.producer(0).submit([{ type: RECORD_CHECKPOINT, flags: 0, payload: text('two') }], {
      chunkFlags: CHECKPOINT,
    });
    await log.commit();
    let disk = diskOf(storage);
    for (let times = 0; times < 3; times++) {
      const { checkpointLsn, summary, files } = await recovered(disk);
      expect([checkpointLsn, summary.checkpointLsn, summary.reloggedRecords]).toEqual([2, 2, 1]);
      disk = files;
    }
  });

  it('has groups that no sync had followed logged again one by one, however many they are', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (let i = 1; i <= 6; i++) {
      log.submit([text(`${i}a`), text(`${i}b`)], 0, unsynced);
      await log.commit();
    }
    const { writes, writer, summary, files } = await recovered(diskOf(storage));
    expect(writes).toEqual(Array(6).fill(false));
    expect(summary).toMatchObject({ lastLsn: 12, reloggedRecords: 12 });
    const bytes = must(files.get(segmentName(writer.segment.number)));
    expect(groups(bytes).length).toBe(7);
  });

  it('has a segment as large as what must be logged again needs', async () => {
    const storage = new SimStorage();
    const large = { segmentBytes: 131_072, ringBytes: 131_072, maxGroupBytes: 60_000 };
    const log = await open(storage, large);
    await log.append(Buffer.alloc(50_000, 1));
    const { files, writer, writes } = await recovered(diskOf(storage));
    expect(writes).toEqual([false]); // LINK and group in one
    // LINK, a header and a frame; and what a segment has besides its groups: 32 KiB.
    const bytes = Math.ceil((128 + 64 + 50_008 + 32_768) / 4096) * 4096;
    expect(must(files.get(segmentName(writer.segment.number))).length).toBe(bytes);
    expect(writer.segment.segmentBytes).toBe(bytes);
  });

  it('that can not be read is an I/O error with its cause, and no file is left open', async () => {
    const disk = await written();
    for (const call of ['open', 'create', 'link', 'unlink', 'syncDirectory', 'list'] as const) {
      const storage = new MemoryStorage(disk);
      const cause = new Error(`EIO: ${call}`);
      Object.assign(storage, { [call]: () => Promise.reject(cause) });
      const error = await recover(storage, OPTIONS).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error, call).toMatchObject({ code: 'RINGWAL_IO', cause });
      expect(storage.openFiles, call).toBe(0);
    }
  });
});

describe('files that were put aside', () => {
  it('are told, kept from being reused, and make the epoch higher than theirs', async () => {
    const disk = await written();
    flip(must(disk.get(NAMES[1])), must(groups(must(disk.get(NAMES[1])))[1]) + 66);
    const { calls, kept, summary, files } = await recovered(disk, { recovery: 'point-in-time' });
    const aside = `${NAMES[1]}.lost-2`;
    expect(calls.slice(0, 2)).toEqual([`link ${NAMES[1]} ${aside}`, 'syncDirectory']);
    expect(calls.filter((call) => call === 'syncDirectory').length).toBe(2);
    expect(kept).toEqual(new Set([NAMES[1]]));
    expect(summary).toMatchObject({ epoch: 2, keptAside: [aside], damage: [{ keptAs: aside }] });
    // The opening after that finds both names, when nobody has removed the first one yet.
    const again = await recovered(files);
    expect(again.kept).toEqual(new Set([NAMES[1]]));
    expect(again.summary).toMatchObject({ epoch: 3, keptAside: [aside] });
    // And one whose segment was never published counts as well.
    const crashed = copyOf(disk);
    crashed.set(`${NAMES[0]}.lost-7`, must(crashed.get(NAMES[0])));
    expect((await recovered(crashed, { recovery: 'point-in-time' })).summary.epoch).toBe(8);
  });
});
