/** survey: what is still to be learnt from a damaged segment, header by header, and what is not to be believed. */
import { expect, it } from 'vitest';
import { encodeLink, encodeMark } from '../../dist/src/format/group-body.js';
import { DATA, type GroupHeader, LINK, MARK, SEAL } from '../../dist/src/format/group-header.js';
import { surveySegment } from '../../dist/src/recovery/survey.js';
import { groupOf, LINK as LINK_BODY, SALT } from '../layers/decoder-inputs.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { damaged, spare } from '../support/segment-heads.js';

type Part = readonly [body: Uint8Array, fields: Partial<GroupHeader>];

const mark = (truncatedBefore: number): Uint8Array => encodeMark({ truncatedBefore, clean: false });
const link = (truncatedBefore: number): Uint8Array => encodeLink({ ...LINK_BODY, truncatedBefore });

/** Surveys a file of these groups, with a hole of garbage before each; `cut` bytes of the last one are missing. */
async function survey(parts: readonly Part[], cut = 0) {
  const groups = parts.flatMap(([body, fields]) => [new Uint8Array(40).fill(0xa5), groupOf(body, fields)]);
  const whole = Buffer.concat([new Uint8Array(4096), ...groups]);
  const bytes = Uint8Array.from(whole.subarray(0, whole.length - cut));
  const segment = spare(1, { salt: SALT, fileBytes: bytes.length });
  const storage = new MemoryStorage(new Map([[segment.name, bytes]]));
  const found = await surveySegment(storage, segment);
  expect(storage.openFiles).toBe(0);
  return found;
}

it('tells nothing of a segment whose first block is damaged, or that holds no group', async () => {
  const nothing = { groups: 0, firstLsn: 0, lastLsn: 0, truncatedBefore: 0 };
  expect(await surveySegment(new MemoryStorage(), damaged(1))).toEqual(nothing);
  expect(await survey([])).toEqual(nothing);
});

it('tells the first and the last LSN that any header names, as its own or as durable', async () => {
  const data = (firstLsn: number, records: number, durableLsn: number): Part => [
    new Uint8Array(16),
    { type: DATA, firstLsn, records, durableLsn },
  ];
  expect(await survey([data(7, 3, 6)])).toEqual({ groups: 1, firstLsn: 7, lastLsn: 9, truncatedBefore: 0 });
  expect(await survey([data(7, 3, 6), data(10, 2, 9), data(10, 1, 2)])).toMatchObject({
    ...{ groups: 3, firstLsn: 7, lastLsn: 11 },
  });
  expect(await survey([data(7, 3, 20)])).toMatchObject({ firstLsn: 7, lastLsn: 20 });
  const empty: Part = [mark(0), { type: MARK, firstLsn: 5, records: 0, durableLsn: 3 }];
  expect(await survey([empty])).toMatchObject({ groups: 1, firstLsn: 5, lastLsn: 4 });
});

it('tells the highest truncation mark, of LINK and MARKs alike', async () => {
  const parts: Part[] = [
    [link(5), { type: LINK, records: 0 }],
    [mark(9), { type: MARK, records: 0 }],
    [mark(7), { type: MARK, records: 0 }],
  ];
  expect(await survey(parts)).toMatchObject({ groups: 3, truncatedBefore: 9 });
  expect(await survey(parts.slice(0, 1))).toMatchObject({ truncatedBefore: 5 });
});

it('believes no mark of a body that does not verify, is cut, is another group, or holds no LSN', async () => {
  const good: Part = [mark(3), { type: MARK, records: 0 }];
  expect(await survey([good, [mark(9), { type: MARK, records: 0, bodyChecksum: 1 }]])).toMatchObject({
    ...{ groups: 2, truncatedBefore: 3 },
  });
  expect(await survey([good, [mark(9), { type: MARK, records: 0 }]], 1)).toMatchObject({
    truncatedBefore: 3,
  });
  expect(await survey([good, [link(9), { type: LINK, records: 0 }]], 9)).toMatchObject({
    truncatedBefore: 3,
  });
  for (const type of [DATA, SEAL])
    expect(await survey([good, [mark(9), { type }]])).toMatchObject({ groups: 2, truncatedBefore: 3 });
  expect(await survey([good, [mark(2 ** 53), { type: MARK, records: 0 }]])).toMatchObject({
    truncatedBefore: 3,
  });
});
