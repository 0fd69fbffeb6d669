/** after-failure: what is durable can be read after the log has failed, at whichever write. Found by the simulation. */
import { expect, it } from 'vitest';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

it.each([
  'writeGroup',
  'syncGroup',
])('a SEAL whose %s failed is not taken for damage by who reads what is before it', async (kind) => {
  let isFailing = false;
  const storage = new SimStorage({
    plan: (operation) =>
      isFailing && operation.kind === kind ? { code: 'EIO', writtenBytes: 20 } : undefined,
  });
  const log = await EngineHarness.open(storage);
  for (let i = 1; i <= 5; i++) await log.append(payloadOf(i, 1500));
  isFailing = true;
  await expect(log.rotate()).rejects.toMatchObject({ code: 'RINGWAL_POISONED' });
  for (let from = 1; from <= 5; from++) {
    const lsns = (await log.readAll(from)).map(({ lsn }) => lsn);
    expect(lsns).toEqual([1, 2, 3, 4, 5].slice(from - 1));
  }
});
