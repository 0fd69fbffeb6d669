/** written-log: a log writer over segment files that only note what is written to them, and a ring to feed it from. */
import { expect } from 'vitest';
import { CommitMetrics } from '../../dist/src/commit/commit-metrics.js';
import { GroupBuilder } from '../../dist/src/commit/group-builder.js';
import { LogWriter } from '../../dist/src/commit/log-writer.js';
import { decodeLink, decodeMark, LINK_BODY_BYTES } from '../../dist/src/format/group-body.js';
import {
  DATA,
  decodeGroupHeader,
  GROUP_HEADER_BYTES,
  LINK,
  MARK,
  SEAL,
  saltKey,
} from '../../dist/src/format/group-header.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import type { ClosedSegment } from '../../dist/src/segment/closed-segment.js';
import { type PreparedSegment, SegmentWriter } from '../../dist/src/segment/segment-writer.js';

export const BLOCK = 4096;
export const SEGMENT_BYTES = 32 * 1024;
/** Groups by type. */
const NAMES = { [DATA]: 'DATA', [LINK]: 'LINK', [SEAL]: 'SEAL', [MARK]: 'MARK' };
/** What a LINK takes of the room of a segment. */
export const LINK_BYTES = GROUP_HEADER_BYTES + LINK_BODY_BYTES;
/** What a write and what a sync takes. */
export const WRITE_US = 100;
export const SYNC_US = 250;

/** What the files of one log have seen. */
export class SeenFiles {
  nowUs = 7_000_000;
  /** Writes as the groups in them, by segment; syncs; segments that were given back. */
  calls: string[] = [];
  /** What a LINK, a MARK and the header of a DATA group said last. */
  link: ReturnType<typeof decodeLink>;
  mark: ReturnType<typeof decodeMark>;
  flags = 0;
  /** Whether the next write fails. */
  fails = false;
}

function note(files: SeenFiles, segment: PreparedSegment, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names: string[] = [];
  for (let at = 0; at + GROUP_HEADER_BYTES <= bytes.length; ) {
    const header = decodeGroupHeader(bytes, view, at, saltKey(segment.salt));
    if (header === undefined) break;
    names.push(NAMES[header.type as 1 | 2 | 3 | 4]);
    const body = bytes.subarray(at + GROUP_HEADER_BYTES, at + GROUP_HEADER_BYTES + header.bodyBytes);
    if (header.type === LINK) files.link = decodeLink(body);
    if (header.type === MARK) files.mark = decodeMark(body);
    if (header.type === DATA) files.flags = header.flags;
    at += GROUP_HEADER_BYTES + header.bodyBytes;
  }
  return names.join('+');
}

export function prepared(files: SeenFiles, number: number, backedBytes = SEGMENT_BYTES): PreparedSegment {
  const no = (): never => {
    throw new Error('the log writer does nothing else with a file');
  };
  const segment: PreparedSegment = {
    ...{ number, salt: new Uint8Array(16).fill(number), segmentBytes: SEGMENT_BYTES, backedBytes },
    file: {
      ...{ size: no, links: no, truncate: no, read: no, write: no, sync: no, close: no },
      writeGroup: (views, _position, willSync) => {
        files.nowUs += WRITE_US;
        if (files.fails) throw new Error('EIO');
        files.calls.push(
          `${number}: ${note(files, segment, Buffer.concat(views))}${willSync ? '' : ' unsynced'}`,
        );
      },
      syncGroup: () => {
        files.nowUs += SYNC_US;
        files.calls.push('sync');
      },
    },
  };
  return segment;
}

/** A log writer in segment 1, the ring that it takes its groups from, and what its files see. */
export function writing({ backedBytes = SEGMENT_BYTES, padGroups = false, lastLsn = 0 } = {}) {
  const files = new SeenFiles();
  const state = new LogState();
  const metrics = new CommitMetrics();
  const environment = {
    wallUs: () => 1,
    monotonicUs: () => files.nowUs,
    randomBytes: (bytes: number) => new Uint8Array(bytes),
    pause: () => new Promise<void>(() => {}),
  };
  const options = { padGroups, environment, epoch: 3 };
  const spares: PreparedSegment[] = [];
  const spare = (number: number, bytes = SEGMENT_BYTES): void => {
    spares.push(prepared(files, number, bytes));
  };
  const retired: ClosedSegment[] = [];
  const writer = new LogWriter(
    {
      writer: new SegmentWriter(
        prepared(files, 1, backedBytes),
        { end: BLOCK, lastLsn, lastChecksum: 0 },
        options,
      ),
      ...{ firstLsn: lastLsn + 1, openLsn: 0, previousChecksum: 0, checkpointLsn: 0, truncatedBefore: 1 },
    },
    {
      take: () => spares.shift(),
      peek: () => spares[0],
      retire: (closed) => {
        files.calls.push(`retired ${closed.number}`);
        retired.push(closed);
      },
    },
    state,
    metrics,
    options,
  );
  state.setDurableLsn(lastLsn);
  const limits = { bytes: SEGMENT_BYTES, records: 100 };
  const memory = createRing(4 * SEGMENT_BYTES);
  const producer = new RingProducer(memory, state, limits);
  const group = new GroupBuilder(limits);
  group.setRings([new RingConsumer(memory)]);
  /** Publishes a chunk of one record whose frame has so many bytes. */
  const put = (bytes = 64, kind = 0, span = false): number => {
    expect(producer.reserve(bytes, 1, kind)).toBe(true);
    const token = span ? producer.beginSpan() : -1;
    producer.frame(RECORD_FULL, bytes - 8);
    producer.publish();
    return token;
  };
  return { files, options, state, metrics, writer, spare, retired, producer, group, put };
}
