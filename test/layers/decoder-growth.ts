/** decoder-growth: hostile input that is cheap to make large; sixteen times as much of it may not take by far more time. */
import { decodeSeal, encodeLink, encodeMark, encodeSeal } from '../../dist/src/format/group-body.js';
import { DATA, LINK as LINK_TYPE, MARK } from '../../dist/src/format/group-header.js';
import { encodeSegmentHeader } from '../../dist/src/format/segment-header.js';
import { recordsOf } from '../../dist/src/read/read-log.js';
import { RecordAssembler } from '../../dist/src/read/record-assembler.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { salvageLog } from '../../dist/src/salvage/salvage-log.js';
import type { Group } from '../../dist/src/segment/segment-cursor.js';
import { simulatedEnvironment } from '../support/engine-harness.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { groupHeader, groupOf, LINK, LOG_ID, SALT } from './decoder-inputs.js';

const TIMES = 16;
/** What linear time may look like on a busy machine; by the square it is 256. */
const MOST = 90;
const NAME = '00000000000000000001.wal';

interface Growth {
  readonly name: string;
  readonly size: number;
  /** Counts the spans looked at and not the time, most of which is the collector's. */
  readonly isCounted?: boolean;
  /** Makes an input of `size` parts, and gives what decodes it. */
  prepare(size: number): () => unknown;
}

/** `size` frames of 16 bytes of one type, each with an id. */
function spans(
  type: number,
  idOf: (i: number) => readonly [low: number, high: number],
): (size: number) => () => void {
  return (size) => {
    const body = new Uint8Array(16 * size);
    const view = new DataView(body.buffer);
    for (let i = 0; i < size; i++) {
      const [low, high] = idOf(i);
      view.setUint32(16 * i, 8, true);
      view.setUint32(16 * i + 4, type, true);
      view.setUint32(16 * i + 8, low, true);
      view.setUint32(16 * i + 12, high, true);
    }
    const header = groupHeader({ records: size, bodyBytes: body.length });
    return () => {
      const assembler = new RecordAssembler(size + 1, 'committed', undefined);
      recordsOf(
        { name: NAME } as Parameters<typeof recordsOf>[0],
        { header, body, offset: 0 } as Group,
        assembler,
      );
    };
  };
}

/** A segment of a LINK and `size` MARKs, or of headers that all claim the rest of the file for their body. */
function segment(size: number, isOverlapping: boolean): Map<string, Uint8Array> {
  const bytes = new Uint8Array(4096 + 128 + 80 * size + 64);
  const header = { logId: LOG_ID, salt: SALT, number: 1, epoch: 1, segmentBytes: bytes.length, createdUs: 1 };
  bytes.set(encodeSegmentHeader(header), 0);
  const link = groupOf(encodeLink(LINK), { type: LINK_TYPE, records: 0 });
  bytes.set(link, 4096);
  let previousChecksum = new DataView(link.buffer).getUint32(60, true);
  const mark = encodeMark({ truncatedBefore: 0, clean: false });
  for (let i = 0; i < size; i++) {
    const at = 4096 + 128 + 80 * i;
    const claim = {
      type: DATA,
      records: 1,
      bodyBytes: bytes.length - at - 64,
      bodyChecksum: 1,
      firstLsn: 1 + i,
    };
    const group = groupOf(mark, isOverlapping ? claim : { type: MARK, records: 0, previousChecksum });
    previousChecksum = new DataView(group.buffer).getUint32(60, true);
    bytes.set(group, at);
  }
  return new Map([[NAME, bytes]]);
}

async function salvaged(files: Map<string, Uint8Array>): Promise<void> {
  await salvageLog(new MemoryStorage(files), new MemoryStorage(), {
    segmentBytes: 0,
    maxFillers: 100,
    beforeEpoch: Number.POSITIVE_INFINITY,
    environment: simulatedEnvironment(1),
    check: () => {},
  });
}

async function read(files: Map<string, Uint8Array>): Promise<void> {
  const storage = new MemoryStorage(files);
  const reader = await DirectoryReader.open({ directory: '', storage, isWriterAlive: async () => false });
  await reader.readAll();
  await reader.close();
}

const GROWTHS: readonly Growth[] = [
  { name: 'transactions that never end', size: 2000, isCounted: true, prepare: spans(6, (i) => [i, 1]) },
  {
    name: 'transactions, each of a later epoch',
    size: 2000,
    isCounted: true,
    prepare: spans(6, (i) => [1, i]),
  },
  {
    name: 'transactions, each of an earlier epoch',
    size: 2000,
    prepare: spans(6, (i) => [i, 1_000_000 - i]),
  },
  { name: 'large records that never end', size: 2000, isCounted: true, prepare: spans(2, (i) => [i, 1]) },
  {
    name: 'entries of a SEAL',
    size: 2000,
    prepare: (size) => {
      const index = Array.from({ length: size }, (_, i) => ({ firstLsn: i, offset: i, openBack: 0 }));
      const body = encodeSeal({ successorSalt: SALT, successorNumber: 2, index });
      return () => decodeSeal(body);
    },
  },
  {
    name: 'groups that no other group proves',
    size: 700,
    prepare: (size) => {
      const files = segment(size, false);
      return () => read(files);
    },
  },
  {
    name: 'groups that lie over each other, read',
    size: 700,
    prepare: (size) => {
      const files = segment(size, true);
      return () => read(files).catch(() => {});
    },
  },
  {
    name: 'groups that lie over each other, salvaged',
    size: 700,
    prepare: (size) => {
      const files = segment(size, true);
      return () => salvaged(files);
    },
  },
];

async function leastTime(run: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** How many entries of maps were iterated over. */
function stepsOf(run: () => unknown): number {
  const real = Map.prototype[Symbol.iterator];
  let steps = 0;
  Map.prototype[Symbol.iterator] = function* (this: Map<unknown, unknown>) {
    for (const entry of { [Symbol.iterator]: () => real.call(this) }) {
      steps++;
      yield entry;
    }
    return undefined;
  };
  try {
    run();
  } finally {
    Map.prototype[Symbol.iterator] = real;
  }
  return steps;
}

/** Throws when time grows by more than the input. Returns how many kinds of input were tried. */
export async function mustGrowLinearly(): Promise<number> {
  for (const { name, size, prepare, isCounted } of GROWTHS) {
    if (isCounted) {
      const steps = stepsOf(prepare(TIMES * size));
      if (steps > 4 * TIMES * size)
        throw new Error(`${name}: ${steps} spans are looked at for ${TIMES * size}`);
      continue;
    }
    const few = Math.max(0.05, await leastTime(prepare(size)));
    const many = await leastTime(prepare(TIMES * size));
    if (many > MOST * few)
      throw new Error(
        `${name}: ${size} take ${few} ms, ${TIMES} times as many ${many} ms, more than ${MOST} times`,
      );
  }
  return GROWTHS.length;
}
