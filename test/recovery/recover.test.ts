/** recover: what opening a log gives to the engine, and what it leaves in the directory, as calls of a storage. */
import { describe, expect, it } from 'vitest';
import { type RecoverOptions, recover } from '../../dist/src/recovery/recover.js';
import { simulatedEnvironment } from '../support/engine-harness.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { SimStorage } from '../support/sim-storage.js';
import { type Disk, diskOf, flip, open, text } from './disk.js';

const OPTIONS: RecoverOptions = {
  ...{ segmentBytes: 24_576, padGroups: false, mustInclude: 0, recovery: 'tolerate-torn-tail' },
  environment: simulatedEnvironment(5),
};

/** Two segments with two records each, and a spare, as kill -9 leaves them. */
async function written(): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (const value of ['1a', '1b']) await log.append(text(value));
  await log.rotate();
  for (const value of ['2a', '2b']) await log.append(text(value));
  return diskOf(storage);
}

describe('opening', () => {
  it('that can not read the last group a second time fails before it publishes a segment without it', async () => {
    const disk = await written();
    const storage = new MemoryStorage(disk);
    const { create, open: openFile } = { create: storage.create, open: storage.open };
    let isRotten = false; // once the new segment is begun: what is logged again was read before that
    storage.create = async (name) => {
      isRotten = true;
      return create.call(storage, name);
    };
    storage.open = async (name, access) => {
      const file = await openFile.call(storage, name, access);
      const { read } = file;
      file.read = async (into, position) => {
        const bytes = await read(into, position);
        if (isRotten) flip(into, 70);
        return bytes;
      };
      return file;
    };
    await expect(recover(storage, OPTIONS)).rejects.toMatchObject({
      ...{ code: 'RINGWAL_IO', cause: { message: 'it changed while it was read' } },
    });
    expect(storage.openFiles).toBe(0);
    isRotten = false;
    storage.create = create;
    expect((await recover(storage, OPTIONS)).summary).toMatchObject({ lastLsn: 4, reloggedRecords: 1 });
  });
});
