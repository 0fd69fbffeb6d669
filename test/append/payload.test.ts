/** payload: how a payload's bytes get into the ring, whatever their length and wherever they lie. */
import { describe, expect, it } from 'vitest';
import { copyPayload } from '../../dist/src/append/payload.js';
import { FRAME_END_BYTES } from '../../dist/src/format/record-frame.js';

const GUARD = 0xee;

describe.each([0, 1, 4, 7, 8])('a payload whose memory begins %i bytes behind a multiple of 8', (from) => {
  // Around the lengths at which another way of copying is taken.
  const lengths = [1, 64, 65, 191, 192, 193, 1000, 4095, 4096, 4097, 70_000];
  it.each(lengths)('is copied byte for byte, %i of them, and no byte besides', (bytes) => {
    const memory = new Uint8Array(from + bytes + 8).map((_, i) => (i * 31) % 251);
    const payload = memory.subarray(from, from + bytes);
    const ring = Buffer.from(new SharedArrayBuffer(bytes + 64)).fill(GUARD);
    copyPayload(payload, bytes, ring.subarray(0, 16 + bytes + FRAME_END_BYTES), 16);
    expect(ring.subarray(16, 16 + bytes).equals(payload)).toBe(true);
    expect(ring.subarray(0, 16).every((byte) => byte === GUARD)).toBe(true);
    expect(ring.subarray(16 + bytes).every((byte) => byte === GUARD)).toBe(true);
  });

  // Another thread may make shared memory longer while it is copied; what it had when it was measured is the record.
  it.each(lengths)('has %i bytes, of memory that grew since they were measured', (bytes) => {
    const memory = new Growing(from + bytes, { maxByteLength: 100_000 });
    const payload = new Uint8Array(memory, from);
    payload.fill(1);
    memory.grow(100_000);
    payload.fill(2, bytes);
    const end = 16 + bytes;
    const ring = Buffer.from(new SharedArrayBuffer(end + 64)).fill(GUARD);
    ring.fill(0, end, end + FRAME_END_BYTES);
    copyPayload(payload, bytes, ring.subarray(0, end + FRAME_END_BYTES), 16);
    expect(ring.subarray(16, end).every((byte) => byte === 1)).toBe(true);
    expect(ring.subarray(end, end + FRAME_END_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(ring.subarray(end + FRAME_END_BYTES).every((byte) => byte === GUARD)).toBe(true);
  });
});

/** Node's types of version 20 do not have it. */
type Growable = SharedArrayBuffer & { grow(bytes: number): void };
const Growing = SharedArrayBuffer as unknown as new (bytes: number, to: object) => Growable;
