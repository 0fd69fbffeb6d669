/**
 * end-watcher: sees a log grow that another thread or process writes, by reading on from where it had come to.
 *
 * A poll reads the new groups of the newest segment, and follows its SEAL into the next one. Everything else that may
 * happen to a log (another writer, which begins a segment without a SEAL before it; a writer that died with its last
 * write unproven; damage) is left to a look at the whole directory (read/look), which is taken when
 *   - a segment is in use that no SEAL led to;
 *   - what lies at the end stays unproven, or does not verify, for a while, or the newest segment is another file by then.
 *     The waits between such looks get longer.
 */
import type { ReadableSegment, ReadView } from '../control/contract.js';
import { CorruptError, OutOfRangeError } from '../errors.js';
import { sameBytes } from '../format/same-bytes.js';
import { parseSegmentName, segmentName } from '../format/segment-header.js';
import { cursorBehind, type IsWriterAlive, lookAtLog, nextStep, readableNewest } from '../read/look.js';
import type { ChainedSegment } from '../recovery/chain.js';
import { GroupsSeen } from '../recovery/groups-seen.js';
import { readSegmentFile } from '../segment/segment-files.js';
import type { Storage, StorageFile } from '../storage/storage.js';

/** The first read of a poll: a header, wherever it lies. */
const WINDOW_BYTES = 4096;
/** Polls without anything new after which an end that nothing proves is looked at; and the most, as it doubles. */
const PATIENCE = 8;
const LONGEST_PATIENCE = 512;

export class EndWatcher {
  readonly #storage: Storage;
  readonly #isWriterAlive: IsWriterAlive;
  #closed: ReadableSegment[] = [];
  #newest: { segment: ChainedSegment; seen: GroupsSeen } | undefined;
  #logId: Uint8Array | undefined;
  #file: StorageFile | undefined;
  #firstLsn = 1;
  #checkpointLsn = 0;
  /** Whether the last walk ended at bytes that are no group. */
  #isTorn = false;
  /** The highest segment number seen. */
  #highest = 0;
  #idlePolls = 0;
  #patience = PATIENCE;
  /** How often it has looked at the whole directory, which may have another history by then. */
  looks = 0;
  #view: ReadView = { segments: [], firstLsn: 1, durableLsn: 0, cuts: 0 };

  constructor(storage: Storage, isWriterAlive: IsWriterAlive) {
    this.#storage = storage;
    this.#isWriterAlive = isWriterAlive;
  }

  /** What can be read, as of the last poll or look. */
  get view(): ReadView {
    return this.#view;
  }

  /** 16 bytes; empty as long as there is no log. */
  get logId(): Uint8Array {
    return this.#logId ?? new Uint8Array(0);
  }

  get checkpointLsn(): number {
    return this.#checkpointLsn;
  }

  /** Looks at the whole directory. Throws as `lookAtLog` does, and OutOfRangeError when another log is there by now. */
  async look(): Promise<void> {
    await this.close();
    const { view, newest, checkpointLsn } = await lookAtLog(this.#storage, this.#isWriterAlive);
    const logId = newest?.segment.header.logId;
    this.#logId ??= logId;
    if (logId !== undefined && !sameBytes(logId, this.#logId)) {
      throw new OutOfRangeError(
        'The log that was followed is gone, and another was begun in its directory. Follow that one from its beginning.',
      );
    }
    this.#closed = view.segments.filter(({ isClosed }) => isClosed);
    this.#newest = newest && { ...newest };
    this.#firstLsn = Math.max(this.#firstLsn, view.firstLsn);
    this.#checkpointLsn = checkpointLsn;
    this.#highest = newest?.segment.number ?? 0;
    this.#isTorn = false;
    this.looks++;
    this.#view = view;
  }

  /** Sees what is new. Throws as `lookAtLog` does. */
  async poll(): Promise<void> {
    let isMoved = false;
    try {
      isMoved = await this.#readOn();
      if (!isMoved && !(await this.#needsLook())) return;
    } catch {
      // Whatever it is, the look says what it means.
    }
    if (isMoved) this.#rest(PATIENCE);
    else await this.look();
  }

  /** Segments that end before `lsn` are not needed any more. */
  forget(lsn: number): void {
    this.#closed = this.#closed.filter(({ lastLsn }) => lastLsn >= lsn);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Reads what was written behind the end; returns whether anything was. */
  async #readOn(): Promise<boolean> {
    let isMoved = false;
    while (await this.#readSegment()) isMoved = true;
    const newest = this.#newest;
    if (!isMoved || newest === undefined) return false;
    const { segment, seen } = newest;
    this.#firstLsn = Math.max(this.#firstLsn, seen.truncatedBefore);
    const segments = [...this.#closed];
    // Somebody wrote it just now: of that, only what is proven is shown.
    if (seen.proven !== undefined) segments.push(readableNewest(segment, seen.proven));
    this.#view = {
      segments: segments.filter(({ firstLsn, lastLsn }) => lastLsn >= firstLsn),
      firstLsn: this.#firstLsn,
      durableLsn: seen.proven?.lastLsn ?? segment.link.header.firstLsn - 1,
      cuts: 0,
    };
    return true;
  }

  /** Reads on in the newest segment, and behind its SEAL moves on to the next; returns whether there was anything. */
  async #readSegment(): Promise<boolean> {
    const newest = this.#newest;
    if (newest === undefined) return false;
    const { segment, seen } = newest;
    if (seen.seal !== undefined) return this.#moveOn(segment, seen);
    if (seen.clean) return false; // nothing ever follows, and the file may be shorter by now
    this.#file ??= await this.#storage.open(segment.name, 'read');
    const cursor = cursorBehind(this.#file, segment, seen.end, WINDOW_BYTES);
    for (let isMoved = false; ; isMoved = true) {
      const step = await nextStep(cursor);
      if (step.kind === 'stop') {
        this.#isTorn = step.reason === 'invalid' || step.reason === 'misplaced';
        return isMoved;
      }
      const contradiction = seen.visit(step);
      if (contradiction !== undefined) throw contradiction;
    }
  }

  /** Goes on in the segment that a SEAL names, if that is in use. */
  async #moveOn(sealed: ChainedSegment, { seal, end }: GroupsSeen): Promise<boolean> {
    const number = seal?.successorNumber ?? 0;
    const { header, link, ...file } = await readSegmentFile(this.#storage, segmentName(number), number);
    if (header === undefined || seal === undefined || !sameBytes(header.salt, seal.successorSalt))
      throw new CorruptError(`${file.name} is not the segment that the one before it names.`);
    if (link === undefined) return false;
    await this.close();
    this.#closed.push({ ...readableNewest(sealed, end), isClosed: true });
    const segment = { ...file, header, link, asideEpoch: undefined };
    this.#newest = { segment, seen: new GroupsSeen(segment) };
    return true;
  }

  /** After a poll that found nothing new: whether that may have a reason that a look at the directory tells. */
  async #needsLook(): Promise<boolean> {
    const { segment, seen } = this.#newest ?? {};
    if (segment === undefined || seen === undefined) return true; // no log yet: a look costs no more than this
    this.#idlePolls++;
    const isLong = this.#idlePolls >= this.#patience;
    for (const name of await this.#storage.list()) {
      const number = parseSegmentName(name) ?? 0;
      if (number <= segment.number || (number <= this.#highest && !isLong)) continue;
      this.#highest = Math.max(this.#highest, number);
      const { link, header } = await readSegmentFile(this.#storage, name, number);
      // In use: by another writer; or by this one, then its SEAL is there, or damaged.
      if (link !== undefined && (isLong || header?.epoch !== segment.header.epoch)) return true;
    }
    if (!isLong) return false;
    const { header } = await readSegmentFile(this.#storage, segment.name, segment.number);
    if (!sameBytes(header?.salt, segment.header.salt)) return true; // of another log
    this.#rest(Math.min(2 * this.#patience, LONGEST_PATIENCE));
    return this.#isTorn || this.#view.durableLsn < seen.end.lastLsn;
  }

  #rest(patience: number): void {
    this.#idlePolls = 0;
    this.#patience = patience;
  }
}
