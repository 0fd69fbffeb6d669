/** damaged-files: logs on a real disk, damaged by hand; what opening and reading say of each. */
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CorruptError, type Log, type LogOptions, openLog, verifyLog } from '../../dist/src/index.js';
import { edit, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: false };
const DATA = 1;
const MARK = 4;
const FIRST_GROUP = 4096 + 128;

async function contents(log: Log): Promise<string[]> {
  const all: string[] = [];
  for await (const { payload } of log.read()) all.push(Buffer.from(payload).toString('latin1'));
  return all;
}

/** A log of `segments` segments with three records each, `closed` in order or left as a crash leaves it. */
async function build(segments: number, isClosed = true): Promise<string> {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  for (let segment = 0; segment < segments; segment++) {
    if (segment > 0) await log.rotate();
    for (let i = 0; i < 3; i++) await log.append(`record ${segment * 3 + i + 1} ${'x'.repeat(300)}`);
  }
  if (isClosed) {
    await log.close();
    return directory;
  }
  const crashed = tempDir();
  // Not copyFileSync: on a file that is made shorter meanwhile, as maintenance does, libuv's loops for ever.
  for (const name of segmentsIn(directory))
    writeFileSync(join(crashed, name), readFileSync(join(directory, name)));
  // On a slow machine the log was idle long enough for a mark; here it died before that.
  for (const name of segmentsIn(crashed)) {
    edit(crashed, name, (bytes) => {
      const last = groupOffsets(bytes).at(-1);
      if (last !== undefined && bytes[last + 4] === MARK) bytes.fill(0, last);
      return undefined;
    });
  }
  await log.close();
  return crashed;
}

/** Opening is refused, and changes no file. */
async function refused(
  directory: string,
  code = 'RINGWAL_CORRUPT',
  options: LogOptions = SMALL,
): Promise<CorruptError> {
  const before = fingerprint(directory);
  const outcome = await openLog(directory, options).then(
    (log) => log.close(),
    (error: CorruptError) => error,
  );
  expect(outcome).toMatchObject({ code });
  expect(fingerprint(directory)).toEqual(before);
  return outcome as CorruptError;
}

/** Where groups start in a segment: found by their magic. */
function groupOffsets(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets: number[] = [];
  for (let at = 4096; at + 64 <= bytes.length; at += 8)
    if (view.getUint32(at, true) === 0x52475752) offsets.push(at);
  return offsets;
}

describe('a torn tail', () => {
  // Classes 3, 4.
  it('ends the log, wherever it is torn, and LSNs go on without a gap', async () => {
    for (let cut = 1; cut < 370; cut += 41) {
      const directory = await build(1, false);
      const [name = ''] = segmentsIn(directory);
      edit(directory, name, (bytes) => {
        const last = groupOffsets(bytes).at(-1) ?? 0;
        bytes.fill(0xa5, last + cut);
        return undefined;
      });
      const log = await openLog(directory, SMALL);
      expect(log.recovery).toMatchObject({ lastLsn: 2, tornTail: { file: name } });
      expect(await log.append('next')).toBe(3);
      expect((await contents(log)).map((text) => text.slice(0, 8))).toEqual(['record 1', 'record 2', 'next']);
      await log.close();
    }
  });

  // Class 4.
  it('of zeros is the clean end of a log that died before its write reached the disk', async () => {
    const directory = await build(1, false);
    const [name = ''] = segmentsIn(directory);
    edit(directory, name, (bytes) => {
      bytes.fill(0, groupOffsets(bytes).at(-1) ?? 0);
      return undefined;
    });
    const log = await openLog(directory, SMALL);
    expect(log.recovery).toMatchObject({ lastLsn: 2, tornTail: undefined });
    await log.close();
  });

  it('that the caller knows to have been acknowledged is refused (mustInclude)', async () => {
    const directory = await build(1, false);
    const [name = ''] = segmentsIn(directory);
    edit(directory, name, (bytes) => {
      bytes.fill(0xa5, (groupOffsets(bytes).at(-1) ?? 0) + 100);
      return undefined;
    });
    const error = await refused(directory, 'RINGWAL_CORRUPT', { ...SMALL, mustInclude: 3 });
    expect(error.details).toMatchObject({ lastGoodLsn: 2, expectedLsn: 3 });
  });
});

describe('damage to acknowledged data', () => {
  it.each([
    [
      'one flipped bit',
      (bytes: Uint8Array, at: number) => bytes.fill((bytes[at + 90] ?? 0) ^ 1, at + 90, at + 91),
    ],
    ['a zeroed group', (bytes: Uint8Array, at: number) => bytes.fill(0, at, at + 384)],
    ['a group of garbage', (bytes: Uint8Array, at: number) => bytes.fill(0x5a, at, at + 370)],
  ])('in the middle of the newest segment is refused, with file, offset and LSNs (%s)', async (_, damage) => {
    const directory = await build(1, false);
    const [name = ''] = segmentsIn(directory);
    let offset = 0;
    edit(directory, name, (bytes) => {
      offset = groupOffsets(bytes)[2] ?? 0; // LINK, record 1, record 2
      damage(bytes, offset);
      return undefined;
    });
    const { details, message } = await refused(directory);
    expect(details).toMatchObject({
      file: name,
      offset,
      expectedLsn: 2,
      lastGoodLsn: 1,
      firstGoodLsnAfter: 3,
    });
    expect(message).toMatch(/LSN 2/);
  });

  it('in the last group is refused when a mark behind it proves that it was durable', async () => {
    const directory = await build(1);
    const [name = ''] = segmentsIn(directory);
    edit(directory, name, (bytes) => {
      const at = groupOffsets(bytes).at(-2) ?? 0; // the last one is the mark
      bytes[at + 100] = (bytes[at + 100] ?? 0) ^ 4;
      return undefined;
    });
    expect((await refused(directory)).details).toMatchObject({ expectedLsn: 3, lastGoodLsn: 2 });
  });

  it('in a closed segment is found by whoever reads it, and by verifyLog', async () => {
    const directory = await build(3);
    const [first = ''] = segmentsIn(directory);
    edit(directory, first, (bytes) => {
      bytes[FIRST_GROUP + 100] = (bytes[FIRST_GROUP + 100] ?? 0) ^ 1;
      return undefined;
    });
    expect((await verifyLog(directory)).damage).toMatchObject([
      { code: 'RINGWAL_CORRUPT', details: { file: first } },
    ]);
    const log = await openLog(directory, SMALL);
    await expect(contents(log)).rejects.toMatchObject({
      code: 'RINGWAL_CORRUPT',
      details: { file: first, expectedLsn: 1 },
    });
    await log.close();
  });

  // Class 20.
  it('is never hidden by a payload that holds a copy of a real group of the same log', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    await log.append('original');
    const [name = ''] = segmentsIn(directory);
    let copy = Buffer.alloc(0);
    edit(directory, name, (bytes) => {
      copy = Buffer.from(bytes.subarray(FIRST_GROUP, FIRST_GROUP + 80));
      return undefined;
    });
    await log.append(copy);
    await log.append('end');
    await log.close();
    const again = await openLog(directory, SMALL);
    expect(await contents(again)).toEqual(['original', copy.toString('latin1'), 'end']);
    await again.close();
  });
});

describe('files that do not make one log', () => {
  it('are refused when one in the middle is missing', async () => {
    const directory = await build(4);
    rmSync(join(directory, segmentsIn(directory)[1] ?? ''));
    expect((await refused(directory)).message).toMatch(/missing/);
  });

  it('are refused when the newest one, which a SEAL names, is missing', async () => {
    const directory = await build(3, false);
    for (const name of segmentsIn(directory).slice(2)) rmSync(join(directory, name));
    expect((await refused(directory)).details).toMatchObject({ expectedLsn: 7, lastGoodLsn: 6 });
  });

  it('are refused when the newest one is missing and a spare of its time is there', async () => {
    const directory = await build(1);
    const log = await openLog(directory, SMALL);
    await log.append('lost');
    await expect.poll(async () => segmentsIn(directory).length).toBeGreaterThanOrEqual(3);
    await log.close();
    const newest = segmentsIn(directory).at(-2) ?? '';
    rmSync(join(directory, newest));
    await refused(directory);
  });

  it('are refused when two have changed places, or one is there under another number', async () => {
    const swapped = await build(3);
    const [a = '', b = ''] = segmentsIn(swapped).map((name) => join(swapped, name));
    renameSync(a, `${a}.x`);
    renameSync(b, a);
    renameSync(`${a}.x`, b);
    await refused(swapped);
    const doubled = await build(2);
    copyFileSync(join(doubled, segmentsIn(doubled)[0] ?? ''), join(doubled, '00000000000000000042.wal'));
    await refused(doubled);
  });

  it('are refused when one belongs to another log', async () => {
    const directory = await build(3);
    const other = await build(3);
    const name = segmentsIn(directory)[1] ?? '';
    copyFileSync(join(other, name), join(directory, name));
    await refused(directory);
  });

  it('are refused when a first block is damaged, a file is cut, or only garbage is there', async () => {
    const header = await build(2);
    edit(header, segmentsIn(header)[0] ?? '', (bytes) => {
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      return undefined;
    });
    await refused(header);
    const cut = await build(2);
    truncateSync(join(cut, segmentsIn(cut)[0] ?? ''), 4500);
    await refused(cut);
    const garbage = tempDir();
    writeFileSync(join(garbage, '00000000000000000001.wal'), 'not a segment');
    await refused(garbage);
  });

  it('are refused with a code of their own when they are of another format version', async () => {
    const directory = await build(1);
    edit(directory, segmentsIn(directory)[0] ?? '', (bytes) => {
      bytes[8] = 2;
      return undefined;
    });
    expect((await refused(directory, 'RINGWAL_UNSUPPORTED_VERSION')).message).toMatch(/version 2/);
  });
});

describe('opening', () => {
  it('writes to no file that was there, and logs again what is not proven durable', async () => {
    const directory = await build(1, false);
    const [name = ''] = segmentsIn(directory);
    const before = readFileSync(join(directory, name));
    const log = await openLog(directory, SMALL);
    expect(log.recovery).toMatchObject({ lastLsn: 3, reloggedRecords: 1, epoch: 2 });
    expect(readFileSync(join(directory, name)).equals(before)).toBe(true);
    await log.close();
    // The old file may now lose what only its last write held.
    edit(directory, name, (bytes) => {
      bytes.fill(0, groupOffsets(bytes).at(-1));
      return undefined;
    });
    const again = await openLog(directory, SMALL);
    expect((await contents(again)).map((text) => text.slice(0, 8))).toEqual([
      'record 1',
      'record 2',
      'record 3',
    ]);
    await again.close();
  });

  it('and closing, again and again without appends, does not make the directory grow', async () => {
    const directory = await build(2);
    for (let i = 0; i < 10; i++) await (await openLog(directory, SMALL)).close();
    expect(segmentsIn(directory).length).toBeLessThanOrEqual(5);
    const log = await openLog(directory, SMALL);
    expect((await contents(log)).length).toBe(6);
    await log.close();
  });

  it('removes what was under preparation when the last writer died', async () => {
    const directory = await build(1);
    writeFileSync(join(directory, '00000000000000000077.new'), 'half a segment');
    await (await openLog(directory, SMALL)).close();
    expect(readdirSync(directory).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('reads the heads of closed segments only', async () => {
    const directory = await build(40);
    const sizes = segmentsIn(directory).map((name) => statSync(join(directory, name)).size);
    const log = await openLog(directory, SMALL);
    expect(log.recovery.lastLsn).toBe(120);
    await log.close();
    // Damage behind the heads of closed segments goes unnoticed by opening: it did not look there.
    for (const name of segmentsIn(directory).slice(0, 30)) {
      edit(directory, name, (bytes) => {
        // On a slow machine a mark may come first, in a block of its own.
        const data = groupOffsets(bytes).find((at) => bytes[at + 4] === DATA) ?? 0;
        bytes.fill(0xff, data + 10, data + 20);
        return undefined;
      });
    }
    expect(sizes.length).toBeGreaterThanOrEqual(40);
    await (await openLog(directory, SMALL)).close();
    expect((await verifyLog(directory)).damage.length).toBe(30);
  });
});
