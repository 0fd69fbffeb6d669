/**
 * golden: the bytes that version 1 writes are the bytes that it has always written, and an independent reader finds
 * the records in them. RINGWAL_UPDATE_GOLDEN=1 writes the files anew: only for a new format version.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { EngineHarness } from '../support/engine-harness.js';
import { readIndependently } from '../support/independent-reader.js';
import { SimStorage } from '../support/sim-storage.js';

const folder = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../golden/v1');

interface Golden {
  readonly name: string;
  readonly options: Partial<ResolvedOptions>;
  readonly firstLsn: number;
  readonly write: (log: EngineHarness) => Promise<void>;
}

const text = (value: string): Uint8Array => Buffer.from(value);

const goldens: readonly Golden[] = [
  {
    name: 'packed',
    options: { recycle: false },
    firstLsn: 1,
    write: async (log) => {
      await log.append(text('first'));
      await log.append([text('a'), text('batch'), text('')]);
      await log.mark();
      await log.append(text('behind the mark'));
      await log.rotate();
      await log.append(text('in the second segment'));
    },
  },
  {
    name: 'padded',
    options: { recycle: false, padGroups: true },
    firstLsn: 1,
    write: async (log) => {
      await log.append(text('on a block of its own'));
      await log.append(text('on the next'));
    },
  },
  {
    name: 'truncated',
    options: { recycle: false },
    firstLsn: 4,
    write: async (log) => {
      for (const letter of 'abcde') await log.append(text(letter));
      await log.truncateBefore(4);
    },
  },
  {
    name: 'cut',
    options: { recycle: false },
    firstLsn: 1,
    write: async (log) => {
      for (const letter of 'abc') await log.append(text(letter));
      await log.append([text('d'), text('stays, in a copy'), text('cut off')]);
      await log.rotate();
      await log.append(text('cut off too'));
      await log.drive(log.engine.truncateAfter(5));
      await log.append(text('behind the cut'));
    },
  },
];

/** Writes the log, and returns its files and what it holds by the engine's own account. */
async function make({ options, write }: Golden) {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage, undefined, options, 7);
  await write(log);
  const records = await log.readAll();
  const files = new Map<string, Uint8Array>();
  for (const [name, file] of storage.liveImage().files) {
    // Unused space is zeros; it would only make the files long.
    const bytes = file.bytes();
    if (name.endsWith('.wal'))
      files.set(name, bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 65));
  }
  return { files, records };
}

describe.each(goldens)('the golden log "$name"', (golden) => {
  const path = join(folder, golden.name);

  it('is what this version writes, byte for byte', async () => {
    const { files } = await make(golden);
    if (process.env.RINGWAL_UPDATE_GOLDEN === '1') {
      mkdirSync(path, { recursive: true });
      for (const [name, bytes] of files) writeFileSync(join(path, name), bytes);
    }
    expect([...files.keys()].sort()).toEqual(readdirSync(path).sort());
    for (const [name, bytes] of files)
      expect(Buffer.from(bytes).equals(readFileSync(join(path, name))), name).toBe(true);
  });

  it('says the same to a reader that was written from the specification alone', async () => {
    const { records } = await make(golden);
    const files = new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]));
    const independent = readIndependently(files);
    expect(independent).toEqual(
      records.map(({ lsn, payload }) => ({
        lsn: BigInt(lsn),
        payload: Buffer.from(payload).toString('latin1'),
      })),
    );
    expect(independent[0]?.lsn).toBe(BigInt(golden.firstLsn));
  });
});
