/** marks: where the log writer puts truncation marks and proofs of durability, and where it goes on behind a cut. */
import { describe, expect, it } from 'vitest';
import { GROUP_HEADER_BYTES } from '../../dist/src/format/group-header.js';
import { UNSYNCED } from '../../dist/src/ring/layout.js';
import { MARK_BYTES, SegmentWriter } from '../../dist/src/segment/segment-writer.js';
import { BLOCK, prepared, writing } from '../support/written-log.js';

describe('a truncation mark', () => {
  it('rides in front of a group that has room beside it, else in the LINK of the next segment', () => {
    for (const padGroups of [false, true]) {
      for (const [over, rotates] of [
        [0, false],
        [8, true],
      ] as const) {
        const { files, writer, group, put, spare } = writing({ padGroups });
        spare(2);
        put();
        writer.commit(group);
        writer.setTruncatedBefore(2);
        expect(writer.isMarkDurable).toBe(false);
        put(writer.remainingBytes - (padGroups ? BLOCK : MARK_BYTES) + over);
        writer.commit(group);
        expect(writer.isMarkDurable).toBe(true);
        if (rotates) {
          expect(files.link?.truncatedBefore).toBe(2);
          expect(writer.active.segment.number).toBe(2);
        } else {
          expect(files.mark).toEqual({ truncatedBefore: 2, clean: false });
          expect(writer.active.segment.number).toBe(1);
        }
        const { length } = files.calls;
        put(); // it is on disk: no second one
        writer.commit(group);
        expect(files.calls.slice(length).join()).not.toContain('MARK');
      }
    }
  });

  it('is durable with a group that nobody waits for', () => {
    const { files, writer, group, put, state } = writing({ lastLsn: 5 });
    writer.setTruncatedBefore(4);
    put(64, UNSYNCED);
    writer.commit(group);
    expect(files.calls).toEqual(['1: MARK+DATA', 'sync']);
    expect([writer.isMarkDurable, state.durableLsn]).toEqual([true, 6]);
  });

  it('only advances, to the next LSN at most', () => {
    const { writer } = writing({ lastLsn: 5 });
    writer.setTruncatedBefore(6);
    writer.setTruncatedBefore(6);
    expect(writer.truncatedBefore).toBe(6);
    expect(() => writer.setTruncatedBefore(7)).toThrow('R6');
    expect(() => writer.setTruncatedBefore(5)).toThrow('R6');
  });

  it('of its own comes behind the LINK, and behind a sync of what no sync has made durable', () => {
    const { files, writer, group, put, spare } = writing();
    spare(2);
    put(64, UNSYNCED);
    writer.commit(group);
    files.calls = [];
    expect(writer.mark(false, 0)).toBe(true);
    expect(files.calls).toEqual(['sync', '1: MARK', 'sync']);
    writer.rotate(0);
    files.calls = [];
    writer.setTruncatedBefore(2);
    expect(writer.mark(true, 0)).toBe(true);
    expect(files.calls).toEqual(['2: LINK', 'sync', '2: MARK', 'sync']);
    expect(files.mark).toEqual({ truncatedBefore: 2, clean: true });
    expect(writer.isMarkDurable).toBe(true);
  });

  it('finds its room in a full segment once, and then in the next one', () => {
    const { files, writer, group, put, spare } = writing();
    put(writer.remainingBytes);
    writer.commit(group);
    expect(writer.mark(false, 0)).toBe(true);
    expect(writer.mark(false, 0)).toBe(false);
    spare(2);
    expect(writer.mark(false, 0)).toBe(true);
    expect([writer.active.segment.number, files.link?.truncatedBefore]).toEqual([2, 1]);
  });

  it('that is idle leaves two blocks of room to those that are not: else the SEAL is the proof', () => {
    for (const [room, isMark] of [
      [2 * BLOCK + 8, true],
      [2 * BLOCK, false],
    ] as const) {
      const { files, writer, group, put, spare } = writing();
      put(writer.remainingBytes - GROUP_HEADER_BYTES - room);
      writer.commit(group);
      expect(writer.remainingBytes).toBe(room);
      files.calls = [];
      if (!isMark) expect(writer.idleMark(0)).toBe(false);
      spare(2);
      expect(writer.idleMark(0)).toBe(true);
      expect(files.calls[0]).toBe(isMark ? '1: MARK' : '1: SEAL');
    }
  });

  // Who follows the log could not see them, and so not free what they keep of it.
  it('that is idle makes records durable for which nobody waits, also when there is no room for it', () => {
    const { files, writer, group, put, state } = writing();
    put(writer.remainingBytes, UNSYNCED);
    writer.commit(group);
    expect(writer.idleMark(0)).toBe(false);
    expect(files.calls).toEqual(['1: DATA unsynced', 'sync']);
    expect(state.durableLsn).toBe(1);
    expect(writer.idleMark(0)).toBe(false);
    expect(files.calls.length).toBe(2);
  });
});

it('what is pending is made durable: a LINK that is staged, what was written, or nothing', () => {
  const { files, writer, group, put, spare, state } = writing();
  writer.syncPending();
  expect(files.calls).toEqual([]);
  put(64, UNSYNCED);
  writer.commit(group);
  writer.syncPending();
  expect(files.calls).toEqual(['1: DATA unsynced', 'sync']);
  expect(state.durableLsn).toBe(1);
  spare(2);
  writer.rotate(0);
  files.calls = [];
  writer.syncPending();
  writer.syncPending();
  expect(files.calls).toEqual(['2: LINK', 'sync']);
  expect(writer.active.isLinkDurable).toBe(true);
});

it('behind a cut the log goes on in the segment that made it', () => {
  const { files, options, writer, group, put, spare } = writing();
  put();
  put();
  writer.commit(group);
  writer.setTruncatedBefore(2);
  const from = writer.active;
  const cut = {
    writer: new SegmentWriter(prepared(files, 5), { end: 2 * BLOCK, lastLsn: 1, lastChecksum: 77 }, options),
    ...{ firstLsn: 2, openLsn: 1, previousChecksum: 66, checkpointLsn: 1 },
  };
  expect(writer.continueIn(cut, 4)).toBe(from);
  expect([writer.epoch, writer.lastLsn, writer.hasRecords, writer.isMarkDurable]).toEqual([
    4,
    1,
    false,
    true,
  ]);
  expect(writer.describeActive()).toMatchObject({
    ...{ number: 5, epoch: 4, firstLsn: 2, lastLsn: 1, openLsn: 1, previousChecksum: 66, lastChecksum: 77 },
  });
  files.calls = [];
  put();
  writer.commit(group);
  expect(files.calls).toEqual(['5: DATA', 'sync']); // the mark is in its LINK
  spare(6);
  writer.rotate(0);
  expect(() => writer.continueIn(cut, 5)).toThrow('L4 the log is cut behind writes');
  writer.syncPending();
  expect(files.link).toMatchObject({ checkpointLsn: 1, truncatedBefore: 2 });
});
