/** planted-files: what somebody else put into a log's directory leads nowhere, and what the log leaves tells nothing. */
import { copyFileSync, linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { type LogOptions, openLog, openReader, verifyLog } from '../../dist/src/index.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: false };

// Class 57.
it('a symbolic link in the place of a segment is not followed', async () => {
  const elsewhere = tempDir();
  const log = await openLog(elsewhere, SMALL);
  await log.append('mine');
  await log.close();
  const directory = tempDir();
  const [name = ''] = segmentsIn(elsewhere);
  symlinkSync(join(elsewhere, name), join(directory, name));
  const before = readFileSync(join(elsewhere, name));
  for (const open of [openLog, openReader] as const)
    await expect(open(directory)).rejects.toMatchObject({ code: 'RINGWAL_IO', cause: { code: 'ELOOP' } });
  expect(readFileSync(join(elsewhere, name)).equals(before)).toBe(true);
});

// Class 57.
it.each([
  ['a symbolic link', symlinkSync],
  ['a second name', linkSync],
  ['a copy', copyFileSync],
])('%s of a file elsewhere under every name that the log will prepare changes nothing there', async (_, plant) => {
  const outside = join(tempDir(), 'precious');
  writeFileSync(outside, 'precious');
  const directory = tempDir();
  for (let number = 1; number <= 4; number++)
    plant(outside, join(directory, `${String(number).padStart(20, '0')}.new`));
  plant(outside, join(directory, 'c.cursor.new'));
  const log = await openLog(directory, SMALL);
  await log.append('x');
  await log.rotate();
  await log.cursor('c');
  await log.close();
  expect(readFileSync(outside, 'latin1')).toBe('precious');
});

// Class 58.
it('bytes of the ring that no record covers are zeros on disk', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  for (let i = 0; i < 100; i++) await log.append(new Uint8Array(300).fill(0xff)); // twice around the ring
  await log.rotate();
  const lengths = Array.from({ length: 60 }, (_, i) => i);
  for (const length of lengths) await log.append(new Uint8Array(length).fill(0xee));
  await log.appendBatch(lengths.map((length) => new Uint8Array(length).fill(0xee)));
  await log.close();
  const bytes = readFileSync(join(directory, segmentsIn(directory)[1] ?? ''));
  expect(bytes.length).toBeGreaterThan(4096);
  let frames = 0;
  for (let at = 4096 + 128; at + 64 <= bytes.length; ) {
    if (bytes.readUInt32LE(at) !== 0x52475752) {
      at += 8;
      continue;
    }
    const end = at + 64 + bytes.readUInt32LE(at + 36);
    if (bytes[at + 4] === 1) {
      for (let frame = at + 64; frame < end; ) {
        const length = bytes.readUInt32LE(frame);
        const next = frame + Math.ceil((8 + length) / 8) * 8;
        expect(bytes.subarray(frame + 8, frame + 8 + length).every((byte) => byte === 0xee)).toBe(true);
        expect(bytes.subarray(frame + 8 + length, next).every((byte) => byte === 0)).toBe(true);
        frames++;
        frame = next;
      }
    }
    at = end;
  }
  expect(frames).toBe(120);
});

// Class 62.
it('errors about damaged records carry none of their bytes', async () => {
  const directory = tempDir();
  const log = await openLog(directory, { ...SMALL, recordChecksums: true });
  for (let i = 0; i < 5; i++) await log.append('SECRET-SECRET-SECRET');
  await log.rotate();
  await log.append('SECRET');
  await log.close();
  const [name = ''] = segmentsIn(directory);
  edit(directory, name, (bytes) => {
    bytes[Buffer.from(bytes).indexOf('SECRET') + 3] = 0x21;
    return undefined;
  });
  const { damage } = await verifyLog(directory);
  const reader = await openReader(directory);
  const error = await reader.readAll().catch((thrown: unknown) => thrown);
  await reader.close();
  expect(error).toMatchObject({ code: 'RINGWAL_CORRUPT' });
  expect(damage).toHaveLength(1);
  const told = inspect([error, damage], { depth: 10, showHidden: true });
  for (const form of ['SECRET', Buffer.from('SECRET').toString('hex'), '83, 69, 67', '53 45 43'])
    expect(told).not.toContain(form);
});
