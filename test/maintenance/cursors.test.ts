/** cursors: what they hold back, and how far they go, around a cut of the log and after the loss of its end. */
import { expect, it } from 'vitest';
import { Cursors } from '../../dist/src/maintenance/cursors.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { SimStorage } from '../support/sim-storage.js';

const LOG_ID = new Uint8Array(16).fill(7);

/** A cursor at LSN 8 of a log that has 10; its storage fails while `failing.kind` is set. */
async function atEight() {
  const failing: { kind?: string } = {};
  const storage = new SimStorage({
    plan: ({ kind }) => (kind === failing.kind ? { code: 'EIO' } : undefined),
  });
  const state = new LogState();
  state.setFirstLsn(1);
  state.setDurableLsn(10);
  const cursors = await Cursors.open(storage, LOG_ID, 10, state);
  await cursors.position('c');
  expect(await cursors.ack('c', 8)).toBe(8);
  expect(cursors.heldFrom()).toBe(9);
  return { storage, state, cursors, failing };
}

it('a cursor that is farther than the log goes holds back everything: what it needs is not known', async () => {
  const { storage, state, cursors } = await atEight();
  await cursors.close();
  const again = await Cursors.open(storage, LOG_ID, 7, state);
  expect(again.heldFrom()).toBe(1);
  await expect(again.position('c')).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  await again.close();
});

it('a cut sets back a cursor that is one LSN farther, and none goes beyond it until it is over', async () => {
  const { cursors } = await atEight();
  await cursors.setBack(7);
  expect(cursors.list()).toEqual([{ name: 'c', position: 7 }]);
  await expect(cursors.ack('c', 8)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
  cursors.cutIsOver();
  expect(await cursors.ack('c', 8)).toBe(8);
});

// The cut passed it by, as it stood low enough; and the next opening found it behind the end of the log.
it('nothing is cut below where a cursor may stand on the disk, as its move has failed', async () => {
  const { cursors, failing } = await atEight();
  failing.kind = 'write';
  await expect(cursors.ack('c', 9)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  delete failing.kind;
  await cursors.setBack(9);
  cursors.cutIsOver();
  for (let i = 0; i < 2; i++) {
    await expect(cursors.setBack(8)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    cursors.cutIsOver();
  }
  await cursors.remove('c');
  await cursors.setBack(8);
});

it('a cursor that could not be set back holds back what it needs in the lower place, where it may stand', async () => {
  const { cursors, failing } = await atEight();
  failing.kind = 'write';
  await expect(cursors.setBack(3)).rejects.toThrow();
  expect(cursors.heldFrom()).toBe(4);
});

it('truncation is told when a cursor has moved, is deleted, or could not be made; none leaves a file open', async () => {
  const { storage, cursors, failing } = await atEight();
  let told = 0;
  cursors.onMoved = () => told++;
  await cursors.ack('c', 9);
  expect(told).toBe(1);
  failing.kind = 'create';
  await expect(cursors.position('d')).rejects.toThrow();
  expect([told, cursors.heldFrom()]).toEqual([2, 10]);
  await cursors.remove('c');
  expect([told, cursors.heldFrom()]).toEqual([3, Number.POSITIVE_INFINITY]);
  expect(storage.openFiles).toEqual([]);
});
