/** prepare: how a segment file comes to its name, so that a published name always leads to a durable header. */
import { describe, expect, it } from 'vitest';
import { decodeSegmentHeader } from '../../dist/src/format/segment-header.js';
import {
  FILL_SLICE_BYTES,
  layOutSegment,
  publishSegment,
  reuseSegment,
  zeroFill,
} from '../../dist/src/segment/prepare.js';
import type { StorageFile } from '../../dist/src/storage/storage.js';
import { LOG_ID } from '../layers/decoder-inputs.js';
import { simulatedEnvironment } from '../support/engine-harness.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { must } from '../support/must.js';

const MEBIBYTE = 1024 * 1024;
const NEW = '00000000000000000005.new';
const WAL = '00000000000000000005.wal';
const OLD = '00000000000000000002.wal';

/** What is done in the directory, in order; one call may fail. */
class Recorded extends MemoryStorage {
  readonly done: string[] = [];
  fails = '';

  override async link(existing: string, name: string): Promise<void> {
    this.done.push(`link ${existing} ${name}`);
    await super.link(existing, name);
  }

  override async unlink(name: string): Promise<void> {
    this.done.push(`unlink ${name}`);
    await super.unlink(name);
  }

  override async syncDirectory(): Promise<void> {
    this.done.push('sync');
  }

  override async create(name: string): Promise<StorageFile> {
    return this.#watched(await super.create(name));
  }

  override async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    return this.#watched(await super.open(name, access));
  }

  #watched(file: StorageFile): StorageFile {
    for (const call of ['truncate', 'write', 'sync'] as const) {
      const before = file[call].bind(file) as (...args: unknown[]) => Promise<void>;
      file[call] = async (...args: unknown[]): Promise<void> => {
        this.done.push(call);
        if (this.fails === call) throw new Error(`EIO: ${call}`);
        await before(...args);
      };
    }
    return file;
  }
}

function layout(segmentBytes = 65_536) {
  return { number: 5, epoch: 3, logId: LOG_ID, segmentBytes, environment: simulatedEnvironment(1) };
}

describe('a segment that is laid out', () => {
  it.each([
    [65_536, 65_536],
    [MEBIBYTE, MEBIBYTE],
    [3 * MEBIBYTE, MEBIBYTE],
  ])('has its full size of %d bytes, and %d of them were written', async (segmentBytes, backedBytes) => {
    const storage = new Recorded();
    let written = 0;
    const create = storage.create.bind(storage);
    storage.create = async (name) => {
      const file = await create(name);
      const write = file.write.bind(file);
      file.write = async (bytes, position) => {
        written = Math.max(written, position + bytes.length);
        await write(bytes, position);
      };
      return file;
    };
    const { file, ...made } = await layOutSegment(storage, layout(segmentBytes));
    const bytes = must(storage.files().get(NEW));
    expect([bytes.length, written]).toEqual([segmentBytes, backedBytes]);
    const { salt } = made;
    expect(made).toEqual({ number: 5, salt, segmentBytes, backedBytes });
    expect(decodeSegmentHeader(bytes.subarray(0, 4096))).toEqual({
      state: 'valid',
      header: {
        ...{ number: 5, epoch: 3, logId: LOG_ID, salt, segmentBytes },
        createdUs: simulatedEnvironment(1).wallUs(),
        cutFrom: 0,
      },
    });
    expect(bytes.subarray(4096).every((byte) => byte === 0)).toBe(true);
    expect(storage.done).toEqual(['truncate', 'write', 'sync']);
    await file.close();
  });

  it('takes the place of what a crash left under its name, and of nothing else', async () => {
    const left = () => new Recorded(new Map([[NEW, new Uint8Array(9)]]));
    const storage = left();
    const { file } = await layOutSegment(storage, { ...layout(), prepared: ['1.new', NEW] });
    expect(storage.done[0]).toBe(`unlink ${NEW}`);
    await file.close();
    await expect(layOutSegment(left(), { ...layout(), prepared: ['1.new'] })).rejects.toThrow('EEXIST');
    await expect(layOutSegment(left(), layout())).rejects.toThrow('EEXIST');
  });

  it.each(['truncate', 'write', 'sync'])('is closed when its %s fails', async (call) => {
    const storage = new Recorded();
    storage.fails = call;
    await expect(layOutSegment(storage, layout())).rejects.toThrow(`EIO: ${call}`);
    expect(storage.openFiles).toBe(0);
  });

  it('is published by a link, and the directory is synced before that counts', async () => {
    const storage = new Recorded(new Map([[NEW, new Uint8Array(9)]]));
    await publishSegment(storage, 5);
    expect(storage.done).toEqual([`link ${NEW} ${WAL}`, `unlink ${NEW}`, 'sync']);
    expect([...storage.files().keys()]).toEqual([WAL]);
  });
});

describe('a file that gets a new life', () => {
  const used = () => new Recorded(new Map([[OLD, new Uint8Array(65_536).fill(7)]]));

  it('is off its old name, durably, before its header is overwritten, and keeps the rest', async () => {
    const storage = used();
    const made = must(await reuseSegment(storage, OLD, layout()));
    expect(storage.done).toEqual([`link ${OLD} ${NEW}`, `unlink ${OLD}`, 'sync', 'write', 'sync']);
    const bytes = must(storage.files().get(NEW));
    const { file, ...rest } = made;
    const { salt } = rest;
    expect(rest).toEqual({ number: 5, salt, segmentBytes: 65_536, backedBytes: 65_536 });
    expect(decodeSegmentHeader(bytes.subarray(0, 4096))).toMatchObject({
      header: { number: 5, epoch: 3, salt },
    });
    expect(bytes.subarray(4096).every((byte) => byte === 7)).toBe(true);
    await file.close();
  });

  it('does not get one while it has another name', async () => {
    const storage = used();
    await storage.link(OLD, 'backup');
    expect(await reuseSegment(storage, OLD, layout())).toBeUndefined();
    expect(must(storage.files().get('backup')).every((byte) => byte === 7)).toBe(true);
    expect([...storage.files().keys()].sort()).toEqual([NEW, 'backup']);
    expect(storage.openFiles).toBe(0);
  });

  it('is closed when its header can not be written', async () => {
    const storage = used();
    storage.fails = 'write';
    await expect(reuseSegment(storage, OLD, layout())).rejects.toThrow('EIO: write');
    expect(storage.openFiles).toBe(0);
  });
});

it('zeros are filled in where they are asked for, up to a mebibyte, durably', async () => {
  const storage = new Recorded(new Map([[OLD, new Uint8Array(MEBIBYTE + 200).fill(7)]]));
  const file = await storage.open(OLD, 'write');
  await zeroFill(file, 100, FILL_SLICE_BYTES);
  await file.close();
  expect(storage.done).toEqual(['write', 'sync']);
  const bytes = must(storage.files().get(OLD));
  expect([bytes[99], bytes[100], bytes[MEBIBYTE + 99], bytes[MEBIBYTE + 100]]).toEqual([7, 0, 0, 7]);
});
