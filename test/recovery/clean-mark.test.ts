/** clean-mark: the mark of a closing says nothing of what comes after it: a log that was opened again is not clean. */
import { expect, it } from 'vitest';
import { crashStates } from '../support/crash-states.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import { crashAtMutation } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';

async function closedLog(): Promise<SimStorage> {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  for (let lsn = 1; lsn <= 3; lsn++) await log.append(payloadOf(lsn, 40));
  await log.close();
  return storage;
}

// Class 15.
it('a crash at any moment between the mark and what is written next loses neither side of it', async () => {
  const closed = (await closedLog()).durableImage();
  let [before, after] = [0, 0];
  for (let point = 1; ; point++) {
    const storage = SimStorage.boot(closed, { plan: crashAtMutation(point) });
    let acked = 3;
    try {
      const log = await EngineHarness.open(storage, undefined, {}, 7);
      await log.append(payloadOf(4, 40));
      if (!storage.isCrashed && log.state.durableLsn === 4) acked = 4;
      await log.close();
    } catch (error) {
      if (!storage.isCrashed) throw error;
    }
    const isLast = !storage.isCrashed;
    storage.crash();
    for (const state of crashStates(storage, { samples: 60, exhaustiveUpTo: 60 })) {
      const { records } = await recoverAll(SimStorage.boot(state.image));
      const last = records.length;
      expect(records.map(({ lsn }) => lsn)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
      expect(last, `crash before change ${point}`).toBeGreaterThanOrEqual(acked);
      if (last === 3) before++;
      else after++;
    }
    if (isLast) break;
  }
  expect(before).toBeGreaterThan(10);
  expect(after).toBeGreaterThan(4);
});

// Class 15.
it('a record that was acknowledged behind the mark of an earlier closing is not taken for torn when it is damaged', async () => {
  const storage = SimStorage.boot((await closedLog()).durableImage());
  const log = await EngineHarness.open(storage, undefined, {}, 7);
  const record = Buffer.from(payloadOf(4, 40));
  await log.append(record);
  await log.mark(); // the proof that it was durable
  const damaged = new SimStorage();
  let hits = 0;
  for (const [name, image] of storage.durableImage().files) {
    const bytes = Buffer.from(image.bytes());
    const at = bytes.indexOf(record);
    if (at >= 0) bytes.writeUInt8(bytes.readUInt8(at + 3) ^ 1, at + 3);
    if (at >= 0) hits++;
    const file = await damaged.create(name);
    await file.write(bytes, 0);
    await file.sync();
    await file.close();
  }
  await damaged.syncDirectory();
  expect(hits).toBe(1);
  const opening = recoverAll(SimStorage.boot(damaged.durableImage()));
  await expect(opening).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
});
