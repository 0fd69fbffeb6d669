/** segment-cursor: what is a group and what is not, where a walk stops, and how much of a file it reads to find out. */
import { describe, expect, it } from 'vitest';
import { DATA, type GroupHeader, LINK, MARK, SEAL } from '../../dist/src/format/group-header.js';
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

describe('a walk over groups', () => {
  it('gives each with its place and its body, and ends where zeros begin', async () => {
    const bodies = [24, 8, 40].map((length, i) => new Uint8Array(length).fill(i + 1));
    const bytes = fileOf(bodies.map((body) => ({ body })));
    const lastChecksum = new DataView(bytes.buffer).getUint32(4096 + 64 + 24 + 64 + 8 + 60, true);
    const found = await walk(bytes);
    expect(found.groups).toEqual([
      { offset: 4096, end: 4184, firstLsn: 1, body: bodies[0] },
      { offset: 4184, end: 4256, firstLsn: 2, body: bodies[1] },
      { offset: 4256, end: 4360, firstLsn: 3, body: bodies[2] },
    ]);
    expect(found).toMatchObject({ reason: 'zeros', stopped: 4360, offset: 4360, nextLsn: 4, lastChecksum });
  });

  it('ends at the limit without reading anything when it begins there', async () => {
    const found = await walk(fileOf([{ body: 8 }]), { limit: 4096 });
    expect(found).toMatchObject({ groups: [], reason: 'end', stopped: 4096, reads: [] });
  });

  it.each([
    ['the last group ends with the file', 0, 1, 'end'],
    ['zeros follow that are too few for a header', 63, 1, 'zeros'],
    ['zeros follow', 64, 1, 'zeros'],
    ['the file ends inside of the last body', -8, 0, 'invalid'],
    ['the file ends inside of the last header', -24, 0, 'invalid'],
  ] as const)('ends where %s', async (_, behind, groups, reason) => {
    const bytes = fileOf([{ body: 16 }], 64);
    const found = await walk(bytes, { limit: bytes.length - 64 + behind });
    expect(found).toMatchObject({ reason, stopped: groups === 0 ? 4096 : 4176 });
    expect(found.groups.length).toBe(groups);
  });

  it('finds a header with which the file ends', async () => {
    const found = await walk(fileOf([{ body: 0, fields: { type: MARK } }], 0));
    expect(found).toMatchObject({ reason: 'end', stopped: 4160 });
    expect(found.groups.length).toBe(1);
  });

  it.each([
    [0, 'invalid'],
    [63, 'invalid'],
    [64, 'zeros'],
  ] as const)('calls zeros with one other byte %d bytes behind a group %s', async (at, reason) => {
    const bytes = fileOf([{ body: 16 }]);
    bytes[4176 + at] = 1;
    expect(await walk(bytes)).toMatchObject({ reason, stopped: 4176 });
  });

  it.each([
    ['with the LSN before the next', { firstLsn: 1 }],
    ['with the LSN behind the next', { firstLsn: 3 }],
    ['that follows another group', { previousChecksum: 7 }],
    ['that does both', { firstLsn: 3, previousChecksum: 7 }],
  ])('calls a group %s misplaced', async (_, fields) => {
    const found = await walk(fileOf([{ body: 8 }, { body: 8, fields }]));
    expect(found).toMatchObject({ reason: 'misplaced', stopped: 4168, nextLsn: 2 });
  });

  it.each<[string, number, Partial<GroupHeader>, boolean]>([
    ['without a type', 8, { type: 0 }, false],
    ['DATA', 8, { type: DATA, records: 1 }, true],
    ['DATA without records', 8, { type: DATA, records: 0 }, false],
    ['DATA with as many records as there is room for', 32, { type: DATA, records: 4 }, true],
    ['DATA with one more', 32, { type: DATA, records: 5 }, false],
    ['LINK', 8, { type: LINK }, true],
    ['SEAL', 8, { type: SEAL }, true],
    ['MARK', 8, { type: MARK }, true],
    ['MARK with records', 8, { type: MARK, records: 1 }, false],
    ['of a type that is not known', 8, { type: 5 }, false],
    ['with a body that is no multiple of 8', 12, { type: MARK }, false],
    ['with a body that does not verify', 8, { bodyChecksum: 1 }, false],
  ])('of a group %s', async (_, body, fields, isGroup) => {
    const found = await walk(fileOf([{ body, fields }]));
    expect(found).toMatchObject({ reason: isGroup ? 'zeros' : 'invalid' });
    expect(found.groups.length).toBe(isGroup ? 1 : 0);
  });
});

describe('the windows of a walk', () => {
  it('grow from a small one to a mebibyte, begin where the last group ended, and share their memory', async () => {
    const bytes = fileOf(Array.from({ length: 30 }, () => ({ body: 160_000 })));
    const { reads, groups } = await walk(bytes, { windowBytes: MEBIBYTE / 4 });
    expect(groups.length).toBe(30);
    const lengths = reads.map((read) => read.bytes);
    const last = must(reads.at(-1));
    expect(lengths.slice(0, -1)).toEqual([MEBIBYTE / 4, MEBIBYTE / 2, ...Array(4).fill(MEBIBYTE)]);
    expect(last.position + last.bytes).toBe(bytes.length);
    const ends = [4096, ...groups.map(({ end }) => end)];
    for (const { position } of reads) expect(ends).toContain(position);
    expect(new Set(reads.slice(2).map(({ memory }) => memory)).size).toBe(1);
  });

  it('have a mebibyte from the beginning when nothing else is asked for', async () => {
    const sizes: number[] = [];
    const read = async (into: Uint8Array): Promise<number> => {
      sizes.push(into.length);
      return into.length;
    };
    const start = { offset: BLOCK, nextLsn: 1, lastChecksum: 0 };
    const cursor = new SegmentCursor({ read } as unknown as StorageFile, KEY, 4 * MEBIBYTE, start);
    expect(cursor.next()).toEqual({ kind: 'more' });
    await cursor.fill();
    expect(sizes).toEqual([MEBIBYTE]);
    expect(cursor.next()).toEqual({ kind: 'stop', reason: 'zeros', offset: BLOCK });
  });

  it('hold no more than what is missing, when that is more than a window', async () => {
    const parts: Part[] = [{ body: 40 }, { body: 16, isPadded: true }];
    const { groups, reads } = await walk(fileOf(parts, 64), { windowBytes: 1 });
    expect(groups.map(({ offset }) => offset)).toEqual([4096, 8192]);
    expect(reads.map(({ position, bytes }) => [position, bytes])).toEqual([
      [4096, 64], // the header
      [4096, 104], // with its body
      [4200, 4056], // up to a header on the next block
      [4200, 4072],
      [8272, 64],
    ]);
  });

  it('that get less than there must be, since the file was cut meanwhile, end the walk with an error', async () => {
    const bytes = fileOf([{ body: 40 }, { body: 40 }], 0);
    const cut = bytes.subarray(0, bytes.length - 1);
    await expect(walk(cut, { limit: bytes.length, windowBytes: 1 })).rejects.toThrow(
      `The file ended at ${bytes.length - 1}, before the size it had.`,
    );
    expect((await walk(bytes, { windowBytes: 1 })).groups.length).toBe(2);
    // Less than a window is no error while nothing is missed.
    const { groups, reason } = await walk(fileOf([{ body: 40 }]), { windowBytes: MEBIBYTE });
    expect([groups.length, reason]).toEqual([1, 'zeros']);
  });
});
