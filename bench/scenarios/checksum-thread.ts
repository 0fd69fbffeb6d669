/** checksum-thread: checksums as many bytes as it is told, again and again the same ones, and ends. */
import { randomBytes } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';

export interface ChecksumTask {
  readonly bytes: number;
}

/** Fits into a core's caches. */
const PIECE = randomBytes(64 * 1024);

const { bytes } = workerData as ChecksumTask;
let sum = 0;
for (let done = 0; done < bytes; done += PIECE.length) sum = crc32(PIECE, sum);
