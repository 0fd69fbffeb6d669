/** records: frames that do not fit into their group are refused before anything outside of it is read. */
import { expect, it } from 'vitest';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { walkRecords } from '../../dist/src/segment/records.js';

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
});

it('types and flags that this version does not know are refused', () => {
  for (const word of [0xff, RECORD_FULL | (0x80 << 8), RECORD_FULL | 0x0100_0000])
    expect(walked(bodyOf(4, word, 7, 0), 1)).toBe(
      'record 0 of 1 has a type or flags unknown to this version',
    );
});
