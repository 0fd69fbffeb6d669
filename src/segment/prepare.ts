/**
 * prepare: lays out a segment file under a name of its own and publishes it under its segment name.
 *
 * A file is published by `link`, which fails when the name is taken (`rename` would replace it in silence),
 * and only after its header is durable. So a published name always leads to a valid header.
 */
import type { Environment } from '../environment.js';
import { BLOCK_BYTES, encodeSegmentHeader, preparedName, segmentName } from '../format/segment-header.js';
import { inTurn } from '../storage/directory-turns.js';
import type { Storage, StorageFile } from '../storage/storage.js';
import type { PreparedSegment } from './segment-writer.js';

export interface SegmentLayout {
  readonly number: number;
  readonly epoch: number;
  readonly logId: Uint8Array;
  readonly segmentBytes: number;
  /** As in its header. Default: 0. */
  readonly cutFrom?: number;
  readonly environment: Environment;
}

/** How much of a new segment is zero-filled before it is first used; the rest follows while the log runs. */
export const FIRST_FILL_BYTES = 1024 * 1024;

/**
 * Creates `<number>.new` with its header, at full size, its first part zero-filled, and all of that durable.
 * Leftover files of that name (named in `prepared`) are removed first: only a crash can have left them.
 */
export async function layOutSegment(
  storage: Storage,
  layout: SegmentLayout & { prepared?: readonly string[]; fillBytes?: number },
): Promise<PreparedSegment> {
  const name = preparedName(layout.number);
  if (layout.prepared?.includes(name)) await storage.unlink(name);
  const file = await storage.create(name);
  try {
    await file.truncate(layout.segmentBytes);
    const backedBytes = Math.min(layout.segmentBytes, layout.fillBytes ?? FIRST_FILL_BYTES);
    const first = new Uint8Array(backedBytes);
    const salt = layout.environment.randomBytes(16);
    first.set(segmentHeader(layout, salt));
    await file.write(first, 0);
    await file.sync(); // the header is durable before the file is published
    return { file, number: layout.number, salt, segmentBytes: layout.segmentBytes, backedBytes };
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

/**
 * Gives an old segment file a new life under the next number: off its old name, durably, before its header is
 * overwritten, so that no name ever leads to another segment's header. Undefined when there is another name (a backup
 * made of hard links has one): it would lead to that too. The file is then left as it is, under the next one's name of
 * preparation.
 */
export async function reuseSegment(
  storage: Storage,
  oldName: string,
  layout: SegmentLayout,
): Promise<PreparedSegment | undefined> {
  const name = preparedName(layout.number);
  await inTurn(storage, async () => {
    await storage.link(oldName, name);
    await storage.unlink(oldName);
    await storage.syncDirectory();
  });
  const file = await storage.open(name, 'write');
  try {
    if ((await file.links()) > 1) {
      await file.close();
      return undefined;
    }
    const salt = layout.environment.randomBytes(16);
    await file.write(segmentHeader(layout, salt), 0);
    await file.sync();
    return {
      file,
      number: layout.number,
      salt,
      segmentBytes: layout.segmentBytes,
      backedBytes: layout.segmentBytes,
    };
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

/** Gives a laid-out segment its name, durably. */
export function publishSegment(storage: Storage, number: number): Promise<void> {
  return inTurn(storage, async () => {
    await storage.link(preparedName(number), segmentName(number));
    await storage.unlink(preparedName(number));
    await storage.syncDirectory();
  });
}

/**
 * Gives the space behind `end` back, of a file of `fileBytes` in which nothing behind it means anything: so it does not
 * matter whether this becomes durable. A file that somebody keeps under another name stays as it is.
 */
export async function shorten(file: StorageFile, end: number, fileBytes: number): Promise<void> {
  const bytes = Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;
  if (bytes < fileBytes && (await file.links()) === 1) await file.truncate(bytes);
}

/** Zero-fills `bytes` from `position` on, durably. */
export async function zeroFill(file: StorageFile, position: number, bytes: number): Promise<void> {
  await file.write(zeros.subarray(0, bytes), position);
  await file.sync();
}

/** Most bytes of one `zeroFill`. */
export const FILL_SLICE_BYTES = 1024 * 1024;
const zeros = new Uint8Array(FILL_SLICE_BYTES);

function segmentHeader(layout: SegmentLayout, salt: Uint8Array): Uint8Array {
  return encodeSegmentHeader({
    logId: layout.logId,
    salt,
    number: layout.number,
    epoch: layout.epoch,
    segmentBytes: layout.segmentBytes,
    createdUs: layout.environment.wallUs(),
    cutFrom: layout.cutFrom ?? 0,
  }).subarray(0, BLOCK_BYTES);
}
