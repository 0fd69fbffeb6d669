/**
 * floor: what the disk gives one thread: a synchronous write and fdatasync of as many bytes as ringwal writes for a
 * group of so many records, again and again, into a file whose blocks were written before.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { Measurement } from '../closed-loop.js';
import { LatencyHistogram } from '../histogram.js';

export const FILE_BYTES = 64 * 1024 * 1024;
const GROUP_HEADER_BYTES = 64;
const FRAME_HEADER_BYTES = 8;

/** Bytes of a group with so many records. */
export function groupBytes(payload: Uint8Array, records: number): number {
  return GROUP_HEADER_BYTES + records * (FRAME_HEADER_BYTES + payload.length);
}

export function measureFloor(path: string, payload: Uint8Array, records: number, ms: number): Measurement {
  const group = Buffer.alloc(groupBytes(payload, records), payload);
  const fd = openSync(path, 'w+');
  try {
    for (let at = 0; at < FILE_BYTES; at += group.length) writeSync(fd, group, 0, group.length, at);
    fsyncSync(fd);
    const latency = new LatencyHistogram();
    const cpu = process.cpuUsage();
    const start = performance.now();
    let groups = 0;
    let at = 0;
    for (let now = start; now < start + ms; groups++) {
      writeSync(fd, group, 0, group.length, at);
      fdatasyncSync(fd);
      at = at + 2 * group.length > FILE_BYTES ? 0 : at + group.length;
      const after = performance.now();
      latency.record((after - now) * 1000);
      now = after;
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const total = groups * records;
    return {
      recordsPerSecond: total / seconds,
      groupRecords: records,
      ...latency.percentiles(),
      cpuSecondsPerMillion: (user + system) / total,
    };
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}
