/** records: frames that do not fit into their group are refused before anything outside of it is read. */
import { expect, it } from 'vitest';
import {
  HAS_CHECKSUM,
  IN_TRANSACTION,
  RECORD_CHECKPOINT,
  RECORD_FIRST,
  RECORD_FULL,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../../dist/src/format/record-frame.js';
import { frameChecksum, walkRecords } from '../../dist/src/segment/records.js';

/** A group's body with these words. */
function bodyOf(...words: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

const walked = (body: Uint8Array, count: number): string | undefined => walkRecords(body, count, 1, () => {});

it('a second record that reaches over the end of its group is refused, though the group alone would hold it', () => {
  const sound = bodyOf(4, RECORD_FULL, 7, 0, 4, RECORD_FULL, 7, 0);
  expect(walked(sound, 2)).toBeUndefined();
  expect(walked(bodyOf(4, RECORD_FULL, 7, 0, 12, RECORD_FULL, 7, 0), 2)).toBe(
    'record 1 of 2 is longer than its group',
  );
  expect(walked(bodyOf(24, RECORD_FULL, 7, 0, 4, RECORD_FULL, 7, 0), 1)).toBeUndefined();
});

it('fewer or more records than the header counts are refused', () => {
  const one = bodyOf(4, RECORD_FULL, 7, 0);
  expect(walked(one, 2)).toBe('record 1 of 2 has no header');
  expect(walked(bodyOf(4, RECORD_FULL, 7, 0, 0, 0), 1)).toBe('the group holds more bytes than its records');
  expect(walked(new Uint8Array(0), 0)).toBeUndefined();
  expect(walked(bodyOf(0, RECORD_FULL), 1)).toBeUndefined(); // it ends with its header
});

it('types and flags that this version does not know are refused', () => {
  for (const word of [0xff, RECORD_FULL | (0x80 << 8), RECORD_FULL | 0x0100_0000])
    expect(walked(bodyOf(4, word, 7, 0), 1)).toBe(
      'record 0 of 1 has a type or flags unknown to this version',
    );
});

it('records are passed on with their LSN, type, flags, and where their content lies', () => {
  const words = [3, RECORD_FULL, 7, 0, 0, RECORD_CHECKPOINT, 8, RECORD_TXN_COMMIT, 9, 0];
  const seen: number[][] = [];
  const body = bodyOf(...words, 5, RECORD_FULL | (HAS_CHECKSUM << 8), 1, 2, 3, 4);
  expect(walkRecords(body, 4, 100, (...record) => seen.push(record))).toBeUndefined();
  expect(seen).toEqual([
    [100, RECORD_FULL, 0, 8, 11],
    [101, RECORD_CHECKPOINT, 0, 24, 24],
    [102, RECORD_TXN_COMMIT, 0, 32, 40],
    [103, RECORD_FULL, HAS_CHECKSUM, 48, 53],
  ]);
});

it('a record that is too short for the ids of its type is refused', () => {
  const withIds = (bytes: number): Uint8Array =>
    bodyOf(bytes, RECORD_FIRST | (IN_TRANSACTION << 8), 1, 0, 2, 0);
  expect(walked(withIds(16), 1)).toBeUndefined();
  expect(walked(withIds(15), 1)).toBe('record 0 of 1 is too short for its type');
  expect(walked(bodyOf(7, RECORD_TXN_BEGIN, 1, 0), 1)).toBe('record 0 of 1 is too short for its type');
});

it('a length so large that the frame seems to be small is refused', () => {
  for (const length of [0xffff_fff8, 0xffff_fff0, 0x8000_0000, 17])
    expect(walked(bodyOf(length, RECORD_FULL, 7, 0), 1)).toBe('record 0 of 1 is longer than its group');
});

it('the checksum of a record is the last word of its frame, wherever that lies', () => {
  const memory = new Uint8Array(24 + 48);
  const body = memory.subarray(24);
  new DataView(memory.buffer).setUint32(24 + 16 + 20, 0xfedc_ba98, true);
  expect(frameChecksum(body, 24, 24 + 9, HAS_CHECKSUM)).toBe(0xfedc_ba98);
});
