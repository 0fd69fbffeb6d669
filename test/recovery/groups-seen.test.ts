/** groups-seen: where a log ends by what its groups say, up to where they prove it, and what it costs to go through them. */
import { describe, expect, it } from 'vitest';
import { encodeMark, encodeSeal } from '../../dist/src/format/group-body.js';
import {
  DATA,
  type GroupHeader,
  HAS_CHECKPOINT,
  LINK,
  MARK,
  SEAL,
} from '../../dist/src/format/group-header.js';
import { RECORD_CHECKPOINT, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { segmentName } from '../../dist/src/format/segment-header.js';
import type { ChainedSegment } from '../../dist/src/recovery/chain.js';
import { GroupsSeen } from '../../dist/src/recovery/groups-seen.js';
import type { Group } from '../../dist/src/segment/segment-cursor.js';

/** As much of a segment as is looked at: its number, and what its LINK says. */
function segmentOf(
  number: number,
  header: { firstLsn: number; previousChecksum: number },
  body: { truncatedBefore: number; checkpointLsn: number },
): ChainedSegment {
  return { name: segmentName(number), link: { header, body } } as ChainedSegment;
}

const segment = segmentOf(1, { firstLsn: 1, previousChecksum: 0 }, { truncatedBefore: 0, checkpointLsn: 0 });
/** A segment whose first record is LSN 5. */
const fifth = segmentOf(2, { firstLsn: 5, previousChecksum: 77 }, { truncatedBefore: 3, checkpointLsn: 2 });

/** A group of 100 bytes, the `n`th of the segment; nothing before it is proven unless its fields say so. */
function group(n: number, fields: Partial<GroupHeader>, body: Uint8Array = new Uint8Array(16)): Group {
  const header = { flags: 0, firstLsn: 5, records: 0, headerChecksum: n, durableEnd: 4096, ...fields };
  const offset = 4096 + 100 * n;
  return { kind: 'group', offset, end: offset + 100, header, body } as Group;
}

const place = (n: number, lastLsn: number, checkpointLsn = 2) => ({
  ...{ end: 4196 + 100 * n, lastLsn, lastChecksum: n, sealOffset: 0, checkpointLsn },
});

describe('of a segment', () => {
  it('nothing is known before its first group but what its LINK says', () => {
    expect(new GroupsSeen(fifth)).toMatchObject({
      end: { end: 4096, lastLsn: 4, lastChecksum: 77, sealOffset: 0, checkpointLsn: 2 },
      ...{ proven: undefined, truncatedBefore: 3, clean: false, seal: undefined },
    });
  });

  it('the end is that of the last group, and what is proven ends where that says', () => {
    const seen = new GroupsSeen(fifth);
    const data = { type: DATA, records: 2 };
    expect(seen.visit(group(0, { type: LINK }))).toBeUndefined();
    expect(seen).toMatchObject({ end: place(0, 4), proven: undefined });
    expect(seen.visit(group(1, data))).toBeUndefined();
    expect(seen).toMatchObject({ end: place(1, 6), proven: undefined });
    expect(seen.visit(group(2, { ...data, firstLsn: 7, durableEnd: 4196 }))).toBeUndefined();
    expect(seen).toMatchObject({ end: place(2, 8), proven: place(0, 4) });
    expect(seen.visit(group(3, { ...data, firstLsn: 9, durableEnd: 4396 }))).toBeUndefined();
    expect(seen).toMatchObject({ end: place(3, 10), proven: place(2, 8) });
    expect(seen.visit(group(4, { type: MARK, firstLsn: 11, durableEnd: 4496 }))).toBeUndefined();
    expect(seen).toMatchObject({ end: place(4, 10), proven: place(3, 10) });
  });

  it.each([
    ['before the first group', 0, 4095],
    ['inside of a group', 2, 4197],
    ['before a group that was proven already', 3, 4196],
    ['behind all groups before it', 2, 4397],
  ])('a group is refused whose durable end lies %s', (_, n, durableEnd) => {
    const seen = new GroupsSeen(fifth);
    const groups = [{ type: LINK }, { type: DATA }, { type: DATA, durableEnd: 4296 }];
    for (const [i, fields] of groups.slice(0, n).entries()) seen.visit(group(i, fields));
    const error = seen.visit(group(n, { type: DATA, firstLsn: 9, durableEnd }));
    const offset = 4096 + 100 * n;
    expect(error?.message).toMatch(/behind offset \d+ verifies .* durable end is not where a group ends/);
    expect(error?.details).toEqual({ file: fifth.name, offset, expectedLsn: 9, lastGoodLsn: 8 });
  });

  it('the truncation mark is the highest of LINK and MARKs, and no MARK may lie beyond the log', () => {
    const marked = (truncatedBefore: number) => {
      const seen = new GroupsSeen(fifth);
      const body = encodeMark({ truncatedBefore, clean: false });
      const error = seen.visit(group(0, { type: MARK, firstLsn: 9 }, body));
      return error === undefined ? seen.truncatedBefore : error.message.includes('truncation mark');
    };
    expect([0, 2, 3, 4, 8, 9, 10, 2 ** 53].map(marked)).toEqual([3, 3, 3, 4, 8, 9, true, true]);
    const short = new GroupsSeen(fifth).visit(group(0, { type: MARK }, new Uint8Array(8)));
    expect(short?.details).toEqual({ file: fifth.name, offset: 4096, expectedLsn: 5, lastGoodLsn: 4 });
  });

  it('it was closed when its last group is a MARK that says so, and sealed when it is a SEAL', () => {
    const seen = new GroupsSeen(fifth);
    const mark = (n: number, clean: boolean) =>
      seen.visit(group(n, { type: MARK }, encodeMark({ truncatedBefore: 0, clean })));
    const closed: boolean[] = [];
    for (const [n, clean] of [true, false, true].entries()) {
      mark(n, clean);
      closed.push(seen.clean);
    }
    seen.visit(group(3, { type: DATA, records: 1 }, encodeMark({ truncatedBefore: 0, clean: true })));
    expect([...closed, seen.clean]).toEqual([true, false, true, false]);
    const seal = { successorSalt: new Uint8Array(16).fill(3), successorNumber: 8, index: [] };
    seen.visit(group(4, { type: MARK }, encodeSeal(seal)));
    expect(seen).toMatchObject({ seal: undefined, end: { sealOffset: 0 } });
    seen.visit(group(5, { type: SEAL }, encodeSeal(seal)));
    expect(seen).toMatchObject({ seal, end: { sealOffset: 4596 } });
    seen.visit(group(6, { type: SEAL }, new Uint8Array(31)));
    expect(seen).toMatchObject({ seal: undefined, end: { sealOffset: 0 } });
  });

  it('the last checkpoint is the last record of that type in the groups that have one', () => {
    const seen = new GroupsSeen(fifth);
    const types = [RECORD_FULL, RECORD_CHECKPOINT, RECORD_CHECKPOINT, RECORD_FULL];
    const body = new Uint8Array(Uint32Array.from(types.flatMap((type) => [8, type, 0, 0])).buffer);
    seen.visit(group(0, { type: DATA, records: 4, flags: HAS_CHECKPOINT }, body));
    expect(seen.end).toEqual(place(0, 8, 7));
    seen.visit(group(1, { type: DATA, firstLsn: 9, records: 4 }, body.slice().fill(0)));
    expect(seen.end).toEqual(place(1, 12, 7));
  });
});

/** Milliseconds for so many groups, each of which says where the durable bytes end. */
function timeOf(groups: number, durableEnd: (i: number) => number): number {
  const seen = new GroupsSeen(segment);
  const body = new Uint8Array(16);
  const start = performance.now();
  for (let i = 0; i < groups; i++) {
    const header = {
      type: MARK,
      flags: 0,
      firstLsn: 1,
      records: 0,
      headerChecksum: i,
      durableEnd: durableEnd(i),
    };
    const offset = 4096 + 80 * i;
    const wrong = seen.visit({ kind: 'group', offset, end: offset + 80, header, body } as unknown as Group);
    if (wrong !== undefined) throw wrong;
  }
  return performance.now() - start;
}

// Class 64. 64 MiB of such groups took an hour to open; appends that wait for no sync leave them too.
it.each([
  ['nothing is ever called durable', () => 4096],
  ['each is called durable, a thousand groups late', (i: number) => 4096 + 80 * Math.max(0, i - 1000)],
])('the time to open a segment is linear in its groups when %s', (_, durableEnd) => {
  const least = (groups: number): number => Math.min(...[1, 2, 3].map(() => timeOf(groups, durableEnd)));
  const few = least(2500);
  expect(least(40_000) / few).toBeLessThan(80); // 16 times the groups; by the square it would be 256
});
