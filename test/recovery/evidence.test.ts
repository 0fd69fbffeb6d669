/** evidence: which headers are found behind a place, what they prove of it, and how much is read to find them. */
import { describe, expect, it } from 'vitest';
import type { GroupHeader } from '../../dist/src/format/group-header.js';
import { bytesBehind, headersIn, searchBehind } from '../../dist/src/recovery/evidence.js';
import type { StorageFile } from '../../dist/src/storage/storage.js';
import { groupOf, KEY } from '../layers/decoder-inputs.js';

const MEBIBYTE = 1024 * 1024;

interface Read {
  readonly position: number;
  readonly bytes: number;
  /** Bytes of the memory that was read into. */
  readonly memory: number;
}

/** A file of zeros with headers, without their bodies, at these places. */
function fileOf(size: number, headers: Readonly<Record<number, Partial<GroupHeader>>> = {}) {
  const content = new Uint8Array(size + 128);
  for (const [at, fields] of Object.entries(headers))
    content.set(groupOf(new Uint8Array(0), fields), Number(at));
  const bytes = content.subarray(0, size);
  const reads: Read[] = [];
  const read = async (into: Uint8Array, position: number): Promise<number> => {
    reads.push({ position, bytes: into.length, memory: into.buffer.byteLength });
    const found = bytes.subarray(position, position + into.length);
    into.set(found);
    return found.length;
  };
  return { bytes, reads, file: { read, size: async () => size } as unknown as StorageFile };
}

async function offsetsIn(file: StorageFile, from: number, to: number): Promise<number[]> {
  const offsets: number[] = [];
  for await (const { offset } of headersIn(file, KEY, from, to)) offsets.push(offset);
  return offsets;
}

describe('headers', () => {
  it('are found at every multiple of 8 from the place on, the place itself and the last 64 bytes included', async () => {
    const places = [4096, 4096 + 64, 5000, 9000 - 64];
    const { file } = fileOf(9000, Object.fromEntries(places.map((at) => [at, { firstLsn: at }])));
    expect(await offsetsIn(file, 4096, 9000)).toEqual(places);
    expect(await offsetsIn(file, 4104, 9000)).toEqual(places.slice(1));
    expect(await offsetsIn(file, 4096, 8999)).toEqual(places.slice(0, 3));
    expect(await offsetsIn(file, 9000 - 64, 9000)).toEqual([9000 - 64]);
  });

  it('are given as they are, and found at no other place, nor under another salt', async () => {
    const { file, bytes } = fileOf(9000, { 4096: { firstLsn: 7, durableLsn: 5 }, 5004: {} });
    for await (const { offset, header } of headersIn(file, KEY, 4096, 9000)) {
      expect(offset).toBe(4096);
      expect(header).toMatchObject({ firstLsn: 7, durableLsn: 5 });
    }
    expect(await offsetsIn(file, 4096, 9000)).toEqual([4096]);
    bytes[4096 + 20] = 1;
    expect(await offsetsIn(file, 4096, 9000)).toEqual([]);
  });

  it('are found once each where one window ends and the next begins', async () => {
    for (const distance of [-64, -56, -8, 0, 8]) {
      const at = 4096 + MEBIBYTE + distance;
      const { file } = fileOf(2 * MEBIBYTE, { [at]: {} });
      expect(await offsetsIn(file, 4096, 2 * MEBIBYTE), `${distance}`).toEqual([at]);
    }
  });

  it('behind the end are not looked at, whatever the file holds there', async () => {
    const { file } = fileOf(2 * MEBIBYTE, { 6000: {}, 7000: {}, 6936: {} });
    expect(await offsetsIn(file, 4096, 7000)).toEqual([6000, 6936]);
    expect(await offsetsIn(file, 4096, 6063)).toEqual([]);
    expect(await offsetsIn(file, 7000, 4096)).toEqual([]);
  });

  it('take no more memory than there is to read, and a mebibyte at most', async () => {
    const few = fileOf(9000);
    await offsetsIn(few.file, 4096, 9000);
    expect(few.reads).toEqual([{ position: 4096, bytes: 9000 - 4096, memory: 9000 - 4096 + 64 }]);
    const many = fileOf(3 * MEBIBYTE);
    await offsetsIn(many.file, 0, 2 * MEBIBYTE + 63);
    expect(many.reads.map(({ position, bytes }) => [position, bytes])).toEqual([
      [0, MEBIBYTE + 64],
      [MEBIBYTE, MEBIBYTE + 63],
    ]);
    expect(new Set(many.reads.map(({ memory }) => memory))).toEqual(new Set([MEBIBYTE + 64]));
  });
});

describe('what lies behind a place', () => {
  const search = (headers: Record<number, Partial<GroupHeader>>) =>
    searchBehind(fileOf(9000, headers).file, KEY, 4096, 9000);

  it('is nothing without a header', async () => {
    const nothing = { proofBehind: false, firstGoodLsnAfter: undefined, durableLsn: 0, headers: 0 };
    expect(await search({})).toEqual(nothing);
  });

  it('is counted with the place itself, whose group is not good; the first one behind it is', async () => {
    const fields = { durableEnd: 4096 };
    expect(await search({ 4096: { ...fields, firstLsn: 3, durableLsn: 2 } })).toEqual({
      ...{ proofBehind: false, firstGoodLsnAfter: undefined, durableLsn: 2, headers: 1 },
    });
    const three = {
      4096: { ...fields, firstLsn: 3, durableLsn: 2 },
      4200: { ...fields, firstLsn: 8, durableLsn: 7 },
      4304: { ...fields, firstLsn: 9, durableLsn: 6 },
    };
    expect(await search(three)).toEqual({
      ...{ proofBehind: false, firstGoodLsnAfter: 8, durableLsn: 7, headers: 3 },
    });
  });

  it.each([
    [4095, false],
    [4096, false],
    [4097, true],
  ])('proves the place to have been durable from its byte on: a durable end of %d: %s', async (durableEnd, proofBehind) => {
    expect(await search({ 5000: { durableEnd }, 6000: { durableEnd: 0 } })).toMatchObject({ proofBehind });
    expect(await search({ 4096: { durableEnd } })).toMatchObject({ proofBehind });
  });
});

describe('bytes behind a place', () => {
  it.each([
    [4096, 0],
    [4096, 1],
    [9000, 8999],
    [4096, 4095],
    [2 * MEBIBYTE, 4096],
    [2 * MEBIBYTE, MEBIBYTE - 1],
    [2 * MEBIBYTE, MEBIBYTE],
    [2 * MEBIBYTE + 100, 50],
    [2 * MEBIBYTE + 100, 2 * MEBIBYTE + 99],
  ])('of a file of %d bytes reach to the last that is not zero, which is %d', async (size, last) => {
    const { file, bytes } = fileOf(size);
    bytes[last] = 1;
    for (const place of [0, last, last + 1, size])
      expect(await bytesBehind(file, place), `from ${place}`).toBe(Math.max(0, last + 1 - place));
  });

  it('are none in zeros, and behind the end of the file', async () => {
    expect(await bytesBehind(fileOf(3 * MEBIBYTE).file, 4096)).toBe(0);
    expect(await bytesBehind(fileOf(100).file, 100)).toBe(0);
    expect(await bytesBehind(fileOf(100).file, 200)).toBe(0);
  });

  it('are read from the end on, a mebibyte at a time, and into no more memory than that', async () => {
    const few = fileOf(9000);
    await bytesBehind(few.file, 4096);
    expect(few.reads).toEqual([{ position: 4096, bytes: 9000 - 4096, memory: 9000 - 4096 }]);
    const many = fileOf(2 * MEBIBYTE + 5000);
    await bytesBehind(many.file, 4096);
    expect(many.reads).toEqual([
      { position: MEBIBYTE + 5000, bytes: MEBIBYTE, memory: MEBIBYTE },
      { position: 5000, bytes: MEBIBYTE, memory: MEBIBYTE },
      { position: 4096, bytes: 904, memory: MEBIBYTE },
    ]);
  });
});
