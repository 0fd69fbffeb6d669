/** scan-newest: how the end of the newest segment is judged, what is told of it, and what its SEAL asks for. */
import { describe, expect, it } from 'vitest';
import { encodeLink, encodeMark, encodeSeal } from '../../dist/src/format/group-body.js';
import { DATA, type GroupHeader, LINK, MARK, SEAL } from '../../dist/src/format/group-header.js';
import type { ChainedSegment } from '../../dist/src/recovery/chain.js';
import { checkSuccessor, scanNewest, scanToEnd } from '../../dist/src/recovery/scan-newest.js';
import type { SegmentFile } from '../../dist/src/segment/segment-files.js';
import { groupOf, LINK as LINK_BODY, SALT } from '../layers/decoder-inputs.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { must } from '../support/must.js';
import { damaged, HEAD_SEGMENT_BYTES, linked, saltOf, spare } from '../support/segment-heads.js';

const BLOCK = 4096;
/** Where the groups of `log` begin: its LINK, three records each in a group of its own, and what follows. */
const [FIRST, SECOND, THIRD, END] = [4224, 4304, 4384, 4464];

const data = (): Uint8Array => new Uint8Array(Uint32Array.from([8, 1, 7, 7]).buffer);
const mark = (clean: boolean): Uint8Array => encodeMark({ truncatedBefore: 2, clean });
const SEALED = { successorSalt: saltOf(8), successorNumber: 8, index: [] };

interface Terms {
  /** Groups behind the three, each with what is said of it. */
  readonly behind?: readonly (readonly [body: Uint8Array, fields: Partial<GroupHeader>])[];
  readonly change?: (bytes: Uint8Array) => void;
  readonly fileBytes?: number;
}

/** A segment of LINK and three records, LSNs 5 to 7. */
function log({ behind = [], change, fileBytes = HEAD_SEGMENT_BYTES }: Terms = {}) {
  const bytes = new Uint8Array(2 * HEAD_SEGMENT_BYTES);
  let at = BLOCK;
  let previousChecksum = 100;
  let durableEnd = BLOCK;
  const put = (body: Uint8Array, fields: Partial<GroupHeader>): void => {
    const group = groupOf(body, { durableEnd, previousChecksum, records: 0, ...fields });
    bytes.set(group, at);
    previousChecksum = new DataView(group.buffer).getUint32(60, true);
    durableEnd = at; // the next one proves what lies before this one
    at += group.length;
  };
  put(encodeLink(LINK_BODY), { type: LINK, firstLsn: 5, durableLsn: 4 });
  for (const firstLsn of [5, 6, 7])
    put(data(), { type: DATA, records: 1, firstLsn, durableLsn: firstLsn - 2 });
  for (const [body, fields] of behind) put(body, { firstLsn: 8, durableLsn: 6, ...fields });
  change?.(bytes);
  const segment = linked(1, 0, 4, { salt: SALT, fileBytes });
  return { segment, bytes: bytes.subarray(0, fileBytes) };
}

async function scanned(terms: Terms, mustInclude = 0, stopAt?: number) {
  const { segment, bytes } = log(terms);
  const storage = new MemoryStorage(new Map([[segment.name, bytes]]));
  const scan = await scanToEnd(storage, segment, mustInclude, stopAt);
  const outcome = await scanNewest(storage, segment, mustInclude).then(
    () => 'it opens',
    (error: Error) => error.message,
  );
  if (stopAt === undefined) expect(outcome).toBe(scan.refusal?.message ?? 'it opens');
  expect(storage.openFiles).toBe(0);
  const { seen, refusal, ...rest } = scan;
  expect(seen.end).toEqual(rest.end);
  return { ...rest, message: refusal?.message, code: refusal?.code, details: refusal?.details };
}

/** What a scan tells that ends in order. */
const IN_ORDER = {
  ...{ torn: false, tornBytes: 0, message: undefined, truncatedBefore: 0, checkpointLsn: 0 },
  ...{ clean: false, seal: undefined },
};

describe('the end of the newest segment', () => {
  it('is where zeros begin, and proven up to the last write', async () => {
    const scan = await scanned({});
    expect(scan).toMatchObject({ ...IN_ORDER, end: { end: END, lastLsn: 7, sealOffset: 0 } });
    expect(scan.proven).toMatchObject({ end: SECOND, lastLsn: 5 });
  });

  it('is the end of the file as it was laid out, whatever lies behind it', async () => {
    const fill = (bytes: Uint8Array) => bytes.fill(0xa5, HEAD_SEGMENT_BYTES);
    const fileBytes = 2 * HEAD_SEGMENT_BYTES;
    expect(await scanned({ fileBytes, change: fill })).toMatchObject({ ...IN_ORDER, end: { end: END } });
    const group = (bytes: Uint8Array) =>
      bytes.set(groupOf(data(), { durableEnd: 60_000 }), HEAD_SEGMENT_BYTES);
    expect(await scanned({ fileBytes, change: group })).toMatchObject({ ...IN_ORDER, end: { end: END } });
  });

  it('may be asked for at a place before it', async () => {
    for (const [stopAt, end, lastLsn] of [
      [THIRD, THIRD, 6],
      [SECOND, SECOND, 5],
      [FIRST, FIRST, 4],
    ] as const)
      expect(await scanned({}, 0, stopAt)).toMatchObject({ ...IN_ORDER, end: { end, lastLsn } });
  });

  it('is a torn write when what follows does not verify, and nothing proves that it ever did', async () => {
    const change = (bytes: Uint8Array) => bytes.fill(1, THIRD + 70, THIRD + 71);
    expect(await scanned({ change })).toMatchObject({
      ...{ ...IN_ORDER, torn: true, tornBytes: END - THIRD - 3 },
      end: { end: THIRD, lastLsn: 6 },
    });
  });

  it('is a torn write too when zeros come first and a header of the same write behind them', async () => {
    const change = (bytes: Uint8Array) => {
      bytes.copyWithin(THIRD + 512, THIRD, END);
      bytes.fill(0, THIRD, END);
    };
    expect(await scanned({ change })).toMatchObject({
      ...{ ...IN_ORDER, torn: true, tornBytes: 512 + END - THIRD - 3 },
      end: { end: THIRD, lastLsn: 6 },
    });
  });

  it('is damage when a later group says that the place was durable', async () => {
    const change = (bytes: Uint8Array) => bytes.fill(0xff, SECOND + 70, SECOND + 71);
    const scan = await scanned({ change, behind: [[mark(false), { type: MARK }]] });
    expect(scan).toMatchObject({ code: 'RINGWAL_CORRUPT', end: { end: SECOND, lastLsn: 5 }, torn: false });
    expect(scan.message).toMatch(
      /at offset 4304: LSN 6 and .* The next group that verifies starts with LSN 7\./,
    );
    expect(scan.details).toEqual({
      ...{ file: log().segment.name, offset: SECOND, expectedLsn: 6, lastGoodLsn: 5 },
      ...{ firstGoodLsnAfter: 7, evidence: 'a later group that states this place to be durable' },
    });
  });

  it('is damage also when the header at the place says so itself, and then none is good behind it', async () => {
    const bad = [data(), { type: DATA, records: 1, durableEnd: END + 8, bodyChecksum: 1 }] as const;
    const scan = await scanned({ behind: [bad] });
    expect(scan.message).toMatch(/LSN 8 and what follows it can't be read\. No file/);
    expect(scan.details).toEqual({
      ...{ file: log().segment.name, offset: END, expectedLsn: 8, lastGoodLsn: 7 },
      evidence: 'a later group that states this place to be durable',
    });
  });

  it('is misplaced when the group there has another LSN', async () => {
    const scan = await scanned({ behind: [[data(), { type: DATA, records: 1, firstLsn: 9 }]] });
    expect(scan.message).toMatch(/behind offset 4464 .*another LSN, or follows another group/);
    expect(scan.details).toEqual({
      ...{ file: log().segment.name, offset: END, expectedLsn: 8, lastGoodLsn: 7 },
    });
  });

  it('comes before a group that contradicts those before it, and that is refused', async () => {
    const scan = await scanned({ behind: [[data(), { type: DATA, records: 1, durableEnd: 4100 }]] });
    expect(scan).toMatchObject({ end: { end: END, lastLsn: 7 }, torn: false, tornBytes: 0 });
    expect(scan.proven).toMatchObject({ end: SECOND });
    expect(scan.message).toMatch(/its durable end is not where a group ends/);
    expect(scan.code).toBe('RINGWAL_CORRUPT');
  });

  it.each([
    [7, undefined],
    [8, 'option "mustInclude"'],
  ])('is no end before an LSN that the caller knows of: %d', async (mustInclude, evidence) => {
    const scan = await scanned({}, mustInclude);
    expect(scan.details?.evidence).toBe(evidence);
    if (evidence === undefined) return;
    expect(scan.message).toMatch(/ends with LSN 7 in .* LSN 8 is known to have been durable/);
    expect(scan.details).toEqual({
      ...{ file: log().segment.name, offset: END, expectedLsn: 8, lastGoodLsn: 7, evidence },
    });
  });

  it('is no end before an LSN that a header behind it calls durable', async () => {
    const change = (durableLsn: number) => (bytes: Uint8Array) =>
      bytes.set(groupOf(data(), { firstLsn: 9, durableLsn, durableEnd: BLOCK }), END + 512);
    expect(await scanned({ change: change(7) })).toMatchObject({ message: undefined, torn: true });
    for (const mustInclude of [0, 7, 8]) {
      const scan = await scanned({ change: change(9) }, mustInclude);
      expect(scan.message).toMatch(/LSN 9 is known to have been durable/);
      expect(scan.details).toMatchObject({
        ...{ evidence: 'the durable LSN of a later group', firstGoodLsnAfter: 9 },
      });
    }
  });

  it.each<[string, Terms['behind'], boolean]>([
    ['its records', [], false],
    ['a mark', [[mark(false), { type: MARK }]], false],
    ['the mark of a closing', [[mark(true), { type: MARK }]], true],
    ['a SEAL', [[encodeSeal(SEALED), { type: SEAL }]], true],
  ])('of a file that is too short is refused unless it may be: behind %s', async (_, behind = [], mayBe) => {
    const end = END + behind.reduce((bytes, [body]) => bytes + 64 + body.length, 0);
    for (const fileBytes of [end, HEAD_SEGMENT_BYTES - 1]) {
      const scan = await scanned({ behind, fileBytes });
      expect(scan.details?.evidence).toBe(mayBe ? undefined : 'the size of the file');
      if (mayBe) continue;
      expect(scan.message).toContain(`has ${fileBytes} of 65536 bytes`);
      expect(scan.details).toEqual({
        ...{ file: log().segment.name, offset: end, expectedLsn: 8, lastGoodLsn: 7 },
        evidence: 'the size of the file',
      });
    }
    expect((await scanned({ behind })).message).toBeUndefined();
  });

  it('tells of the SEAL, of the mark of a closing, and of the truncation mark', async () => {
    expect(await scanned({ behind: [[mark(true), { type: MARK }]] })).toMatchObject({
      ...{ ...IN_ORDER, clean: true, truncatedBefore: 2, end: { end: END + 80 } },
    });
    expect(await scanned({ behind: [[encodeSeal(SEALED), { type: SEAL }]] })).toMatchObject({
      ...{ ...IN_ORDER, seal: SEALED, end: { end: END + 96, sealOffset: END } },
    });
  });
});

describe('the successor that a SEAL names', () => {
  const newest: ChainedSegment = linked(1, 0, 4);
  const end = { end: END, lastLsn: 7, lastChecksum: 1, sealOffset: 4000, checkpointLsn: 0 };

  async function checked(
    segments: readonly SegmentFile[],
    groups: Readonly<Record<number, Uint8Array>> = {},
  ) {
    const bytes = new Uint8Array(HEAD_SEGMENT_BYTES);
    for (const [at, group] of Object.entries(groups)) bytes.set(group, Number(at));
    const storage = new MemoryStorage(new Map([[spare(8).name, bytes]]));
    const seal = { ...SEALED, successorSalt: SALT };
    return checkSuccessor(storage, newest, { seal, end }, segments).finally(() =>
      expect(storage.openFiles).toBe(0),
    );
  }

  const EIGHT = spare(8, { salt: SALT });

  it('is not asked for without one', async () => {
    expect(await checkSuccessor(new MemoryStorage(), newest, { seal: undefined, end }, [])).toBeUndefined();
  });

  it.each<[string, SegmentFile[]]>([
    ['missing', [newest, spare(7, { salt: SALT }), spare(9, { salt: SALT })]],
    ['damaged', [newest, damaged(8)]],
    ['another file', [newest, spare(8, { salt: SALT.slice().fill(1, 15) })]],
    ['another file altogether', [newest, spare(8)]],
  ])('is refused when it is %s', async (_, segments) => {
    await expect(checked(segments)).rejects.toMatchObject({
      code: 'RINGWAL_CORRUPT',
      message: expect.stringContaining('names segment 8 as the next'),
      details: {
        file: newest.name,
        expectedLsn: 8,
        lastGoodLsn: 7,
        evidence: 'the SEAL of the segment before',
      },
    });
  });

  it('may be as it was prepared, and then there is no torn write', async () => {
    expect(await checked([newest, spare(7), EIGHT])).toBeUndefined();
  });

  it('may hold what is left of its first write', async () => {
    const torn = groupOf(data(), { durableEnd: BLOCK });
    expect(await checked([newest, EIGHT], { 5000: torn })).toEqual({
      ...{ file: EIGHT.name, offset: BLOCK, bytes: 5000 - BLOCK + torn.length - 3 },
    });
  });

  it('is refused when a later group in it proves that its first one was durable', async () => {
    const later = groupOf(data(), { firstLsn: 12, durableEnd: BLOCK + 1 });
    const error = must(await checked([newest, EIGHT], { 5000: later }).catch((reason: unknown) => reason));
    expect(error).toMatchObject({
      code: 'RINGWAL_CORRUPT',
      message: expect.stringContaining('acknowledged records from LSN 8 on are lost'),
      details: {
        ...{ file: EIGHT.name, offset: BLOCK, expectedLsn: 8, lastGoodLsn: 7, firstGoodLsnAfter: 12 },
        evidence: 'a later group that states this place to be durable',
      },
    });
  });
});
