/** races: the writer does something before every single operation of a reader, and the reader never sees damage. */
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../dist/src/index.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** What the writer does, in a log of some segments with `last` records; the smallest truncation frees files. */
const deeds: Record<string, (harness: EngineHarness, last: number) => Promise<void>> = {
  'appends a group': (harness, last) => harness.append(payloadOf(last + 1, 500)),
  'appends several groups': async (harness, last) => {
    for (let i = 1; i <= 3; i++) await harness.append(payloadOf(last + i, 900));
  },
  'appends and marks': async (harness, last) => {
    await harness.append(payloadOf(last + 1, 200));
    await harness.mark();
  },
  'goes on to another segment': async (harness, last) => {
    await harness.rotate();
    await harness.append(payloadOf(last + 1, 100));
  },
  'goes through several segments': async (harness, last) => {
    for (let i = 1; i <= 3; i++) {
      await harness.append(payloadOf(last + i, 100));
      await harness.rotate();
    }
  },
  'frees files': async (harness, last) => {
    await harness.truncateBefore(last - 2);
  },
  'frees files and writes into them': async (harness, last) => {
    await harness.truncateBefore(last - 2);
    for (let i = 1; i <= 12; i++) await harness.append(payloadOf(last + i, 3500));
  },
  'is closed': (harness) => harness.close(),
};

/** A log of three segments, some of its groups not proven yet. */
async function prepared(): Promise<{ disk: SimStorage; harness: EngineHarness; last: number }> {
  const disk = new SimStorage();
  const harness = await EngineHarness.open(disk);
  let last = 0;
  while (last < 16) await harness.append(payloadOf(++last, 3000));
  return { disk, harness, last };
}

for (const [name, deed] of Object.entries(deeds)) {
  describe(`while the writer ${name}`, () => {
    it('a look shows all that was proven before it, and no damage, whenever that happens', async () => {
      for (let moment = 0; ; moment++) {
        const { disk, harness, last } = await prepared();
        let isDone = false;
        const storage = new WatchedStorage(disk, async (operation) => {
          if (operation !== moment || isDone) return;
          isDone = true;
          await deed(harness, last);
        });
        const reader = await DirectoryReader.open({
          directory: '',
          storage,
          isWriterAlive: async () => true,
        });
        if (!isDone) {
          expect(moment).toBeGreaterThan(10);
          return;
        }
        expect(reader.lastLsn, `moment ${moment}`).toBeGreaterThanOrEqual(last - 1);
        expect(reader.lastLsn, `moment ${moment}`).toBeLessThanOrEqual(harness.state.durableLsn);
        // What it shows can be read, though files may have gone since.
        await reader.refresh();
        const records = await reader.readAll();
        expect(records.map(({ lsn }) => lsn)).toEqual(
          Array.from({ length: reader.lastLsn - reader.firstLsn + 1 }, (_, i) => reader.firstLsn + i),
        );
        for (const { lsn, payload } of records)
          expect(Buffer.from(payload).readUInt32LE(), `moment ${moment}`).toBe(lsn);
      }
    });

    it('a read gives all of its records, or says that they were truncated, whenever that happens', async () => {
      for (let moment = 0; ; moment++) {
        const { disk, harness, last } = await prepared();
        let from = Number.POSITIVE_INFINITY;
        let isDone = false;
        const storage = new WatchedStorage(disk, async (operation) => {
          if (operation < from + moment || isDone) return;
          isDone = true;
          await deed(harness, last);
        });
        const reader = await DirectoryReader.open({
          directory: '',
          storage,
          isWriterAlive: async () => true,
        });
        from = storage.operations;
        const lsns: number[] = [];
        let failure: unknown;
        try {
          for await (const { lsn, payload } of reader.read({ from: 2 })) {
            expect(Buffer.from(payload).readUInt32LE()).toBe(lsn);
            lsns.push(lsn);
          }
        } catch (error) {
          failure = error;
        }
        if (!isDone) {
          expect(moment).toBeGreaterThan(5);
          return;
        }
        expect(lsns, `moment ${moment}`).toEqual(lsns.map((_, i) => 2 + i));
        if (failure === undefined) expect(lsns.length, `moment ${moment}`).toBe(last - 2);
        else {
          expect(failure, `moment ${moment}`).toMatchObject({ code: 'RINGWAL_TRUNCATED' });
          expect(2 + lsns.length, `moment ${moment}`).toBeLessThan(harness.state.firstLsn);
        }
      }
    });

    it('a tail gives every record once, or says that they were truncated, whenever that happens', async () => {
      for (let moment = 0; ; moment++) {
        const { disk, harness, last } = await prepared();
        let isDone = false;
        const storage = new WatchedStorage(disk, async (operation) => {
          if (operation !== moment || isDone) return;
          isDone = true;
          await deed(harness, last);
          await harness.engine.maintenanceIdle();
        });
        const source = { directory: '', storage, isWriterAlive: async () => true };
        const reader = await DirectoryReader.open(source);
        const tail = reader.tail({ intervalMs: 1, from: 2 });
        let next = 2;
        try {
          // What was written by now is proven, or the last but one.
          while (next < last || next < harness.state.durableLsn) {
            const { value } = await tail.next();
            expect(value, `moment ${moment}`).toMatchObject({ lsn: next });
            expect(Buffer.from((value as LogRecord).payload).readUInt32LE()).toBe(next++);
          }
        } catch (error) {
          expect(error, `moment ${moment}`).toMatchObject({ code: 'RINGWAL_TRUNCATED' });
          expect(next, `moment ${moment}`).toBeLessThan(harness.state.firstLsn);
        }
        await tail.return();
        if (!isDone) {
          expect(moment).toBeGreaterThan(10);
          return;
        }
      }
    });
  });
}

// What was cut off was followed by what came instead, ended early, and no error told of it.
it('a read gives the records of the log before a cut or behind it, or says that it was cut, whenever that happens', async () => {
  const last = 24;
  const shown = last - 2; // those of the last group are not proven
  const outcomes = new Set<unknown>();
  for (const [cutAt, more, recycle] of [
    [1, 40, true],
    [9, 3, false],
    [9, 40, true],
    [17, 40, false],
  ] as const) {
    for (let moment = 0; ; moment++) {
      const disk = new SimStorage();
      const harness = await EngineHarness.open(disk, undefined, { recycle });
      for (let lsn = 1; lsn <= last; lsn += 2)
        await harness.append([payloadOf(lsn, 2000), payloadOf(lsn + 1, 2000)]);
      let isDone = false;
      let from = Number.POSITIVE_INFINITY;
      const storage = new WatchedStorage(disk, async (operation) => {
        if (operation < from + moment || isDone) return;
        isDone = true;
        await harness.drive(harness.engine.truncateAfter(cutAt));
        for (let lsn = cutAt + 1; lsn <= cutAt + more; lsn++)
          await harness.append(payloadOf(1000 + lsn, 2000));
        await harness.engine.maintenanceIdle();
      });
      const reader = await DirectoryReader.open({ directory: '', storage, isWriterAlive: async () => true });
      expect(reader.lastLsn).toBe(shown);
      from = storage.operations;
      const found: number[] = [];
      let code: unknown;
      try {
        for await (const { lsn, payload } of reader.read()) {
          expect(lsn).toBe(found.length + 1);
          found.push(Buffer.from(payload).readUInt32LE());
        }
      } catch (error) {
        ({ code } = error as { code: unknown });
      }
      if (!isDone) break;
      const stays = (lsn: number): number => lsn;
      const comes = (lsn: number): number => (lsn <= cutAt ? lsn : 1000 + lsn);
      const expected = [stays, comes].map((log) => found.map((_, i) => log(i + 1)));
      expect(expected, `cut at ${cutAt}, moment ${moment}`).toContainEqual(found);
      if (code === undefined) expect(found.length, `cut at ${cutAt}, moment ${moment}`).toBe(shown);
      outcomes.add(code ?? ((found.at(-1) as number) > 1000 ? 'behind' : 'before'));
    }
  }
  expect(outcomes).toEqual(new Set(['RINGWAL_OUT_OF_RANGE', 'before', 'behind']));
});

it('a log without a writer that gets one during the look is not shown with what nothing proves', async () => {
  const { disk, harness } = await prepared();
  harness.submit(payloadOf(17, 10));
  await harness.commit();
  const answers = [false, true, true];
  const reader = await DirectoryReader.open({
    directory: '',
    storage: disk,
    isWriterAlive: async () => answers.shift() ?? true,
  });
  expect(reader.lastLsn).toBe(16);
});

it('a look comes to an end though the writer writes before every single operation of it', async () => {
  const disk = new SimStorage();
  const harness = await EngineHarness.open(disk, undefined, { segmentBytes: 512 * 1024 });
  let last = 0;
  const append = () => harness.append(payloadOf(++last, 300));
  await append();
  const storage = new WatchedStorage(disk, append);
  const reader = await DirectoryReader.open({ directory: '', storage, isWriterAlive: async () => true });
  expect(storage.operations).toBeLessThan(30);
  expect(reader.lastLsn).toBeGreaterThan(0);
});
