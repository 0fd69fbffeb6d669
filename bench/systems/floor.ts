/**
 * floor: what the disk gives one thread: a synchronous write and fdatasync of as many bytes as ringwal writes for a
 * group of so many records, again and again, into a file whose blocks were written before.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SystemKind } from '../harness/system.js';
import { blocking } from './blocking.js';
import { DirectFile, hasDirectWrites } from './direct-file.js';
import { WrittenFile } from './written-file.js';

const GROUP_HEADER_BYTES = 64;
const FRAME_HEADER_BYTES = 8;
const FILLING_BYTES = 65_536;

/** Bytes of a group with so many records. */
export function groupBytes(payloadBytes: number, records: number): number {
  return GROUP_HEADER_BYTES + records * (FRAME_HEADER_BYTES + payloadBytes);
}

/** The payload with which an append of the floor is as large as a group of so many records of `payloadBytes`. */
export function floorPayloadBytes(payloadBytes: number, records: number): number {
  return Math.round(groupBytes(payloadBytes, records)) - groupBytes(0, 1);
}

export const floor: SystemKind = {
  name: 'raw floor',
  what: 'write and fdatasync, both blocking the thread, into blocks written before; no frames, no checksums',
  role: 'limit',
  mostInFlight: 1,
  async open(directory) {
    const file = new WrittenFile(join(directory, 'floor'), randomBytes(FILLING_BYTES));
    let group = Buffer.alloc(0);
    return blocking(
      (payload) => {
        if (group.length !== groupBytes(payload.length, 1))
          group = Buffer.alloc(groupBytes(payload.length, 1), payload);
        file.write(group);
      },
      () => file.remove(),
    );
  },
};

export const directFloor: SystemKind = {
  name: 'raw floor, direct',
  what: 'one write of whole blocks with O_DIRECT|O_DSYNC, blocking the thread, into blocks written before',
  role: 'limit',
  mostInFlight: 1,
  lacking: async () => (hasDirectWrites ? undefined : 'this system has no O_DIRECT or no O_DSYNC'),
  async open(directory) {
    const file = new DirectFile(join(directory, 'floor'), randomBytes(FILLING_BYTES));
    return blocking(
      (payload) => file.write(groupBytes(payload.length, 1)),
      () => file.remove(),
    );
  },
};
