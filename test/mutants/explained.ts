/** explained: mutants that no test can kill, since they change nothing that anybody was promised. */
import { type Mutant, nameOf } from './mutants.js';

interface Explained {
  readonly file: string;
  /** The line of the source in which the mutant begins, without its indentation. */
  readonly source: string;
  readonly original: string;
  readonly replacement: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(true)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(false)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(bytes.length > NATIVE_FROM_BYTES)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/checksum.ts',
    source: 'if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);',
    original: 'bytes.length >= NATIVE_FROM_BYTES',
    replacement: '(bytes.length < NATIVE_FROM_BYTES)',
    why: 'Two implementations of the same function: which one is asked decides how fast it is.',
  },
  {
    file: 'src/format/cursor-slot.ts',
    source: 'const [, name, suffix] = CURSOR_FILE.exec(file) ?? [];',
    original: '[]',
    replacement: '(["Stryker was here"])',
    why: 'The first element is not looked at, and there is no other.',
  },
  {
    file: 'src/format/segment-header.ts',
    source: 'const [, segment, epoch] = ASIDE_NAME.exec(name) ?? [];',
    original: '[]',
    replacement: '(["Stryker was here"])',
    why: 'The first element is not looked at, and there is no other.',
  },
  {
    file: 'src/commit/commit-loop.ts',
    source: "if (outcome === 'committed' && windowUs > 0) {",
    original: 'windowUs > 0',
    replacement: '(windowUs >= 0)',
    why: 'Without a window nobody looks at what it does: the window is closed, and a hurry is for windows only.',
  },
  {
    file: 'src/ring/doorbell.ts',
    source: 'if (Atomics.load(words, index) !== PARKED) return false;',
    original: 'Atomics.load(words, index) !== PARKED',
    replacement: '(false)',
    why: 'A short cut: the exchange behind it asks the same question.',
  },
  {
    file: 'src/recovery/chain.ts',
    source: 'if (segment.number < oldest.number) return;',
    original: 'segment.number < oldest.number',
    replacement: '(segment.number <= oldest.number)',
    why: 'A segment that is not on the chain has not the number of one that is.',
  },
  {
    file: 'src/recovery/chain.ts',
    source: 'if (segment.asideEpoch !== undefined && segment.asideEpoch <= newest.header.epoch) return;',
    original: 'segment.asideEpoch !== undefined',
    replacement: '(true)',
    why: 'What is undefined is not less than a number: the other half of the condition.',
  },
  {
    file: 'src/recovery/chain.ts',
    source:
      'const laterWriter = chained.some((other) => other.header.epoch > epoch && other.number > segment.number);',
    original: 'other.number > segment.number',
    replacement: '(other.number >= segment.number)',
    why: 'A segment that is not on the chain has not the number of one that is.',
  },
  {
    file: 'src/recovery/evidence.ts',
    source: 'if (view.getUint32(at, true) !== GROUP_MAGIC) continue;',
    original: 'view.getUint32(at, true) !== GROUP_MAGIC',
    replacement: '(false)',
    why: 'A short cut: decodeGroupHeader compares the same word again.',
  },
  {
    file: 'src/segment/records.ts',
    source: 'if (length > body.length || at + bytes > body.length)',
    original: 'length > body.length',
    replacement: '(length >= body.length)',
    why: 'A content as long as the group has a frame that is longer: the other half of the condition.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: 'start >= this.#end && start + GROUP_HEADER_BYTES + bodyBytes <= this.segment.segmentBytes,',
    original: 'start >= this.#end',
    replacement: '(true)',
    why: 'An assertion of what the callers ensure: they pass the end, or the block behind it.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: '} else if (start > this.#end) {',
    original: 'start > this.#end',
    replacement: '(true)',
    why: 'A view of no bytes more in the write: the file holds the same.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: '} else if (start > this.#end) {',
    original: 'start > this.#end',
    replacement: '(start >= this.#end)',
    why: 'A view of no bytes more in the write: the file holds the same.',
  },
  {
    file: 'src/segment/segment-writer.ts',
    source: 'readonly #header: GroupHeader = {',
    original:
      '{ type: 0, flags: 0, firstLsn: 0, durableLsn: 0, timestampUs: 0, records: 0, bodyBytes: 0, previousChecksum: 0, bodyC...',
    replacement: '{}',
    why: 'Every field is set before it is read; with all of them there from the start, setting them is fast.',
  },
  {
    file: 'src/commit/log-writer.ts',
    source: 'if (this.#active.end <= this.#active.segment.backedBytes) return false;',
    original: 'this.#active.end <= this.#active.segment.backedBytes',
    replacement: '(true)',
    why: 'Which blocks were written before decides how fast syncs are, and nothing else.',
  },
  {
    file: 'src/commit/log-writer.ts',
    source: 'return spare !== undefined && spare.backedBytes >= spare.segmentBytes;',
    original: 'spare.backedBytes >= spare.segmentBytes',
    replacement: '(spare.backedBytes < spare.segmentBytes)',
    why: 'Which blocks were written before decides how fast syncs are, and nothing else.',
  },
  {
    file: 'src/recovery/point-in-time.ts',
    source: 'if (number < oldestNumber || (header !== undefined && number < newest.number)) return false;',
    original: 'number < oldestNumber',
    replacement: '(number <= oldestNumber)',
    why: 'A segment that is not of the log has not the number of one that is.',
  },
  {
    file: 'src/recovery/point-in-time.ts',
    source: 'if (number < oldestNumber || (header !== undefined && number < newest.number)) return false;',
    original: 'number < newest.number',
    replacement: '(number <= newest.number)',
    why: 'A segment that is not of the log has not the number of one that is.',
  },
  {
    file: 'src/recovery/scan-newest.ts',
    source:
      'if (successor === undefined || salt === undefined || !successorSalt.every((byte, i) => byte === salt[i])) {',
    original: 'successor === undefined',
    replacement: '(false)',
    why: 'What is missing has no salt either: the other part of the condition.',
  },
  {
    file: 'src/recovery/point-in-time.ts',
    source: 'if (error instanceof CorruptError) continue;',
    original: 'error instanceof CorruptError',
    replacement: '(true)',
    why: 'Nothing else is thrown there: what is passed on is a bug of ringwal, should there be one.',
  },
  {
    file: 'src/recovery/groups-seen.ts',
    source: 'if (2 * this.#firstUnproven <= this.#places.length) return;',
    original: '2 * this.#firstUnproven <= this.#places.length',
    replacement: '(2 * this.#firstUnproven < this.#places.length)',
    why: 'When the places that were passed are let go decides how much memory they take, and nothing else.',
  },
  {
    file: 'src/recovery/groups-seen.ts',
    source: 'if (2 * this.#firstUnproven <= this.#places.length) return;',
    original: '2 * this.#firstUnproven <= this.#places.length',
    replacement: '(true)',
    why: 'When the places that were passed are let go decides how much memory they take, and nothing else.',
  },
  {
    file: 'src/recovery/groups-seen.ts',
    source: 'if ((header.flags & HAS_CHECKPOINT) !== 0) {',
    original: '(header.flags & HAS_CHECKPOINT) !== 0',
    replacement: '(true)',
    why: 'A short cut: groups without the flag hold no checkpoint, so there is nothing to be found in them.',
  },
];

const byName = new Map(EXPLAINED.map((one) => [nameOf(one), one.why]));

export function explanationOf(mutant: Mutant): string | undefined {
  return byName.get(nameOf(mutant));
}
