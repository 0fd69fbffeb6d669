/** large-record: the largest record there may be, 1 GiB, goes through a small ring and comes back, in bounded memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { openLog } from '../../dist/src/index.js';
import type { Layer, LayerTask } from '../full/layer.js';
import { Prng } from '../support/prng.js';

const MiB = 1024 * 1024;
const RING_BYTES = 4 * MiB;
/** Besides the record itself: rings, a group in the worker, and what the garbage collector has not yet taken. */
const ALLOWED_BYTES = 192 * MiB;

export const layer: Layer = {
  name: 'large-record',
  title: 'a record of 1 GiB, appended and read back, with memory for little more than itself',
  targets: { 'records of 1 GiB': 1 },
  parts: 1,
  minutes: 1,
  isAlone: true,
  async run(task) {
    await appendLargeRecord(task, Math.floor(1024 * MiB * task.share));
    return { 'records of 1 GiB': 1 };
  },
};

/** Throws when it does not come back as it was, or memory grows by more than is allowed. */
async function appendLargeRecord({ seed, progress }: LayerTask, bytes: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringwal-large-'));
  const log = await openLog(directory, { ringBytes: RING_BYTES });
  try {
    const block = new Prng(seed).bytes(997 * 1024); // no multiple of any size in the log
    const payload = Buffer.allocUnsafeSlow(bytes);
    for (let at = 0; at < bytes; at += block.length) payload.set(block.subarray(0, bytes - at), at);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
      progress(`${Math.round(most / MiB)} MiB more than the record`);
    }, 20);
    const lsn = await log.append(payload);
    clearInterval(watch);
    if (most > ALLOWED_BYTES)
      throw new Error(`appending ${bytes} bytes took ${most} bytes of memory besides`);
    let found = 0;
    for await (const record of log.read()) {
      found++;
      if (record.lsn !== lsn || record.payload.length !== bytes || crc32(record.payload) !== crc32(payload))
        throw new Error(
          `LSN ${record.lsn} has ${record.payload.length} bytes, which are not those of ${lsn}`,
        );
    }
    if (found !== 1) throw new Error(`${found} records were read`);
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
