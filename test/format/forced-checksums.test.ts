/** forced-checksums: groups whose checksums come out as 0 are groups like all others, and zeros are none. */
import { expect, it } from 'vitest';
import { checksum } from '../../dist/src/format/checksum.js';
import { DATA, encodeGroupHeader, saltKey } from '../../dist/src/format/group-header.js';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import { MemoryStorage } from '../support/memory-storage.js';

const NAME = '00000000000000000001.wal';
const KEY = saltKey(Uint8Array.from({ length: 16 }, (_, i) => i + 1));

/** The last four bytes with which `bytes` has the checksum 0: it is linear in each bit. */
function forceZero(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4);
  const sumWith = (word: number): number => {
    view.setUint32(0, word, true);
    return checksum(bytes, KEY.seed);
  };
  const base = sumWith(0);
  const rows = Array.from({ length: 32 }, (_, bit) => ({
    sum: (sumWith(2 ** bit) ^ base) >>> 0,
    bits: 2 ** bit,
  }));
  let wanted = base;
  let word = 0;
  for (let bit = 31; bit >= 0; bit--) {
    const at = rows.findIndex(({ sum }) => Math.clz32(sum) === 31 - bit);
    const [pivot] = at < 0 ? [] : rows.splice(at, 1);
    if (pivot === undefined) throw new Error('a CRC takes every value');
    for (const row of rows) {
      if ((row.sum & (2 ** bit)) === 0) continue;
      row.sum = (row.sum ^ pivot.sum) >>> 0;
      row.bits = (row.bits ^ pivot.bits) >>> 0;
    }
    if ((wanted & (2 ** bit)) === 0) continue;
    wanted = (wanted ^ pivot.sum) >>> 0;
    word = (word ^ pivot.bits) >>> 0;
  }
  expect(sumWith(word)).toBe(0);
}

function group(firstLsn: number, body: Uint8Array, isForced: boolean): Uint8Array {
  const bytes = new Uint8Array(64 + body.length);
  const view = new DataView(bytes.buffer);
  const fields = {
    type: DATA,
    flags: 0,
    firstLsn,
    durableLsn: 0,
    timestampUs: 0,
    records: 1,
    bodyBytes: body.length,
  };
  const sums = {
    previousChecksum: 0,
    bodyChecksum: checksum(body, KEY.seed),
    durableEnd: 4096,
    headerChecksum: 0,
  };
  encodeGroupHeader({ ...fields, ...sums }, KEY, bytes, view, 0);
  if (isForced) {
    forceZero(bytes.subarray(0, 60));
    view.setUint32(60, 0, true);
  }
  bytes.set(body, 64);
  return bytes;
}

async function stepsOver(groups: readonly Uint8Array[]): Promise<string[]> {
  const bytes = Uint8Array.from(Buffer.concat([new Uint8Array(4096), ...groups, new Uint8Array(256)]));
  const file = await new MemoryStorage(new Map([[NAME, bytes]])).open(NAME, 'read');
  const cursor = new SegmentCursor(file, KEY, bytes.length, { offset: 4096, nextLsn: 1, lastChecksum: 0 });
  const steps: string[] = [];
  for (;;) {
    const step = cursor.next();
    if (step.kind === 'more') await cursor.fill();
    else if (step.kind === 'group') steps.push(`group ${step.header.firstLsn}`);
    else return [...steps, step.reason];
  }
}

// Class 6.
it('a header and a body whose checksums are 0 verify, and the group behind them is found', async () => {
  const body = new Uint8Array(16);
  body[0] = 8;
  body[4] = 1;
  forceZero(body);
  const groups = [group(1, body, true), group(2, body, true), group(3, body, false)];
  expect(await stepsOver(groups)).toEqual(['group 1', 'group 2', 'group 3', 'zeros']);
});

// Class 6.
it('zeros are the end of the log and never a group', async () => {
  expect(await stepsOver([new Uint8Array(8192)])).toEqual(['zeros']);
});
