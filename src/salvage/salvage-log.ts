/** salvage-log: reads all segments of a damaged log, one after the other, and saves what is good. Over any storage. */
import type { Environment } from '../environment.js';
import { decodeLink, decodeMark, decodeSeal, type SealBody } from '../format/group-body.js';
import { DATA, LINK, MARK, SEAL, saltKey } from '../format/group-header.js';
import { sameBytes } from '../format/same-bytes.js';
import { segmentName } from '../format/segment-header.js';
import type { Storage } from '../storage/storage.js';
import { goodGroups, type Piece } from './good-groups.js';
import { type Place, RecordSaver } from './record-saver.js';
import { Finding, type SalvageFinding, type SalvageReport } from './report.js';
import { SalvagedLog } from './salvaged-log.js';
import { goodRecords } from './single-records.js';
import { type Candidate, findSources, type Originals, type Source } from './sources.js';
import { TolerantFile } from './tolerant-file.js';

export interface SalvageTerms {
  /** 0: as large as the largest segment of the damaged log. */
  readonly segmentBytes: number;
  readonly maxFillers: number;
  readonly beforeEpoch: number;
  readonly environment: Environment;
  /** Throws to end the salvage. */
  readonly check: () => void;
}

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const LARGEST_SEGMENT_BYTES = 1024 ** 3;
const LARGEST_EPOCH = 2 ** 31;

/** How the walk of a segment ended. */
interface Ending {
  readonly end: Extract<Piece, { kind: 'end' }>;
  readonly isClean: boolean;
  readonly seal: SealBody | undefined;
}

/** Writes nothing to `source`. Throws what the storages throw, except when a file of `source` can't be read. */
export async function salvageLog(
  source: Storage,
  target: Storage,
  terms: SalvageTerms,
): Promise<SalvageReport> {
  const { sources, others, findings, missing } = await findSources(source, terms.beforeEpoch);
  const first = sources[0];
  const { link } = first ?? {};
  const sizes = sources.map(({ header }) => Math.min(header?.segmentBytes ?? 0, LARGEST_SEGMENT_BYTES));
  const segmentBytes = terms.segmentBytes || Math.max(0, ...sizes) || DEFAULT_SEGMENT_BYTES;
  // Ids of spans carry epochs, also those of segments whose header is gone with its epoch: none may come again.
  const epochs = [...sources, ...others].map(({ header }) => header?.epoch ?? 0);
  const gone = epochs.filter((one) => one === 0).length;
  const epoch = Math.min(LARGEST_EPOCH, Math.max(1, ...epochs) + 1000 * gone);
  const logId = [...sources, ...others].find(({ header }) => header !== undefined)?.header?.logId;
  const begin = (firstLsn: number): SalvagedLog => {
    const checkpointLsn = Math.min(link?.checkpointLsn ?? 0, firstLsn - 1);
    return new SalvagedLog(target, { ...terms, segmentBytes, epoch, logId, firstLsn, checkpointLsn });
  };
  // A log begins with LSN 1, or where its first LINK says; what was truncated is left out of the report at the end.
  const start = link?.predecessorNumber === 0 ? link.predecessorLastLsn + 1 : 1;
  const saver = new RecordSaver(begin, start, terms.maxFillers, logId !== undefined);
  let mark = Math.max(0, ...sources.map((one) => one.link?.truncatedBefore ?? 0));
  let known = Math.max(0, ...sources.map((one) => one.link?.predecessorLastLsn ?? 0));
  let place: Place | undefined;
  let ending: Ending | undefined;
  try {
    for (const one of sources) {
      const walked = await saveSegment(source, one, saver, place, terms.check);
      ({ ending } = walked);
      place = walked.place;
      mark = Math.max(mark, walked.truncatedBefore);
      known = Math.max(known, Math.min(walked.ending.end.durableLsn, one.lsnLimit - 1));
    }
    saver.lose(known, place);
    const doubt = ending && doubtAboutEnd(sources, others, ending);
    if (doubt) saver.lost.add({ firstLsn: saver.nextLsn, lastLsn: undefined, ...doubt });
    const { log, saved } = saver;
    for (const { predecessorNumber: number, predecessorLastLsn } of missing) {
      if (number > 0 && predecessorLastLsn >= mark)
        findings.push(new Finding(segmentName(number), 'missing'));
    }
    if (log !== undefined) await log.finish(mark === 0 ? 0 : saved.moved(mark, log.lastLsn + 1));
    const [oldest] = saved.ranges;
    const firstLsn =
      oldest === undefined ? 0 : mark === 0 ? oldest.newFirstLsn : saved.moved(mark, (log?.lastLsn ?? 0) + 1);
    return {
      savedRecords: saved.records,
      firstLsn,
      lastLsn: log?.lastLsn ?? 0,
      lost: saver.lost.from(mark),
      saved: saved.ranges,
      files: findings.map(({ file, state, savedRecords, damage, damages }): SalvageFinding => {
        return { file, state, savedRecords, damage, damages };
      }),
      // What was truncated is no loss: a transaction that ended there may have begun in a segment that is gone.
      abortedTransactions: saver.abortedLsns.filter((lsn) => lsn >= mark).length,
      plainBefore: saver.plainBefore,
      isMerged: saver.lost.isMerged || saved.isMerged,
    };
  } catch (error) {
    await saver.log?.abandon().catch(() => {});
    throw error;
  }
}

/** Saves one segment's records. `place` is where damage was met last, to which the next gap is put down. */
async function saveSegment(
  storage: Storage,
  source: Source,
  saver: RecordSaver,
  before: Place | undefined,
  check: () => void,
): Promise<{ ending: Ending; place: Place | undefined; truncatedBefore: number }> {
  const { name, finding, lsnLimit, statedEnd } = source;
  const limit = Math.min(statedEnd ?? source.header?.segmentBytes ?? source.fileBytes, source.fileBytes);
  const passesDamage = !source.isEnded || statedEnd !== undefined;
  const file = await TolerantFile.open(storage, name);
  let place = before;
  let truncatedBefore = 0;
  let isClean = false;
  let seal: SealBody | undefined;
  let holdsRecords = false;
  let { originals } = source;
  /** Called where records are missing: the segment before may have them, when they are copies. */
  const saveMissing = async (): Promise<void> => {
    if (originals !== undefined) await saveOriginals(storage, originals, saver, place);
    originals = undefined;
  };
  const damagedAt = (offset: number, reason: string): void => {
    finding.damagedAt(offset, reason);
    place = { file: name, offset, reason };
  };
  try {
    for await (const piece of goodGroups(file, saltKey(source.salt), { limit, passesDamage })) {
      check();
      if (piece.kind === 'damage') damagedAt(piece.offset, piece.reason);
      else if (piece.kind === 'end') {
        const isShort = statedEnd !== undefined && piece.offset < statedEnd;
        if (isShort || !piece.isBlank || piece.isProven)
          damagedAt(piece.offset, isShort ? 'the segment ends too early' : 'bytes that do not verify');
        if (saver.nextLsn < lsnLimit) await saveMissing();
        for (const offset of file.unreadable) finding.damagedAt(offset, 'a block can not be read');
        if (finding.state === 'sound' && holdsRecords && finding.savedRecords === 0)
          finding.state = 'superseded';
        return { ending: { end: piece, isClean, seal }, place, truncatedBefore };
      } else {
        const { offset, header, body } = piece;
        const isGood = piece.kind === 'group';
        if (!isGood) damagedAt(offset, 'the body of a group does not verify');
        if (header.type === DATA) {
          holdsRecords = true;
          if (!isGood || header.firstLsn > saver.nextLsn) await saveMissing();
          const good = isGood ? undefined : goodRecords(header, body, offset);
          const { saved, wrong } = await saver.save(header, body, lsnLimit, good, place);
          if (isGood && wrong !== undefined) damagedAt(offset, wrong);
          finding.savedRecords += saved;
          if (isGood && saved > 0) place = undefined; // it explains no later gap
        }
        const isEvidence = isGood && (header.type === LINK || header.type === MARK);
        const told = isEvidence ? (header.type === LINK ? decodeLink(body) : decodeMark(body)) : undefined;
        if (told !== undefined) truncatedBefore = Math.max(truncatedBefore, told.truncatedBefore);
        isClean = told !== undefined && 'clean' in told && told.clean;
        seal = isGood && header.type === SEAL ? decodeSeal(body) : undefined;
      }
    }
    throw new Error('unreachable: the last piece is an end');
  } finally {
    await file.close();
  }
}

/** Saves what lies behind the end of a segment that a later one states, and was logged again in that one. */
async function saveOriginals(
  storage: Storage,
  { name, salt, from, lsnLimit, finding }: Originals,
  saver: RecordSaver,
  place: Place | undefined,
): Promise<void> {
  const file = await TolerantFile.open(storage, name);
  try {
    const range = { limit: file.bytes, passesDamage: false, from };
    for await (const piece of goodGroups(file, saltKey(salt), range)) {
      if (piece.kind !== 'group' || piece.header.type !== DATA) continue;
      finding.savedRecords += (await saver.save(piece.header, piece.body, lsnLimit, undefined, place)).saved;
    }
  } finally {
    await file.close();
  }
}

/** What speaks against the end of the log being where the last segment ends; see `recovery/verdict` and `chain`. */
function doubtAboutEnd(
  sources: readonly Source[],
  others: readonly Candidate[],
  { end, isClean, seal }: Ending,
): Place | undefined {
  const last = sources.at(-1) as Source;
  const here = (reason: string): Place => ({ file: last.name, offset: end.offset, reason });
  if (end.isProven) return here('a later group proves that there was more');
  const full = last.header?.segmentBytes ?? Number.POSITIVE_INFINITY;
  if (last.fileBytes < full && !isClean && seal === undefined)
    return here('the file was cut, or its last mark is damaged');
  const file = ({ name }: { name: string }, reason: string): Place => ({
    file: name,
    offset: undefined,
    reason,
  });
  if (seal !== undefined) {
    const { successorNumber, successorSalt } = seal;
    const successor = others.find(({ number }) => number === successorNumber);
    if (successor === undefined)
      return file({ name: segmentName(successorNumber) }, 'the next segment is missing');
    if (!sameBytes(successor.header?.salt, successorSalt))
      return file(successor, 'the next segment can not be read');
  }
  const epoch = Math.max(...sources.map(({ header }) => header?.epoch ?? 0));
  for (const other of others) {
    if (other.number < last.number || other.isEnded) continue;
    if (other.header === undefined) return file(other, 'nothing in the file verifies: it may hold records');
    if (other.fileBytes < other.header.segmentBytes)
      return file(other, 'the file was cut: it may have held records');
    if (other.header.epoch > epoch) return file(other, 'the first segment of its epoch is missing');
  }
  return undefined;
}
