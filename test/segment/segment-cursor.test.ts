/** segment-cursor: what is a group and what is not, where a walk stops, and how much of a file it reads to find out. */
import { describe, expect, it } from 'vitest';
import { DATA, type GroupHeader } from '../../dist/src/format/group-header.js';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import type { StorageFile } from '../../dist/src/storage/storage.js';
import { groupOf, KEY } from '../layers/decoder-inputs.js';
import { must } from '../support/must.js';

const BLOCK = 4096;
const MEBIBYTE = 1024 * 1024;

/** Fills after which a walk counts as hung. */
const PATIENCE = 50;

interface Part {
  /** The body, or of how many zeros it is. */
  readonly body: number | Uint8Array;
  readonly fields?: Partial<GroupHeader>;
  /** Zeros before it, up to the next block. */
  readonly isPadded?: boolean;
}

/** A file of groups behind a first block of zeros, each chained to the one before it unless its fields say otherwise. */
function fileOf(parts: readonly Part[], behind = 256): Uint8Array {
  const all: Uint8Array[] = [new Uint8Array(BLOCK)];
  let at = BLOCK;
  let firstLsn = 1;
  let previousChecksum = 0;
  for (const { body, fields, isPadded } of parts) {
    const records = fields?.records ?? ((fields?.type ?? DATA) === DATA ? 1 : 0);
    const bytes = typeof body === 'number' ? new Uint8Array(body) : body;
    const group = groupOf(bytes, { firstLsn, records, previousChecksum, ...fields });
    const padding = isPadded ? Math.ceil(at / BLOCK) * BLOCK - at : 0;
    all.push(new Uint8Array(padding), group);
    at += padding + group.length;
    firstLsn += records;
    previousChecksum = new DataView(group.buffer).getUint32(60, true);
  }
  return Uint8Array.from(Buffer.concat([...all, new Uint8Array(behind)]));
}

interface Read {
  readonly position: number;
  readonly bytes: number;
  readonly memory: ArrayBufferLike;
}

/** Walks to the end; returns what was found, why it ended, and what was read. */
async function walk(bytes: Uint8Array, { limit = bytes.length, windowBytes = MEBIBYTE, from = BLOCK } = {}) {
  const reads: Read[] = [];
  const file = {
    read: async (into: Uint8Array, position: number): Promise<number> => {
      reads.push({ position, bytes: into.length, memory: into.buffer });
      const found = bytes.subarray(position, position + into.length);
      into.set(found);
      return found.length;
    },
  } as StorageFile;
  const start = { offset: from, nextLsn: 1, lastChecksum: 0 };
  const cursor = new SegmentCursor(file, KEY, limit, start, windowBytes);
  const groups: { offset: number; end: number; firstLsn: number; body: Uint8Array }[] = [];
  for (;;) {
    const step = cursor.next();
    if (step.kind === 'stop') {
      const { offset, nextLsn, lastChecksum } = cursor;
      return { groups, reason: step.reason, stopped: step.offset, offset, nextLsn, lastChecksum, reads };
    }
    if (step.kind === 'more') {
      await cursor.fill();
      if (reads.length > PATIENCE) throw new Error(`hang: ${PATIENCE} windows were read`);
      continue;
    }
    const { offset, end, header, body } = step;
    groups.push({ offset, end, firstLsn: header.firstLsn, body: body.slice() });
  }
}

describe('a group that begins on a block of its own', () => {
  // Found by a mutant that no test killed: with `padGroups`, a group of more than a mebibyte was read for ever.
  it.each([
    MEBIBYTE - 4096,
    MEBIBYTE,
    3 * MEBIBYTE,
  ])('is found behind zeros, also when its body of %d bytes is larger than a window', async (large) => {
    const body = new Uint8Array(large).fill(7);
    const { groups, reason } = await walk(fileOf([{ body: 40 }, { body, isPadded: true }, { body: 16 }]));
    expect(reason).toBe('zeros');
    expect(groups.map(({ firstLsn }) => firstLsn)).toEqual([1, 2, 3]);
    expect(groups[1]).toMatchObject({ offset: 2 * BLOCK, end: 2 * BLOCK + 64 + large });
    expect(Buffer.compare(must(groups[1]).body, body)).toBe(0);
  });
});
