/** record-checksums: with recordChecksums every record carries the CRC-32 of its caller's bytes, and reading looks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type LogOptions, openLog } from '../../dist/src/index.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { maskedCrc } from '../support/masked-crc.js';
import { SimStorage } from '../support/sim-storage.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recordChecksums: true };
const FULL = 1;
const HAS_CHECKSUM = 4;

/** The frame of `payload` as the format's page has it. */
function frameOf(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(Math.ceil((8 + payload.length + 4) / 8) * 8);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt8(FULL, 4);
  frame.writeUInt8(HAS_CHECKSUM, 5);
  frame.set(payload, 8);
  frame.writeUInt32LE(maskedCrc(payload), frame.length - 4);
  return frame;
}

it('stores the checksum at the end of the frame, for every length, on every way into the ring', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  const payloads = Array.from({ length: 18 }, (_, i) => payloadOf(i, i + 4));
  for (const payload of payloads.slice(0, 9)) await log.append(payload);
  await log.appendBatch(payloads.slice(9, 14));
  await log.append(payloads[14] ?? '', { receipt: true });
  await log.append(payloads[15] ?? '', { durability: 'os' });
  await log.append(payloads[16] ?? '', { expectedLsn: 17 });
  const waiting = log.append(Buffer.alloc(40_000));
  await Promise.all([waiting, log.append(payloads[17] ?? '')]);
  let i = 0;
  for await (const { payload } of log.read({ to: 17 }))
    expect(Buffer.from(payload)).toEqual(Buffer.from(payloads[i++] ?? []));
  await log.close();
  const bytes = Buffer.concat(segmentsIn(directory).map((name) => readFileSync(join(directory, name))));
  expect(payloads.filter((payload) => !bytes.includes(frameOf(payload))).map(({ length }) => length)).toEqual(
    [],
  );
});

it('stores none without the option, and reads both in one log', async () => {
  const directory = tempDir();
  for (const recordChecksums of [true, false, true]) {
    await using log = await openLog(directory, { ...SMALL, recordChecksums });
    await log.append(`record ${recordChecksums}`);
    const tx = log.begin();
    await tx.append('in a transaction');
    await tx.append(Buffer.alloc(20_000, 'L'));
    await tx.commit();
    await log.append(Buffer.alloc(20_000, 'L'));
  }
  await using log = await openLog(directory, SMALL);
  const lengths: number[] = [];
  for await (const { payload } of log.read()) lengths.push(payload.length);
  expect(lengths).toEqual([11, 16, 20_000, 20_000, 12, 16, 20_000, 20_000, 11, 16, 20_000, 20_000]);
});

it('refuses a record whose checksum is wrong with RINGWAL_CORRUPT, though its group verifies', async () => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  const payload = payloadOf(1, 40);
  const record = { type: FULL, flags: HAS_CHECKSUM, payload };
  const producer = log.producer(0);
  void producer.submit([record], {});
  void producer.submit([{ ...record, checksum: maskedCrc(payload) }], {});
  await log.commit();
  expect(await log.readAll()).toHaveLength(2);
  void producer.submit([{ ...record, checksum: (maskedCrc(payload) ^ 1) >>> 0 }], {});
  await log.commit();
  await expect(log.readAll()).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT', details: { expectedLsn: 3 } });
});

it('refuses a large record whose whole has another checksum than its last fragment says', async () => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  const payload = payloadOf(1, 9000);
  void log.producer(0).submitLarge({ type: FULL, flags: HAS_CHECKSUM, payload }, {});
  await log.commit();
  expect(await log.readAll()).toHaveLength(1);
  const ids = (id: number) => ({ flags: 0, recordId: id });
  const whole = payloadOf(2, 80);
  const fragments = [
    { ...ids(77), type: 2, payload: whole.subarray(0, 40) },
    { ...ids(77), type: 4, flags: HAS_CHECKSUM, payload: whole.subarray(40), checksum: maskedCrc(whole) },
  ];
  for (const fragment of fragments) void log.producer(0).submit([fragment], {});
  await log.commit();
  expect(await log.readAll()).toHaveLength(2);
  const [first, last] = fragments;
  for (const fragment of [first, { ...last, checksum: (maskedCrc(whole) ^ 1) >>> 0 }]) {
    void log.producer(0).submit([{ ...fragment, recordId: 78 } as never], {});
  }
  await log.commit();
  await expect(log.readAll()).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
});

// A CRC does not see one (content, CRC of it) in the place of another: it has the same effect on what comes behind it.
it('lets no record take the place of another one of its length, along with its checksum', async () => {
  const directory = tempDir();
  const payloads = [payloadOf(1, 300), payloadOf(2, 300)];
  const log = await openLog(directory, SMALL);
  for (const payload of payloads) await log.append(payload);
  await log.append('behind them');
  await log.close();
  const [name = ''] = segmentsIn(directory);
  edit(directory, name, (bytes) => {
    const [first, second] = payloads.map((payload) =>
      Buffer.from(bytes.buffer, bytes.byteOffset).indexOf(payload),
    );
    return Buffer.from(bytes).copyWithin(first ?? 0, second ?? 0, (second ?? 0) + 304);
  });
  const read = async (): Promise<void> => {
    await using damaged = await openLog(directory, SMALL);
    for await (const _ of damaged.read());
  };
  await expect(read()).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
});
