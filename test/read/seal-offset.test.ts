/** seal-offset: the place of a SEAL that a LINK states is believed only as far as it lies inside of the segment. */
import { expect, it } from 'vitest';
import { spanStart } from '../../dist/src/read/read-log.js';
import { MemoryStorage } from '../support/memory-storage.js';

it('at the end of the segment or behind it is damage, and no RangeError', async () => {
  const name = '00000000000000000001.wal';
  const storage = new MemoryStorage(new Map([[name, new Uint8Array(8192)]]));
  for (const sealOffset of [8192 - 63, 8192 - 8, 8192, 8200, 2 ** 32 - 1]) {
    const segment = {
      name,
      number: 1,
      fileBytes: 8192,
      epoch: 1,
      salt: new Uint8Array(16),
      firstLsn: 1,
      lastLsn: 9,
      openLsn: 0,
      previousChecksum: 0,
      lastChecksum: 0,
      end: 8192,
      sealOffset,
      isClosed: true,
    };
    await expect(spanStart(storage, segment, 5)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  }
});
