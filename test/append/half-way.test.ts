/**
 * half-way: appends in the midst of which something throws, as any call does at the end of the stack: nothing of them is
 * written, and no promise is answered for another's record.
 */
import { expect, it } from 'vitest';
import { type Log, openLog, verifyLog } from '../../dist/src/index.js';
import { ClaimSpace } from '../../dist/src/ring/claim.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { Prng } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const overflow = (): never => {
  throw new RangeError('Maximum call stack size exceeded');
};

/** Appends of all kinds, each of bytes that no other has; what is acknowledged, by LSN. */
function appendsTo(log: Log) {
  const acknowledged = new Map<number, string>();
  let count = 0;
  const payload = (bytes: number) => Buffer.from(`${count++} `.padEnd(bytes, '.'));
  const keep = (lsn: number, bytes: Uint8Array) => acknowledged.set(lsn, Buffer.from(bytes).toString());
  const kinds: readonly (() => Promise<unknown>)[] = [
    () => {
      const bytes = payload(100);
      return log.append(bytes).then((lsn) => keep(lsn, bytes));
    },
    () => {
      const bytes = payload(5000);
      return log.append(bytes, { durability: 'os' }).then((lsn) => keep(lsn, bytes));
    },
    () => {
      const batch = [payload(10), payload(300), payload(40)];
      return log.appendBatch(batch).then(({ first }) => {
        for (const [i, bytes] of batch.entries()) keep(first + i, bytes);
      });
    },
    () => {
      const bytes = payload(60_000);
      return log.append(bytes).then((lsn) => keep(lsn, bytes));
    },
  ];
  return { acknowledged, kinds };
}

/** What is acknowledged is in the log, under its LSN, and whole; and all else in it was appended. */
async function mustHold(log: Log, acknowledged: ReadonlyMap<number, string>): Promise<void> {
  const read = new Map<number, string>();
  for await (const { lsn, payload } of log.read()) read.set(lsn, Buffer.from(payload).toString());
  for (const [lsn, text] of acknowledged) expect(read.get(lsn), `LSN ${lsn}`).toBe(text);
  for (const text of read.values()) expect(text).toMatch(/^(at )?\d+ \.*$/);
  expect(new Set(read.values()).size).toBe(read.size);
}

it.each([
  ['claim', ClaimSpace.prototype],
  ['frame', RingProducer.prototype],
  ['setChecksum', RingProducer.prototype],
  ['beginSpan', RingProducer.prototype],
] as const)('an append of which %s throws half-way leaves nothing, and those around it are answered for their own', async (name, prototype) => {
  const directory = tempDir();
  const log = await openLog(directory, { ringBytes: 65_536, segmentBytes: 262_144, recordChecksums: true });
  const { acknowledged, kinds } = appendsTo(log);
  const prng = new Prng(3);
  const real = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  for (let round = 0; round < 8; round++) {
    const appends: Promise<unknown>[] = [];
    for (let i = 0; i < 8; i++) {
      // Before it has done anything, or when it has; the first time that it is called, or a later one.
      const isBehind = prng.chance(0.5);
      let calls = prng.below(4);
      const throwing = function (this: unknown, ...args: unknown[]): unknown {
        if (calls-- !== 0) return real.apply(this, args);
        if (isBehind) real.apply(this, args);
        return overflow();
      };
      Reflect.set(prototype, name, throwing);
      appends.push(...kinds.map((append) => append().catch(() => {})));
      Reflect.set(prototype, name, real);
      appends.push(...kinds.map((append) => append()));
    }
    await Promise.all(appends);
  }
  await mustHold(log, acknowledged);
  expect(log.durableLsn).toBeGreaterThanOrEqual(acknowledged.size);
  await log.close();
  expect((await verifyLog(directory)).damage).toEqual([]);
});

it('appends at the end of the stack, of a caller that goes on, are answered for their own record or rejected', async () => {
  const directory = tempDir();
  const log = await openLog(directory);
  const { acknowledged, kinds } = appendsTo(log);
  const given: { readonly text: string; readonly lsn: Promise<number> }[] = [];
  let count = 0;
  const descend = (bytes: number): number => {
    const text = `at ${count++} `.padEnd(bytes, '.');
    const lsn = log.append(text);
    given.push({ text, lsn });
    return descend(bytes) + 1;
  };
  for (let round = 0; round < 3; round++) {
    given.length = 0;
    expect(() => descend([20, 200, 5000][round % 3] as number)).toThrow(RangeError);
    await Promise.all(
      given.map(({ text, lsn }) =>
        lsn.then(
          (own) => acknowledged.set(own, text),
          () => {},
        ),
      ),
    );
  }
  await Promise.all(kinds.map((append) => append()));
  await mustHold(log, acknowledged);
  await log.close();
  expect((await verifyLog(directory)).damage).toEqual([]);
});
