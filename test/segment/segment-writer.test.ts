/** segment-writer: what a write holds and where it lies, what it proves, and how much room is kept in reserve. */
import { describe, expect, it } from 'vitest';
import { checksum, UNKNOWN_CHECKSUM } from '../../dist/src/format/checksum.js';
import { decodeLink, decodeMark, decodeSeal } from '../../dist/src/format/group-body.js';
import { DATA, HAS_CHECKPOINT, LINK, MARK, SEAL } from '../../dist/src/format/group-header.js';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import { MARK_BYTES, type PreparedSegment, SegmentWriter } from '../../dist/src/segment/segment-writer.js';
import type { StorageFile } from '../../dist/src/storage/storage.js';
import { KEY, LINK as NO_LINK, SALT } from '../layers/decoder-inputs.js';
import { simulatedEnvironment } from '../support/engine-harness.js';
import { must } from '../support/must.js';

const BLOCK = 4096;
/** A SEAL with a full index, and the zeros behind the last group. */
const RESERVED = 64 + 32 + 256 * 16 + 64;
const PLAIN = { openLsn: 0, hasCheckpoint: false };

interface Made {
  readonly writer: SegmentWriter;
  readonly bytes: Uint8Array;
  /** What was asked of the file: where writes began, how long they were, whether a sync was announced; syncs. */
  readonly calls: (readonly [number, number, boolean] | 'sync')[];
}

/** A writer at the beginning of a segment whose former content is still there. */
function made({ segmentBytes = 65_536, padGroups = false, lastLsn = 6 } = {}): Made {
  const bytes = new Uint8Array(segmentBytes + BLOCK).fill(0xff);
  const calls: Made['calls'] = [];
  const file = {
    writeGroup: (views: readonly Uint8Array[], position: number, willSync: boolean) => {
      const whole = Buffer.concat(views);
      bytes.set(whole, position);
      calls.push([position, whole.length, willSync]);
    },
    syncGroup: () => calls.push('sync'),
  } as unknown as StorageFile;
  const segment: PreparedSegment = { file, number: 3, salt: SALT, segmentBytes, backedBytes: 0 };
  const position = { end: BLOCK, lastLsn, lastChecksum: 77 };
  const writer = new SegmentWriter(segment, position, { padGroups, environment: simulatedEnvironment(1) });
  return { writer, bytes, calls };
}

/** All groups of the segment; throws where one does not follow the one before it. */
async function groupsOf({ bytes, writer }: Made, lastLsn = 6) {
  const read = async (into: Uint8Array, position: number): Promise<number> => {
    into.set(bytes.subarray(position, position + into.length));
    return into.length;
  };
  const start = { offset: BLOCK, nextLsn: lastLsn + 1, lastChecksum: 77 };
  const cursor = new SegmentCursor({ read } as StorageFile, KEY, writer.end, start);
  const groups = [];
  for (;;) {
    const step = cursor.next();
    if (step.kind === 'more') await cursor.fill();
    else if (step.kind === 'group') groups.push({ ...step, body: step.body.slice() });
    else if (step.reason === 'end') return groups;
    else throw new Error(`${step.reason} at ${step.offset}`);
  }
}

function stageData({ writer }: Made, bytes: number, records = 1, terms = PLAIN): void {
  writer.stageData([new Uint8Array(bytes).fill(records)], bytes, records, terms);
}

describe('the groups of a segment', () => {
  it('have the same checksum, whoever has taken those of their parts', async () => {
    const parts = [24, 8, 4000, 264].map((bytes, i) => new Uint8Array(bytes).fill(i + 1));
    const known = parts.map((part) => checksum(part, 0));
    for (const hasChecksum of [[], [true, true, true, true], [false, true, false, true], [true]]) {
      const log = made();
      const checksums = known.map((sum, i) => (hasChecksum[i] ? sum : UNKNOWN_CHECKSUM));
      log.writer.stageData(parts, 4296, 4, { ...PLAIN, checksums });
      log.writer.write();
      const [group, ...more] = await groupsOf(log);
      expect(more).toEqual([]);
      expect(Buffer.concat(parts).equals(must(group).body)).toBe(true);
    }
  });

  it('say what was staged, in order, each with what was proven when it was written', async () => {
    const log = made();
    const { writer } = log;
    const link = { ...NO_LINK, predecessorLastLsn: 6, truncatedBefore: 4, checkpointLsn: 2 };
    writer.stageLink(link);
    stageData(log, 24, 3);
    writer.write();
    const firstEnd = writer.end;
    stageData(log, 16, 2, { openLsn: 0, hasCheckpoint: true });
    writer.write();
    writer.sync();
    const provenEnd = writer.end;
    writer.stageRidingMark(5);
    stageData(log, 8, 1);
    writer.write();
    writer.sync();
    writer.stageMark(9, true);
    writer.write();
    writer.sync();
    const groups = await groupsOf(log);
    expect(groups.map(({ header }) => [header.type, header.flags, header.records, header.bodyBytes])).toEqual(
      [
        [LINK, 0, 0, 64],
        [DATA, 0, 3, 24],
        [DATA, HAS_CHECKPOINT, 2, 16],
        [MARK, 0, 0, 16],
        [DATA, 0, 1, 8],
        [MARK, 0, 0, 16],
      ],
    );
    expect(groups.map(({ header }) => [header.firstLsn, header.durableLsn, header.durableEnd])).toEqual([
      [7, 6, BLOCK],
      [7, 6, BLOCK],
      [10, 6, BLOCK],
      [12, 11, provenEnd],
      [12, 11, provenEnd],
      [13, 12, must(groups[4]).end],
    ]);
    const times = groups.map(({ header }) => header.timestampUs);
    expect(new Set(times).size).toBe(6);
    expect(times).toEqual(times.toSorted());
    expect(must(groups[1]).end).toBe(firstEnd);
    expect(decodeLink(must(groups[0]).body)).toEqual(link);
    expect(must(groups[1]).body).toEqual(new Uint8Array(24).fill(3));
    expect(decodeMark(must(groups[3]).body)).toEqual({ truncatedBefore: 5, clean: false });
    expect(decodeMark(must(groups[5]).body)).toEqual({ truncatedBefore: 9, clean: true });
    expect(must(groups[5]).offset).toBe(2 * BLOCK);
    expect(writer.lastLsn).toBe(12);
    expect(writer.lastChecksum).toBe(must(groups[5]).header.headerChecksum);
  });

  it('are one write, with 64 zeros behind them that the next write goes over', () => {
    const log = made();
    log.writer.stageLink(NO_LINK);
    stageData(log, 24);
    log.writer.write(false);
    const { end } = log.writer;
    expect(end).toBe(BLOCK + 128 + 88);
    expect(log.calls).toEqual([[BLOCK, 128 + 88 + 64, false]]);
    expect(log.bytes.subarray(end, end + 65)).toEqual(Uint8Array.from([...new Uint8Array(64), 0xff]));
    log.calls.length = 0;
    stageData(log, 8);
    log.writer.write();
    log.writer.sync();
    expect(log.calls).toEqual([[end, 72 + 64, true], 'sync']);
  });

  it('begin on blocks of their own when they are padded, with zeros between them', async () => {
    const log = made({ padGroups: true });
    log.writer.stageLink(NO_LINK);
    stageData(log, 24);
    stageData(log, 5000);
    log.writer.write();
    expect((await groupsOf(log)).map(({ offset }) => offset)).toEqual([BLOCK, 2 * BLOCK, 3 * BLOCK]);
    expect(log.bytes.subarray(BLOCK + 128, 2 * BLOCK)).toEqual(new Uint8Array(BLOCK - 128));
    expect(log.bytes.subarray(2 * BLOCK + 88, 3 * BLOCK)).toEqual(new Uint8Array(BLOCK - 88));
    stageData(log, 8);
    log.writer.write();
    expect(log.calls.at(-1)).toEqual([5 * BLOCK, 72 + 64, true]);
  });
});

describe('the index of a sealed segment', () => {
  const sealOf = async (log: Made) => {
    log.writer.stageSeal({ ...log.writer.segment, number: 9, salt: new Uint8Array(16).fill(9) });
    log.writer.write();
    const seal = must((await groupsOf(log)).at(-1));
    return { ...seal, ...must(decodeSeal(seal.body)) };
  };

  it('has the first group, and those that are a block or more behind the last one in it', async () => {
    const log = made();
    log.writer.stageLink(NO_LINK);
    for (const body of [4024, 8, 4032, 4040, 736, 4936]) {
      stageData(log, body);
      log.writer.write();
    }
    const offsets = (await groupsOf(log)).slice(1).map(({ offset }) => offset);
    const { index, header, successorNumber, successorSalt, offset } = await sealOf(log);
    expect([header.type, successorNumber, successorSalt]).toEqual([SEAL, 9, new Uint8Array(16).fill(9)]);
    // 4088 is too near; with the 72 of the next one it is not; 4096 is just far enough.
    const entry = (n: number) => ({ firstLsn: 7 + n, offset: offsets[n], openBack: 0 });
    expect(index).toEqual([entry(0), entry(2), entry(3), entry(4)]);
    expect(log.calls.at(-1)).toEqual([offset, log.writer.end - offset, true]); // no zeros behind it
  });

  it('leaves more out in larger segments, and has never more entries than a SEAL has room for', async () => {
    const segmentBytes = 4 * 1024 * 1024;
    const log = made({ segmentBytes });
    log.writer.stageLink(NO_LINK);
    while (log.writer.room >= 4096) {
      stageData(log, 4032);
      log.writer.write();
    }
    const { index, end } = await sealOf(log);
    expect(index.map(({ offset }) => offset)).toEqual(index.map((_, i) => BLOCK + 128 + 4 * BLOCK * i));
    expect(index.length).toBe(255);
    expect(end).toBeLessThanOrEqual(segmentBytes);
  });

  it('tells how far back the oldest span begins that is open there, up to 2^32 - 1 LSNs', async () => {
    const far = 2 ** 33;
    for (const [openLsn, openBack] of [
      [0, 0],
      [far + 1, 0],
      [far, 1],
      [far - 9, 10],
      [far + 2 - 2 ** 32, 2 ** 32 - 1],
      [far + 1 - 2 ** 32, 2 ** 32 - 1],
      [1, 2 ** 32 - 1],
    ] as const) {
      const log = made({ lastLsn: far });
      stageData(log, 8, 1, { openLsn, hasCheckpoint: false });
      log.writer.stageSeal({ ...log.writer.segment, number: 9 });
      log.writer.write();
      const seal = must((await groupsOf(log, far)).at(-1));
      expect(must(decodeSeal(seal.body)).index).toEqual([{ firstLsn: far + 1, offset: BLOCK, openBack }]);
    }
  });
});

describe('what a writer knows', () => {
  it('of durability follows from the syncs that returned', () => {
    const log = made();
    const { writer } = log;
    const known = () => [writer.isLinkDurable, writer.hasUnsynced, writer.sealOffset];
    expect(known()).toEqual([false, false, 0]);
    writer.stageLink(NO_LINK);
    expect(known()).toEqual([false, false, 0]);
    writer.write();
    expect(known()).toEqual([false, true, 0]);
    writer.sync();
    expect(known()).toEqual([true, false, 0]);
    writer.stageSeal({ ...writer.segment, number: 9 });
    expect(known()).toEqual([true, false, 0]);
    writer.write();
    expect(known()).toEqual([true, true, 0]);
    writer.sync();
    expect(known()).toEqual([true, false, BLOCK + 128]);
  });

  it.each([
    [false, 65_536 - BLOCK],
    [true, 65_536 - 2 * BLOCK],
  ])('of room leaves some for the header, a MARK on its block, and a SEAL; padded: %s', (padGroups, behind) => {
    const log = made({ padGroups });
    expect(MARK_BYTES).toBe(80);
    expect(log.writer.room).toBe(behind - RESERVED - 64 - BLOCK - 80);
    stageData(log, 8);
    const taken = padGroups ? BLOCK : 72;
    expect(log.writer.room).toBe(behind - RESERVED - 64 - BLOCK - 80 - taken);
  });

  it.each([
    false,
    true,
  ])('is that a group of all the room leaves it to MARK and SEAL; padded: %s', (padGroups) => {
    const log = made({ padGroups });
    const { writer } = log;
    const { room } = writer;
    expect(() => stageData(log, room + 1)).toThrow('W3');
    stageData(log, room);
    writer.write();
    expect(writer.room).toBeLessThan(0);
    expect(writer.hasRoomForMark).toBe(true);
    writer.stageMark(1, false);
    writer.write();
    expect(writer.end + (padGroups ? BLOCK : 0) + RESERVED).toBeLessThanOrEqual(65_536);
  });

  it.each([
    [0, true],
    [-1, false],
    [8, true],
  ])('of a MARK is whether it fits in front of the SEAL: %d bytes more: %s', (more, isThere) => {
    const log = made({ segmentBytes: 2 * BLOCK + 80 + RESERVED + more });
    log.writer.stageLink(NO_LINK);
    log.writer.write();
    expect(log.writer.hasRoomForMark).toBe(isThere);
    if (isThere) log.writer.stageMark(1, false);
    else expect(() => log.writer.stageMark(1, false)).toThrow('W3');
  });
});

describe('a writer refuses', () => {
  it('a LINK that is not the first group', () => {
    const log = made();
    log.writer.stageLink(NO_LINK);
    expect(() => log.writer.stageLink(NO_LINK)).toThrow('W1 a LINK');
    log.writer.write();
    expect(() => log.writer.stageLink(NO_LINK)).toThrow('W1 a LINK');
  });

  it('a group that does not fit into the segment', () => {
    const fits = made({ segmentBytes: BLOCK + 128 });
    fits.writer.stageLink(NO_LINK);
    expect(fits.writer.end).toBe(BLOCK + 128);
    const short = made({ segmentBytes: BLOCK + 127 });
    expect(() => short.writer.stageLink(NO_LINK)).toThrow('W1 groups');
  });

  it('a MARK of its own, and a sync, while something is staged', () => {
    const log = made();
    stageData(log, 8);
    expect(() => log.writer.stageMark(1, false)).toThrow('W3 a MARK');
    expect(() => log.writer.sync()).toThrow('W2');
    expect(log.calls).toEqual([]);
  });
});
