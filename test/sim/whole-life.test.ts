/**
 * whole-life: one log through all that can become of it: rotation, reuse of files, cuts, kills, openings. What is durable
 * is never written again, and each group names the one before it, whoever wrote that.
 */

import { crc32 } from 'node:zlib';
import { expect, it, vi } from 'vitest';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimFile } from '../support/sim-file.js';
import { SimStorage } from '../support/sim-storage.js';

/** Four lives, the first three ended by kill -9. `look` is called after each thing that happens. */
async function live(look: (storage: SimStorage) => void): Promise<{ recycled: number; rotations: number }> {
  let storage = new SimStorage();
  let id = 0;
  const sum = { recycled: 0, rotations: 0 };
  for (let life = 0; life < 4; life++) {
    if (life > 0) storage = storage.fork();
    const log = await EngineHarness.open(storage, undefined, { padGroups: life === 2 }, 10 + life);
    const run = async (step: () => Promise<unknown>): Promise<void> => {
      await step();
      await log.engine.maintenanceIdle();
      look(storage);
    };
    for (let round = 0; round < 5; round++) {
      for (const bytes of [8, 3000, 700, 3000, 64]) await run(() => log.append(payloadOf(++id, bytes)));
      await run(() => log.mark());
      if (round % 2 === 0) await run(() => log.rotate());
      if (round === 2) await run(() => log.drive(log.engine.truncateAfter(log.state.durableLsn - 2)));
      if (round > 0) await run(() => log.truncateBefore(log.state.durableLsn - 1));
    }
    const { segmentsRecycled, rotations } = log.engine.stats();
    sum.recycled += segmentsRecycled;
    sum.rotations += rotations;
    if (life === 3) await run(() => log.close());
  }
  return sum;
}

// Class 19.
it('changes no byte that was durable, but in a file that has left the log', async () => {
  const objections: string[] = [];
  const { recycled, rotations } = await live((storage) => objections.push(...storage.violations));
  expect(objections).toEqual([]);
  expect(recycled).toBeGreaterThan(5);
  expect(rotations).toBeGreaterThan(10);
});

it('would be told of a group that is written eight bytes too early', async () => {
  const write = SimFile.prototype.writeGroup;
  let writes = 0;
  vi.spyOn(SimFile.prototype, 'writeGroup').mockImplementation(function (this: SimFile, views, position) {
    writes++;
    write.call(this, views, writes === 20 ? position - 8 : position);
  });
  const objections: string[] = [];
  await live((storage) => objections.push(...storage.violations)).catch(() => {});
  expect(objections[0]).toMatch(/changes bytes from \d+ on, but is/);
});

/** How many groups name the one before them, and which name another one. */
function chainOf(storage: SimStorage): { joints: number; breaks: string[] } {
  const breaks: string[] = [];
  let joints = 0;
  const sums = new Map<string, number>(); // by segment number and end of group
  const segments = [...storage.liveImage().files]
    .filter(([name]) => name.endsWith('.wal'))
    .map(([name, file]) => ({ name, bytes: Buffer.from(file.bytes()) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, bytes } of segments) {
    const seed = crc32(bytes.subarray(32, 48));
    const isGroup = (at: number): boolean =>
      at + 64 <= bytes.length &&
      bytes.readUInt32LE(at) === 0x52475752 &&
      crc32(bytes.subarray(at, at + 60), seed) === bytes.readUInt32LE(at + 60);
    let previous: number | undefined;
    for (let at = 4096; ; ) {
      const start = [at, Math.ceil(at / 4096) * 4096].find(isGroup);
      if (start === undefined) break;
      const end = start + 64 + bytes.readUInt32LE(start + 36);
      const named = bytes.readUInt32LE(start + 40);
      if (previous === undefined) {
        // A LINK: the predecessor may be gone.
        const number = bytes.readBigUInt64LE(start + 64 + 16);
        const key = `${number} ${bytes.readUInt32LE(start + 64 + 32)}`;
        previous = number === 0n ? 0 : sums.get(key);
      }
      if (previous !== undefined) joints++;
      if (previous !== undefined && named !== previous)
        breaks.push(`${name}: the group at ${start} names another one before it`);
      previous = bytes.readUInt32LE(start + 60);
      sums.set(`${bytes.readBigUInt64LE(48)} ${end}`, previous);
      at = end;
    }
  }
  return { joints, breaks };
}

// Class 8.
it('has each group name the header checksum of the one before it, over files, openings and cuts', async () => {
  const breaks: string[] = [];
  let joints = 0;
  await live((storage) => {
    const chain = chainOf(storage);
    breaks.push(...chain.breaks);
    joints += chain.joints;
  });
  expect(breaks).toEqual([]);
  expect(joints).toBeGreaterThan(1000);
});
