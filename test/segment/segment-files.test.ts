/** segment-files: what the first bytes of the files in a directory say, and which of them are no segments of a log. */
import { describe, expect, it } from 'vitest';
import { checksum } from '../../dist/src/format/checksum.js';
import { encodeLink } from '../../dist/src/format/group-body.js';
import { type GroupHeader, LINK, MARK } from '../../dist/src/format/group-header.js';
import { encodeSegmentHeader } from '../../dist/src/format/segment-header.js';
import { readDirectory, readSegmentFile } from '../../dist/src/segment/segment-files.js';
import { groupOf, KEY, LINK as LINK_BODY, LOG_ID, SALT } from '../layers/decoder-inputs.js';
import { MemoryStorage } from '../support/memory-storage.js';

const HEAD_BYTES = 4096 + 64 + 64;
const BODY = { ...LINK_BODY, truncatedBefore: 3 };

const name = (number: number, ending = 'wal'): string => `${String(number).padStart(20, '0')}.${ending}`;

function headerOf(number: number) {
  return { logId: LOG_ID, salt: SALT, number, epoch: 2, segmentBytes: 65_536, createdUs: 7, cutFrom: 0 };
}

/** A segment with a LINK, or something else in its place. */
function segment(number: number, fields: Partial<GroupHeader> = {}, body = encodeLink(BODY)): Uint8Array {
  const link = groupOf(body, { type: LINK, records: 0, ...fields });
  return Uint8Array.from(Buffer.concat([encodeSegmentHeader(headerOf(number)), link, new Uint8Array(64)]));
}

/** A directory in which it is a file of that name. */
function one(bytes: Uint8Array, file = name(1)): MemoryStorage {
  return new MemoryStorage(new Map([[file, bytes]]));
}

describe('a directory', () => {
  it('without files holds nothing', async () => {
    expect(await readDirectory(new MemoryStorage())).toEqual({ segments: [], prepared: [], aside: [] });
  });

  it('holds segments in the order of their numbers, files under preparation, and files put aside', async () => {
    const files = new Map<string, Uint8Array>();
    // Not in any order that listing or sorting by name would give: those of a Map, read backwards.
    for (const number of [2, 10, 1, 3, 100, 7, 8]) files.set(name(number), segment(number));
    files.set(name(11, 'new'), new Uint8Array(1));
    files.set(`${name(3)}.lost-2`, new Uint8Array(1));
    files.set(`${name(3)}.lost-9`, new Uint8Array(1));
    files.set(`${name(3)}.lost-4`, new Uint8Array(1));
    files.set(`${name(1)}.lost-1`, new Uint8Array(1));
    files.set('notes.txt', new Uint8Array(1));
    files.set('00000000000000000000.wal', new Uint8Array(1));
    const storage = new MemoryStorage(files);
    const { segments, prepared, aside } = await readDirectory(storage);
    expect(segments.map(({ number, asideEpoch }) => [number, asideEpoch])).toEqual([
      [1, 1],
      [2, undefined],
      [3, 9],
      [7, undefined],
      [8, undefined],
      [10, undefined],
      [100, undefined],
    ]);
    expect(segments.map((file) => file.name)).toEqual([1, 2, 3, 7, 8, 10, 100].map((number) => name(number)));
    expect(prepared).toEqual([name(11, 'new')]);
    expect(aside).toEqual([
      `${name(1)}.lost-1`,
      `${name(3)}.lost-2`,
      `${name(3)}.lost-4`,
      `${name(3)}.lost-9`,
    ]);
    expect(storage.openFiles).toBe(0);
  });

  it('that can not be listed is an I/O error with its cause', async () => {
    const storage = new MemoryStorage();
    const cause = new Error('EACCES');
    storage.list = () => Promise.reject(cause);
    await expect(readDirectory(storage)).rejects.toMatchObject({ code: 'RINGWAL_IO', cause });
  });

  it('with a renamed file is refused, unless that is to count as damage', async () => {
    const files = new Map([1, 2, 3].map((number) => [name(number), segment(number)]));
    files.set(name(4), segment(2));
    const storage = new MemoryStorage(files);
    const refusal = { code: 'RINGWAL_CORRUPT', details: { file: name(4), offset: 0 } };
    await expect(readDirectory(storage)).rejects.toMatchObject(refusal);
    const { segments } = await readDirectory(storage, true);
    expect(segments.map(({ header }) => header?.number)).toEqual([1, 2, 3, undefined]);
    expect(segments[3]).toEqual({
      ...{ name: name(4), number: 4, fileBytes: HEAD_BYTES + 64, asideEpoch: undefined },
      ...{ header: undefined, link: undefined },
    });
  });

  it('with a file that can not be read is an I/O error, and no file is left open', async () => {
    for (const call of ['size', 'read'] as const) {
      const storage = new MemoryStorage(new Map([1, 2, 3].map((number) => [name(number), segment(number)])));
      const open = storage.open.bind(storage);
      storage.open = async (file, access) => {
        const opened = await open(file, access);
        if (file === name(2)) opened[call] = () => Promise.reject(new Error('EIO'));
        return opened;
      };
      const error = { code: 'RINGWAL_IO', message: expect.stringContaining(name(2)) };
      await expect(readDirectory(storage)).rejects.toMatchObject(error);
      expect(storage.openFiles).toBe(0);
    }
  });
});

describe('a file', () => {
  const read = (bytes: Uint8Array) => readSegmentFile(one(bytes), name(1), 1);

  it('has the header and the LINK that were written', async () => {
    const found = await read(segment(1));
    expect(found).toMatchObject({ name: name(1), number: 1, fileBytes: HEAD_BYTES + 64 });
    expect(found.header).toEqual(headerOf(1));
    expect(found.link?.body).toEqual(BODY);
    expect(found.link?.header).toMatchObject({ type: LINK, firstLsn: 1, bodyBytes: 64 });
  });

  it('of another number is refused by default', async () => {
    await expect(read(segment(2))).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
    expect((await readSegmentFile(one(segment(1)), name(1), 1, true)).header).toEqual(headerOf(1));
  });

  it('of another format version is reported as such', async () => {
    const bytes = segment(1);
    bytes[8] = 3;
    const error = { code: 'RINGWAL_UNSUPPORTED_VERSION', message: expect.stringContaining('version 3') };
    await expect(read(bytes)).rejects.toMatchObject(error);
  });

  it.each([
    ['whose first block is damaged', segment(1).fill(1, 100, 101)],
    ['that is shorter than its first block', segment(1).slice(0, 4095)],
    ['that is empty', new Uint8Array(0)],
  ])('%s has neither', async (_, bytes) => {
    const found = await read(bytes);
    expect(found).toEqual({
      ...{ name: name(1), number: 1, fileBytes: bytes.length },
      ...{ header: undefined, link: undefined },
    });
  });

  const long = Uint8Array.from([...encodeLink(BODY), ...new Uint8Array(8)]);
  const sum = checksum(encodeLink(BODY), KEY.seed);
  it.each<[string, Uint8Array]>([
    ['is cut by a byte, though that is a zero', segment(1).slice(0, HEAD_BYTES - 1)],
    ['holds zeros', segment(1).fill(0, 4096)],
    ['is a group of another type', segment(1, { type: MARK })],
    ['is longer than a LINK', segment(1, { bodyChecksum: sum }, long)],
    ['does not verify', segment(1, { bodyChecksum: sum ^ 1 })],
    ['holds a number that no log comes to', segment(1, {}, encodeLink({ ...BODY, openLsn: 2 ** 53 }))],
  ])('has no LINK when what is in its place %s', async (_, bytes) => {
    const found = await read(bytes);
    expect(found.header).toEqual(headerOf(1));
    expect(found.link).toBeUndefined();
  });

  it('that is cut right behind its LINK has one', async () => {
    expect((await read(segment(1).slice(0, HEAD_BYTES))).link?.body).toEqual(BODY);
  });
});
