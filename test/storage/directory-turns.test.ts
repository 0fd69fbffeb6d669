/** directory-turns: a directory sync that fails for one takes nobody else's names along. Found by the simulation. */
import { expect, it } from 'vitest';
import { removeCursorFile } from '../../dist/src/maintenance/cursor-file.js';
import { publishSegment } from '../../dist/src/segment/prepare.js';
import { inTurn } from '../../dist/src/storage/directory-turns.js';
import { SimStorage } from '../support/sim-storage.js';
import { StepStorage } from '../support/step-storage.js';

// Class 50, for names: the kernel forgets what a failed sync did not write, and the next sync knows nothing of it.
it('a segment that is published has its name on the disk, whichever directory sync fails for a cursor', async () => {
  let published = 0;
  for (let way = 0; way < 2 ** 9; way++) {
    const order = way >> 1;
    const failing = 2 + (way & 1); // the first sync is the test's own
    let synced = 0;
    const storage = new SimStorage({
      plan: ({ kind }) => (kind === 'syncDirectory' && ++synced === failing ? { code: 'EIO' } : undefined),
    });
    const file = await storage.create('00000000000000000002.new');
    await file.sync();
    await file.close();
    await storage.syncDirectory();
    const steps = new StepStorage(storage);
    let isPublished = false;
    void publishSegment(steps, 2).then(
      () => {
        isPublished = true;
      },
      () => {},
    );
    void removeCursorFile(steps, 'a').catch(() => {});
    for (let i = 0; i < 12; i++) {
      steps.finish((order >> i) & 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(steps.waiting).toBe(0);
    if (!isPublished) continue;
    published++;
    expect([...storage.durableImage().files.keys()], `order ${order}, sync ${failing}`).toContain(
      '00000000000000000002.wal',
    );
  }
  expect(published).toBeGreaterThan(100);
});

it('turns come one after the other, also behind one that fails, and each storage has its own', async () => {
  const storage = new SimStorage();
  const other = new SimStorage();
  const told: string[] = [];
  let goOn: () => void = () => {};
  const first = inTurn(storage, async () => {
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    told.push('first');
    throw new Error('failed');
  });
  const second = inTurn(storage, async () => told.push('second'));
  await inTurn(other, async () => told.push('other'));
  expect(told).toEqual(['other']);
  goOn();
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(told).toEqual(['other', 'first', 'second']);
});
