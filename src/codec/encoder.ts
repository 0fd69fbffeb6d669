/** encoder: makes a payload smaller before it goes into the ring, on the caller's thread or on zlib's. */
import type { Frame } from '../append/submission.js';
import { recordChecksum } from '../format/checksum.js';
import { COMPRESSED, HAS_CHECKSUM } from '../format/record-frame.js';
import { type Compression, compress, compressSync, OFF_THREAD_BYTES } from './compression.js';

/** Whether `encode` gives a promise for a payload of so many bytes. */
export function isOffThread(compression: Compression | undefined, bytes: number): boolean {
  return bytes >= OFF_THREAD_BYTES && isTried(compression, bytes);
}

function isTried(compression: Compression | undefined, bytes: number): compression is Compression {
  return compression !== undefined && bytes >= compression.minBytes && bytes <= compression.maxBytes;
}

/** The frame with its payload compressed, if that makes it smaller. Blocks for as long as that takes. */
export function encodeSync(frame: Frame, compression: Compression | undefined): Frame {
  if (!isTried(compression, frame.payload.length)) return frame;
  const own = owned(frame);
  return packed(own, compressSync(own.payload, compression));
}

/** The same, off the caller's thread when the payload is large. It must not change meanwhile. */
export async function encode(frame: Frame, compression: Compression | undefined): Promise<Frame> {
  if (compression === undefined || !isOffThread(compression, frame.payload.length))
    return encodeSync(frame, compression);
  return packed(frame, await compress(frame.payload, compression));
}

/** With a copy of what another thread may write to: its checksum must be of the bytes that are compressed. */
function owned(frame: Frame): Frame {
  const mayChange = (frame.flags & HAS_CHECKSUM) !== 0 && frame.payload.buffer instanceof SharedArrayBuffer;
  return mayChange ? { ...frame, payload: new Uint8Array(frame.payload) } : frame;
}

function packed(frame: Frame, stored: Uint8Array | undefined): Frame {
  if (stored === undefined) return frame;
  const compressed = { ...frame, flags: frame.flags | COMPRESSED, payload: stored };
  if ((frame.flags & HAS_CHECKSUM) === 0) return compressed;
  return { ...compressed, checksum: recordChecksum(frame.payload) };
}
