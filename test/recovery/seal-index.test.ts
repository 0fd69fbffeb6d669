/** seal-index: the sparse index of a sealed segment speeds reading up, and must never decide what is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checksum } from '../../dist/src/format/checksum.js';
import { decodeGroupHeader, encodeGroupHeader, saltKey } from '../../dist/src/format/group-header.js';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { must } from '../support/must.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: false };
const MAGIC = 0x52475752;
const SEAL = 3;
/** Bits to flip in an index entry, by their byte: in the first LSN, and in the offset. */
const CHANGES = [
  [0, 1],
  [0, 2],
  [0, 4],
  [0, 8],
  [1, 0x80],
  [8, 8],
  [9, 0x10],
  [10, 1],
] as const;

async function lsnsFrom(log: Log, from: number, to: number): Promise<number[]> {
  const lsns: number[] = [];
  for await (const { lsn } of log.read({ from, to })) lsns.push(lsn);
  return lsns;
}

/** Where the entries of the index start in a sealed segment, and how many there are. */
function indexOf(bytes: Uint8Array): { at: number; entries: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 4096; at + 64 <= bytes.length; at += 8) {
    if (view.getUint32(at, true) !== MAGIC || view.getUint8(at + 4) !== SEAL) continue;
    return { at: at + 64 + 32, entries: view.getUint32(at + 64 + 24, true) };
  }
  throw new Error('the segment has no SEAL');
}

async function sealedLog(): Promise<{ directory: string; name: string; at: number; entries: number }> {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  for (let i = 1; i <= 40; i++) await log.append(Buffer.alloc(1000, i));
  await log.rotate();
  await log.append('behind');
  await log.close();
  const [name = ''] = segmentsIn(directory);
  return { directory, name, ...indexOf(readFileSync(join(directory, name))) };
}

it('leads every read to its first record', async () => {
  const { directory, entries } = await sealedLog();
  expect(entries).toBeGreaterThan(4);
  const log = await openLog(directory, SMALL);
  for (let from = 1; from <= 41; from++) {
    const expected = Array.from({ length: 41 - from + 1 }, (_, i) => from + i);
    expect(await lsnsFrom(log, from, 41)).toEqual(expected);
  }
  await log.close();
});

it('when it is damaged, makes a read fail with RINGWAL_CORRUPT, and never leave records out', async () => {
  const { directory, name, at, entries } = await sealedLog();
  const log = await openLog(directory, SMALL);
  const wrong: string[] = [];
  for (let entry = 0; entry < entries; entry++) {
    for (const [field, bit] of CHANGES) {
      const place = at + entry * 16 + field;
      const flip = (bytes: Uint8Array): undefined => {
        bytes[place] = (bytes[place] ?? 0) ^ bit;
        return undefined;
      };
      edit(directory, name, flip);
      for (const from of [2, 10, 20, 30, 40]) {
        const outcome = await lsnsFrom(log, from, 40).catch((error: { code: string }) => error.code);
        const isFine = outcome === 'RINGWAL_CORRUPT' || (Array.isArray(outcome) && outcome[0] === from);
        if (!isFine)
          wrong.push(`entry ${entry}, byte ${field}, bit ${bit}: a read from ${from} gave ${outcome}`);
      }
      edit(directory, name, flip);
    }
  }
  await log.close();
  expect(wrong).toEqual([]);
});

it('that verifies and leads elsewhere, as only a faulty writer makes it, fails the same way', async () => {
  const { directory, name, at, entries } = await sealedLog();
  const log = await openLog(directory, SMALL);
  const whole = readFileSync(join(directory, name));
  const offsets = Array.from({ length: entries }, (_, i) => whole.readUInt32LE(at + i * 16 + 8));
  const firstLsn = (entry: number): number => Number(whole.readBigUInt64LE(at + entry * 16));
  const elsewhere = { 'the next group': must(offsets[3]), 'the LINK': 4096, 'the SEAL': at - 32 - 64 };
  for (const [where, offset] of Object.entries(elsewhere)) {
    edit(directory, name, () => {
      const forged = Buffer.from(whole);
      forged.writeUInt32LE(offset, at + 2 * 16 + 8);
      const seal = at - 32 - 64;
      const view = new DataView(forged.buffer, forged.byteOffset, forged.length);
      const key = saltKey(forged.subarray(32, 48));
      const header = must(decodeGroupHeader(forged, view, seal, key));
      header.bodyChecksum = checksum(forged.subarray(seal + 64, seal + 64 + header.bodyBytes), key.seed);
      encodeGroupHeader(header, key, forged, view, seal);
      return forged;
    });
    const from = firstLsn(2);
    await expect(lsnsFrom(log, from, 40), where).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
    expect((await lsnsFrom(log, firstLsn(3), 40))[0], where).toBe(firstLsn(3));
  }
  await log.close();
});
