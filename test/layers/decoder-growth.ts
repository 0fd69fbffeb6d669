/**
 * decoder-growth: hostile input that is cheap to make large; sixteen times as much of it may not take by far more work.
 * Work is counted where that can be done, and is processor time elsewhere: not what a busy machine takes of the clock.
 */
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
/**
 * How many times the work of sixteen small inputs a large one may take: one when time is linear, caches and the
 * collector make it more, and by the square it is sixteen.
 */
const MOST = 5;
/** The least of so many rounds counts, and when that is too much, of a few more. */
const LEAST_ROUNDS = 3;
const ROUNDS = 8;
/** Less than this is not told apart from nothing. */
const LEAST_MS = 0.5;
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
  const header = {
    logId: LOG_ID,
    salt: SALT,
    number: 1,
    epoch: 1,
    segmentBytes: bytes.length,
    createdUs: 1,
    cutFrom: 0,
  };
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
    isCounted: true,
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

/** Milliseconds that the processors spend on it: of this process, whose other threads have nothing to do. */
async function workOf(run: () => unknown, times: number): Promise<number> {
  const start = process.cpuUsage();
  for (let i = 0; i < times; i++) await run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
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

/** Throws when work grows by more than the input. Returns how many kinds of input were tried. */
export async function mustGrowLinearly(): Promise<number> {
  for (const { name, size, prepare, isCounted } of GROWTHS) {
    if (isCounted) {
      const steps = stepsOf(prepare(TIMES * size));
      if (steps > 4 * TIMES * size)
        throw new Error(`${name}: ${steps} spans are looked at for ${TIMES * size}`);
      continue;
    }
    const [small, large] = [prepare(size), prepare(TIMES * size)];
    let few = Number.POSITIVE_INFINITY;
    let many = Number.POSITIVE_INFINITY;
    // The code is compiled meanwhile, and the collector comes when it likes: the least is what it takes.
    for (let round = 0; round < LEAST_ROUNDS || (round < ROUNDS && many > MOST * few); round++) {
      few = Math.min(few, Math.max(LEAST_MS, await workOf(small, TIMES)));
      many = Math.min(many, await workOf(large, 1));
    }
    if (many > MOST * few)
      throw new Error(
        `${name}: ${TIMES} times ${size} take ${few} ms, and ${TIMES * size} at once ${many} ms, more than ${MOST} times that`,
      );
  }
  return GROWTHS.length;
}
