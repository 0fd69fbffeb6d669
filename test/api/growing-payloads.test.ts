/**
 * growing payloads: views that track the length of growable shared memory, which another thread may grow between the
 * moment at which they are measured and the moment at which they are copied. Here they do so at exactly that moment.
 */
import { describe, expect, it, vi } from 'vitest';
import { copyPayload, payloadBytes } from '../../dist/src/append/payload.js';
import { FRAME_END_BYTES } from '../../dist/src/format/record-frame.js';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { WriteBatch } from '../../dist/src/operations/index.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { tempDir } from '../support/temp-dir.js';

/** Node's types of version 20 do not have it. */
type Growable = SharedArrayBuffer & { grow(bytes: number): void };
const Growing = SharedArrayBuffer as unknown as new (bytes: number, to: object) => Growable;
const growable = (bytes: number): Growable => new Growing(bytes, { maxByteLength: 4096 });

const kinds: readonly (readonly [name: string, view: (memory: Growable) => NodeJS.ArrayBufferView])[] = [
  ['Uint8Array', (memory) => new Uint8Array(memory)],
  ['Int8Array', (memory) => new Int8Array(memory)],
  ['Float64Array', (memory) => new Float64Array(memory)],
  ['DataView', (memory) => new DataView(memory)],
];

describe.each(kinds)('a %s of memory that grows', (_, view) => {
  // Up to 64 bytes are copied in another way; and what is free behind the frame has room for all that it grew, or not.
  it.each(
    [8, 64, 72, 1000].flatMap((bytes) => [16, 6000].map((freeBytes) => [bytes, freeBytes] as const)),
  )('takes exactly the %i bytes that were measured, with %i free behind them, and harms nothing else', (bytes, freeBytes) => {
    const memory = growable(bytes);
    new Uint8Array(memory).fill(1);
    const payload = view(memory);
    const ring = Buffer.alloc(8192, 0xee);
    const measured = payloadBytes(payload);
    expect(measured).toBe(bytes);
    memory.grow(4096);
    new Uint8Array(memory, bytes).fill(2);
    const end = 16 + bytes;
    ring.fill(0, end, end + FRAME_END_BYTES);
    copyPayload(payload, measured, ring.subarray(0, end + freeBytes), 16);
    expect(ring.subarray(16, end).every((byte) => byte === 1)).toBe(true);
    expect(ring.subarray(0, 16).every((byte) => byte === 0xee)).toBe(true);
    expect(ring.subarray(end, end + FRAME_END_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(ring.subarray(end + freeBytes).every((byte) => byte === 0xee)).toBe(true);
  });

  // The end of the frame was mended beyond what is free, which threw, with the frame claimed and no append to it.
  it.each([0, 1, 11])('is mended up to the end of the free bytes, %i behind the payload', (freeBytes) => {
    const memory = growable(72);
    new Uint8Array(memory).fill(1);
    const payload = view(memory);
    memory.grow(4096);
    const ring = Buffer.alloc(256, 0xee);
    copyPayload(payload, 72, ring.subarray(0, 88 + freeBytes), 16);
    expect(ring.subarray(16, 88).every((byte) => byte === 1)).toBe(true);
    expect(ring.subarray(88 + freeBytes).every((byte) => byte === 0xee)).toBe(true);
  });

  it.each<[how: string, options: LogOptions]>([
    ['as it is', {}],
    ['with checksums', { recordChecksums: true }],
    ['compressed', { compression: { algorithm: 'deflate', minBytes: 64 } }],
    ['encrypted', { encryption: { keyId: 1, key: () => new Uint8Array(32) } }],
  ])('is a record of the bytes that it had, %s, whichever way it is appended', async (_how, options) => {
    const log = await openLog(tempDir(), { ringBytes: 16_384, segmentBytes: 65_536, ...options });
    const memories: Growable[] = [];
    const { reserve } = RingProducer.prototype;
    const reserving = vi.spyOn(RingProducer.prototype, 'reserve').mockImplementation(function (
      this: RingProducer,
      ...args
    ) {
      for (const memory of memories.splice(0)) memory.grow(4096);
      return reserve.apply(this, args);
    });
    const grown = (): NodeJS.ArrayBufferView => {
      const memory = growable(200);
      new Uint8Array(memory).fill(1);
      memories.push(memory);
      return view(memory);
    };
    const tx = log.begin();
    await Promise.all([
      log.append('before'),
      log.append(grown()),
      log.append(grown(), { receipt: true }),
      log.tryAppend(grown()),
      log.appendBatch([grown(), 'between', grown()]),
      log.checkpoint(grown()),
      tx.append(grown()),
      tx.commit(),
    ]);
    await log.append('after');
    expect(await lengths(log)).toEqual([6, 200, 200, 200, 200, 7, 200, 200, 200, 5]);
    expect(reserving).toHaveBeenCalled();
    expect(memories).toEqual([]);
    await log.close();
  });
});

it.each([16, 500])('a put or a delete has the %i bytes of key and value that it had', (bytes) => {
  const part = (): Uint8Array => growsWhenMeasured((memory) => new Uint8Array(memory), bytes) as Uint8Array;
  const [put, removed] = new WriteBatch().put(part(), part()).delete(part()).encode();
  expect(put?.length).toBe(8 + 2 * bytes);
  expect(put?.subarray(8).every((byte) => byte === 1)).toBe(true);
  expect(removed?.length).toBe(8 + bytes);
});

/** A view of `bytes` ones whose memory another thread grows right after its length was asked for. */
function growsWhenMeasured(
  view: (memory: Growable) => NodeJS.ArrayBufferView,
  bytes: number,
): NodeJS.ArrayBufferView {
  const memory = growable(bytes);
  new Uint8Array(memory).fill(1);
  const payload = view(memory);
  const measure = (): number => {
    if (memory.byteLength === bytes) memory.grow(4096);
    return bytes;
  };
  Object.defineProperty(payload, 'byteLength', { get: measure });
  if (payload instanceof Uint8Array) Object.defineProperty(payload, 'length', { get: measure });
  return payload;
}

async function lengths(log: Log): Promise<number[]> {
  const found: number[] = [];
  for await (const { payload } of log.read()) {
    expect(payload.every((byte) => byte === payload[0]) || payload.length < 10).toBe(true);
    found.push(payload.length);
  }
  return found;
}
