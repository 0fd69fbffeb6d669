/**
 * salvaged-log: writes the new log: a chain of segments like any other, whose first record need not be LSN 1.
 *
 * Every segment stays under preparation until all are written and durable; then they are published, the newest
 * first. A log that was not finished is therefore refused by `openLog`, or is none at all, but never a shorter one.
 */
import type { Environment } from '../environment.js';
import type { LinkBody } from '../format/group-body.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { SEGMENT_OVERHEAD_BYTES } from '../options.js';
import { noPredecessor } from '../recovery/continuation.js';
import { layOutSegment, publishSegment } from '../segment/prepare.js';
import { type PreparedSegment, SegmentWriter } from '../segment/segment-writer.js';
import type { Storage } from '../storage/storage.js';

export interface SalvagedLogOptions {
  readonly segmentBytes: number;
  readonly epoch: number;
  /** That of the damaged log: encrypted records open under no other. Undefined: it is not known. */
  readonly logId: Uint8Array | undefined;
  readonly environment: Environment;
  /** LSN of the first record, and of the last checkpoint before it; 0: none. */
  readonly firstLsn: number;
  readonly checkpointLsn: number;
}

/** A group to be written. */
export interface SalvagedGroup {
  readonly body: Uint8Array;
  readonly records: number;
  readonly openLsn: number;
  /** LSN of its last checkpoint; 0: it has none. */
  readonly checkpointLsn: number;
  /** When the group was written first: microseconds since 1970. */
  readonly timestampUs: number;
}

export class SalvagedLog {
  readonly #storage: Storage;
  readonly #options: SalvagedLogOptions;
  readonly #logId: Uint8Array;
  readonly #environment: Environment;
  #writer: SegmentWriter | undefined;
  #number = 0;
  #checkpointLsn: number;
  #timestampUs: number;
  /** LSN of the last record. */
  lastLsn: number;

  constructor(storage: Storage, options: SalvagedLogOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#logId = options.logId ?? options.environment.randomBytes(16);
    this.#timestampUs = options.environment.wallUs();
    this.#environment = { ...options.environment, wallUs: () => this.#timestampUs };
    this.#checkpointLsn = options.checkpointLsn;
    this.lastLsn = options.firstLsn - 1;
  }

  /** Throws what the storage throws; the log is then not to be written any more. */
  async add(group: SalvagedGroup): Promise<void> {
    const { body, records, openLsn, checkpointLsn } = group;
    this.#timestampUs = group.timestampUs;
    let writer = this.#writer;
    if (writer === undefined || writer.room < body.length) writer = await this.#next(body.length, openLsn);
    writer.stageData([body], body.length, records, { openLsn, hasCheckpoint: checkpointLsn > 0 });
    writer.write(false);
    if (checkpointLsn > 0) this.#checkpointLsn = checkpointLsn;
    this.lastLsn += records;
  }

  /** Marks the log as closed, with its truncation mark, and publishes it, durably. */
  async finish(truncatedBefore: number): Promise<void> {
    const writer = this.#writer ?? (await this.#next(0, 0));
    writer.sync();
    writer.stageMark(truncatedBefore, true);
    writer.write();
    writer.sync();
    await writer.segment.file.truncate(Math.ceil(writer.end / BLOCK_BYTES) * BLOCK_BYTES);
    await writer.segment.file.sync();
    await writer.segment.file.close();
    this.#writer = undefined;
    for (let number = this.#number; number > 0; number--) await publishSegment(this.#storage, number);
  }

  /** Closes the file under way; what was written stays unpublished. */
  async abandon(): Promise<void> {
    await this.#writer?.segment.file.close();
    this.#writer = undefined;
  }

  /** Seals the segment under way, and begins the next with room for a group of `bytes`. */
  async #next(bytes: number, openLsn: number): Promise<SegmentWriter> {
    const needed = Math.ceil((bytes + SEGMENT_OVERHEAD_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
    const segmentBytes = Math.max(this.#options.segmentBytes, needed);
    const { epoch } = this.#options;
    const layout = { number: this.#number + 1, epoch, logId: this.#logId, segmentBytes };
    const draft = await layOutSegment(this.#storage, { ...layout, environment: this.#environment });
    try {
      const { link, lastChecksum } = await this.#seal(draft, openLsn);
      const options = { padGroups: false, environment: this.#environment };
      const writer = new SegmentWriter(
        draft,
        { end: BLOCK_BYTES, lastLsn: this.lastLsn, lastChecksum },
        options,
      );
      writer.stageLink(link);
      this.#number++;
      this.#writer = writer;
      return writer;
    } catch (error) {
      await draft.file.close().catch(() => {});
      throw error;
    }
  }

  async #seal(
    successor: PreparedSegment,
    openLsn: number,
  ): Promise<{ link: LinkBody; lastChecksum: number }> {
    const checkpointLsn = this.#checkpointLsn;
    const writer = this.#writer;
    if (writer === undefined) {
      return { link: { ...noPredecessor(this.lastLsn + 1, 0), checkpointLsn }, lastChecksum: 0 };
    }
    writer.stageSeal(successor);
    writer.write();
    writer.sync();
    await writer.segment.file.close();
    this.#writer = undefined;
    const { segment, lastLsn, end, sealOffset, lastChecksum } = writer;
    const link: LinkBody = {
      predecessorSalt: segment.salt,
      predecessorNumber: segment.number,
      predecessorLastLsn: lastLsn,
      predecessorEnd: end,
      predecessorSealOffset: sealOffset,
      truncatedBefore: 0,
      openLsn,
      checkpointLsn,
    };
    return { link, lastChecksum };
  }
}
