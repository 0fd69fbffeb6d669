/**
 * floor: what the disk gives one thread: a synchronous write and fdatasync of as many bytes as ringwal writes for a
 * group of so many records, again and again, into a file whose blocks were written before.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Measurement } from '../harness/load.js';
import type { SystemKind } from '../harness/system.js';
import { blocking } from './blocking.js';
import { WrittenFile } from './written-file.js';

const GROUP_HEADER_BYTES = 64;
const FRAME_HEADER_BYTES = 8;
const FILLING_BYTES = 65_536;

/** Bytes of a group with so many records. */
export function groupBytes(payloadBytes: number, records: number): number {
  return GROUP_HEADER_BYTES + records * (FRAME_HEADER_BYTES + payloadBytes);
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

export type FloorMeasurement = Omit<Measurement, 'latency' | 'loopDelayP99Ms' | 'backlog' | 'timeline'>;

/** The floor of groups of `records`; each latency, in microseconds, is told to `record`. */
export function measureFloor(
  path: string,
  payload: Uint8Array,
  records: number,
  ms: number,
  record: (us: number) => void,
): FloorMeasurement {
  const group = Buffer.alloc(groupBytes(payload.length, records), payload);
  const file = new WrittenFile(path, payload);
  try {
    const cpu = process.cpuUsage();
    const start = performance.now();
    let groups = 0;
    for (let now = start; now < start + ms; groups++) {
      file.write(group);
      const after = performance.now();
      record((after - now) * 1000);
      now = after;
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const total = groups * records;
    return {
      records: total,
      seconds,
      recordsPerSecond: total / seconds,
      bytesPerSecond: (total * payload.length) / seconds,
      groupRecords: records,
      appCpuUs: (user + system) / total,
      otherCpuUs: 0,
    };
  } finally {
    file.remove();
  }
}
