/** log-writer: which groups it writes into which segment, in how many writes and syncs, and what it tells of them. */
import { describe, expect, it } from 'vitest';
import { GROUP_HEADER_BYTES, HAS_CHECKPOINT } from '../../dist/src/format/group-header.js';
import { CHECKPOINT, CONDITIONAL, UNSYNCED } from '../../dist/src/ring/layout.js';
import { must } from '../support/must.js';
import { BLOCK, LINK_BYTES, SEGMENT_BYTES, SYNC_US, WRITE_US, writing } from '../support/written-log.js';

describe('a group', () => {
  it('is written and synced, and its completion tells what that took', () => {
    const { files, writer, group, put, producer, state, metrics } = writing();
    expect(writer.commit(group)).toBe('idle');
    put(64);
    put(128);
    expect(writer.commit(group)).toBe('committed');
    expect(files.calls).toEqual(['1: DATA', 'sync']);
    const told: number[][] = [];
    producer.consume((...completion) => told.push(completion));
    expect(told).toEqual([[1, 2, 0]]);
    const tookUs = WRITE_US + SYNC_US;
    expect(producer.completedGroup).toEqual({ records: 2, bytes: 192, syncUs: tookUs, segment: 1, more: 0 });
    expect(metrics).toMatchObject({ groups: 1, records: 2, bytes: 192, syncs: 1, syncUsTotal: tookUs });
    expect([state.durableLsn, writer.lastLsn]).toEqual([2, 2]);
    expect(writer.commit(group)).toBe('idle');
  });

  it('that nobody waits for is only written; what makes it durable later tells what that took', () => {
    const { files, writer, group, put, producer, state, metrics } = writing();
    put(64, UNSYNCED);
    writer.commit(group);
    expect([state.durableLsn, state.lastLsn]).toEqual([0, 1]);
    producer.consume(() => {});
    expect(producer.completedGroup).toEqual({ records: 1, bytes: 64, syncUs: 0, segment: 1, more: 0 });
    producer.publishSync();
    writer.commit(group);
    producer.consume(() => {});
    expect(producer.completedGroup).toEqual({ records: 0, bytes: 0, syncUs: SYNC_US, segment: 1, more: 0 });
    expect(state.durableLsn).toBe(1);
    producer.publishSync(); // nothing is left to do
    writer.commit(group);
    producer.consume(() => {});
    expect(producer.completedGroup.syncUs).toBe(0);
    expect(files.calls).toEqual(['1: DATA unsynced', 'sync']);
    expect(metrics).toMatchObject({ groups: 1, syncs: 1, syncUsTotal: SYNC_US });
  });

  it('that holds a checkpoint says so, on disk and to all threads', () => {
    const { files, writer, group, put, state } = writing({ lastLsn: 2 ** 40 });
    put();
    put(64, CHECKPOINT);
    put();
    writer.commit(group);
    expect([files.flags, state.checkpointLsn]).toEqual([HAS_CHECKPOINT, 2 ** 40 + 2]);
    put();
    writer.commit(group);
    expect([files.flags, state.checkpointLsn]).toEqual([0, 2 ** 40 + 2]);
  });

  it('of refused chunks alone is completed without a write', () => {
    const { files, writer, group, put, producer } = writing();
    put(64, CONDITIONAL); // expects LSN 0
    expect(writer.commit(group)).toBe('committed');
    const told: number[][] = [];
    producer.consume((...completion) => told.push(completion));
    expect(told).toEqual([[1, 1, 2]]);
    expect([files.calls, writer.lastLsn]).toEqual([[], 0]);
  });

  it('can not get an LSN that is no safe integer', () => {
    const { files, writer, group, put } = writing({ lastLsn: Number.MAX_SAFE_INTEGER - 1 });
    put();
    expect(() => writer.commit(group)).toThrow('L1 LSNs are safe integers');
    expect(files.calls).toEqual([]);
  });

  it('that could not be written is the last one', () => {
    const { files, writer, group, put, state, producer } = writing();
    put();
    files.fails = true;
    expect(() => writer.commit(group)).toThrow('EIO');
    files.fails = false;
    put();
    expect(() => writer.commit(group)).toThrow('L4 nothing is written');
    expect(() => writer.syncPending()).not.toThrow();
    expect([files.calls, state.durableLsn, producer.hasCompletions()]).toEqual([[], 0, false]);
  });
});

describe('rotation', () => {
  it('leaves a segment when the next chunk has no room: not one byte earlier, not one later', () => {
    for (const [over, rotates] of [
      [0, false],
      [8, true],
    ] as const) {
      const { files, writer, group, put, spare } = writing();
      spare(2);
      put(256);
      writer.commit(group);
      put(writer.remainingBytes + over);
      expect(writer.commit(group)).toBe('committed');
      expect(files.calls.slice(2)).toEqual(
        rotates ? ['1: SEAL', 'sync', 'retired 1', '2: LINK+DATA', 'sync'] : ['1: DATA', 'sync'],
      );
    }
  });

  it('seals in the write of the last group that fits, if there is a spare by then', () => {
    const { files, writer, group, put, spare, retired, state, metrics } = writing();
    spare(2);
    put(256);
    put(writer.remainingBytes - LINK_BYTES);
    writer.commit(group);
    expect(files.calls).toEqual(['1: DATA+SEAL', 'sync', 'retired 1']);
    expect(state.durableLsn).toBe(1);
    expect(writer.commit(group)).toBe('committed');
    expect(files.calls.slice(3)).toEqual(['2: LINK+DATA', 'sync']);
    expect(metrics.rotations).toBe(1);
    expect(retired).toMatchObject([{ number: 1, firstLsn: 1, lastLsn: 1, epoch: 3, openLsn: 0 }]);
    expect(must(retired[0]).sealOffset).toBeGreaterThan(BLOCK);
    expect(writer.describeActive()).toMatchObject({ number: 2, firstLsn: 2, lastLsn: 2, sealOffset: 0 });
    expect(writer.describeActive().previousChecksum).toBe(must(retired[0]).lastChecksum);
    expect(files.link).toMatchObject({ predecessorNumber: 1, predecessorLastLsn: 1, truncatedBefore: 1 });
  });

  it('syncs a group that nobody waits for when it is the last of its segment', () => {
    const { files, writer, group, put, spare, state } = writing();
    spare(2);
    put(256, UNSYNCED);
    put(writer.remainingBytes - LINK_BYTES, UNSYNCED);
    writer.commit(group);
    expect(files.calls).toEqual(['1: DATA+SEAL', 'sync', 'retired 1']);
    expect(state.durableLsn).toBe(1);
    writer.commit(group);
    expect(files.calls.slice(3)).toEqual(['2: LINK+DATA unsynced']);
    expect(state.durableLsn).toBe(1);
  });

  it('waits when there is no spare; the chunk is not lost', () => {
    const { writer, group, put, spare } = writing();
    put(writer.remainingBytes - 64);
    put(128);
    writer.commit(group);
    expect(writer.commit(group)).toBe('no-segment');
    expect(writer.commit(group)).toBe('no-segment');
    spare(2);
    expect(writer.commit(group)).toBe('committed');
    expect([writer.lastLsn, writer.hasRecords]).toEqual([2, true]);
  });

  it('is not needed by a sync, which takes no room: on a full disk it waited for a segment that does not come', () => {
    const { files, writer, group, put, producer, state } = writing();
    put(writer.remainingBytes, UNSYNCED);
    writer.commit(group);
    expect(writer.remainingBytes).toBeLessThan(0);
    producer.consume(() => {});
    producer.publishSync();
    put(64); // there is no segment for what follows
    expect(writer.commit(group)).toBe('committed');
    const told: number[][] = [];
    producer.consume((...completion) => told.push(completion));
    expect(told).toEqual([[1, 0, 1]]);
    expect(files.calls).toEqual(['1: DATA unsynced', 'sync']);
    expect(state.durableLsn).toBe(1);
    expect(writer.commit(group)).toBe('no-segment');
  });

  it('goes on to a spare that was written throughout once it is past what was of its own segment, and not before', () => {
    for (const [backed, spareBacked, rotates] of [
      [BLOCK, SEGMENT_BYTES, true],
      [BLOCK, SEGMENT_BYTES - 1, false],
      // The first group ends exactly where the blocks end that were written before, or one byte behind that.
      [BLOCK + GROUP_HEADER_BYTES + 64, SEGMENT_BYTES, false],
      [BLOCK + GROUP_HEADER_BYTES + 63, SEGMENT_BYTES, true],
    ] as const) {
      const { writer, group, put, spare } = writing({ backedBytes: backed });
      spare(2, spareBacked);
      put(64);
      writer.commit(group);
      expect(writer.active.segment.number).toBe(rotates ? 2 : 1);
    }
    const { writer, group, put } = writing({ backedBytes: BLOCK });
    put();
    writer.commit(group); // there is no spare at all
    expect(writer.active.segment.number).toBe(1);
  });

  it('of a segment that has its LINK only writes that first; twice in a row it leaves a chain', () => {
    const { files, writer, spare, metrics } = writing();
    spare(2);
    spare(3);
    expect(writer.rotate(0)).toBe(true);
    expect(writer.hasRecords).toBe(false);
    expect(writer.rotate(0)).toBe(true);
    expect(files.calls).toEqual([
      '1: SEAL',
      'sync',
      'retired 1',
      '2: LINK',
      'sync',
      '2: SEAL',
      'sync',
      'retired 2',
    ]);
    expect(writer.rotate(0)).toBe(false);
    expect([metrics.rotations, writer.active.segment.number, writer.successor]).toEqual([2, 3, undefined]);
  });

  it('does not help a chunk that is larger than an empty segment: options and rings must not let it be', () => {
    const { files, writer, group, put, spare } = writing();
    spare(2);
    put(writer.remainingBytes + 8);
    expect(() => writer.commit(group)).toThrow('W3 the largest chunk fits');
    expect(files.calls.join()).not.toContain('DATA');
  });

  it('comes first when a mark leaves the largest chunk no room, also in a segment that holds its LINK only', () => {
    const { files, writer, group, put, spare } = writing();
    spare(2);
    spare(3);
    put();
    writer.commit(group);
    writer.rotate(0);
    files.calls = [];
    writer.setTruncatedBefore(2);
    put(writer.remainingBytes);
    expect(writer.commit(group)).toBe('committed');
    expect(files.calls).toEqual([
      ...['2: LINK', 'sync', '2: SEAL', 'sync', 'retired 2', '3: LINK+DATA', 'sync'],
    ]);
    expect([files.link?.truncatedBefore, writer.isMarkDurable]).toEqual([2, true]);
  });

  it('makes no truncation mark durable before the LINK that holds it is: nothing is freed for it until then', () => {
    const { writer, group, put, spare } = writing();
    spare(2);
    put();
    writer.commit(group);
    writer.setTruncatedBefore(2);
    writer.rotate(0);
    expect(writer.isMarkDurable).toBe(false);
    put(64, UNSYNCED);
    writer.commit(group);
    expect(writer.isMarkDurable).toBe(false);
    put();
    writer.commit(group);
    expect(writer.isMarkDurable).toBe(true);
  });

  it('leaves the successor to be given back when the write of the SEAL fails', () => {
    const { files, writer, spare } = writing();
    spare(2);
    files.fails = true;
    expect(() => writer.rotate(0)).toThrow('EIO');
    expect(writer.successor?.number).toBe(2);
  });

  it('tells the successor which spans are open, and the last checkpoint', () => {
    const { files, writer, group, put, spare } = writing({ lastLsn: 10 });
    spare(2);
    spare(3);
    put();
    put(64, CHECKPOINT);
    put(64, 0, true);
    put(writer.remainingBytes - LINK_BYTES); // the span is still open
    writer.commit(group);
    writer.commit(group);
    expect(files.link).toMatchObject({ openLsn: 13, checkpointLsn: 12, predecessorLastLsn: 13 });
    expect(writer.describeActive().openLsn).toBe(13);
    writer.rotate(group.openLsn);
    expect(writer.describeActive().openLsn).toBe(13);
  });
});
