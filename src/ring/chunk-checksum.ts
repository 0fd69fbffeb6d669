/** chunk-checksum: of which chunks the producer takes the checksum, so that the I/O worker need not read them for that. */
import { ENCRYPT } from './layout.js';

/**
 * When so many bytes wait for the worker besides, or are being written, it is the worker that all wait for, a quarter of
 * whose time goes into checksums, while what was just filled lies in the cache of its producer's core. Not where an
 * append, be it of a record or of a batch, is shorter than this on average: it is the caller's thread that lacks time
 * then. Nor of shorter chunks: to join a checksum to others would take the worker as long.
 */
const FROM_WAITING_BYTES = 64 * 1024;
const FROM_APPEND_BYTES = 1024;
const FROM_CHUNK_BYTES = 16 * 1024;

/**
 * `appends`: how many calls filled it; `waitingBytes`: of other chunks, published and not yet completed. What the worker
 * encrypts, it checksums itself.
 */
export function isToChecksum(bytes: number, appends: number, flags: number, waitingBytes: number): boolean {
  const isLong = bytes >= FROM_CHUNK_BYTES && bytes >= FROM_APPEND_BYTES * appends;
  return isLong && waitingBytes >= FROM_WAITING_BYTES && (flags & ENCRYPT) === 0;
}
